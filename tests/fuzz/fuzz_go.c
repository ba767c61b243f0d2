/* Go programs. */
#include "sink.h"
#include "pkg/go.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mw_bytes bytes = mw_bytes_of_memory(data, size);
	(void)mw_go_read(&bytes, "/bin/program", &fuzz_sink);
	return 0;
}

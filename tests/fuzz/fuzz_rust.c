/* Rust programs. */
#include "sink.h"
#include "pkg/rust.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mw_bytes bytes = mw_bytes_of_memory(data, size);
	(void)mw_rust_read(&bytes, "/bin/program", &fuzz_sink);
	return 0;
}

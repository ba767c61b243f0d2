/* Java archives in archives. */
#include "sink.h"
#include "pkg/java.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mw_bytes bytes = mw_bytes_of_memory(data, size);
	(void)mw_java_read(&bytes, "/app-1.0.war", &fuzz_sink);
	return 0;
}

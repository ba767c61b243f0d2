/* Headers of rpm's packages. */
#include "pkg/rpm_formats.h"
#include "sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_rpm_database database = {.path = "/x", .sink = &fuzz_sink};
	(void)mw_rpm_header(&database, data, size);
	return 0;
}

/* dpkg's status files. */
#include "base/cleanup.h"
#include "sink.h"
#include "pkg/dpkg.h"
#include "pkg/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MW_AUTO(mw_lines) lines = {.room = NULL};
	if (mw_lines_open_memory(&lines, data, size) == 0)
		(void)mw_dpkg_parse(&lines, "/status", &fuzz_sink);
	return 0;
}

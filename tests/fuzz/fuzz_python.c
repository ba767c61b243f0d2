/* Python's metadata. */
#include "base/cleanup.h"
#include "pkg/python.h"
#include "pkg/lines.h"
#include "sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MW_AUTO(mw_lines) lines = {.room = NULL};
	if (mw_lines_open_memory(&lines, data, size) == 0)
		(void)mw_python_read(&lines, "/site/a.dist-info/METADATA", &fuzz_sink);
	return 0;
}

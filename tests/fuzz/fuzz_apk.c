/* apk's database of what is installed. */
#include "base/cleanup.h"
#include "sink.h"
#include "pkg/apk.h"
#include "pkg/lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MW_AUTO(mw_lines) lines = {.room = NULL};
	if (mw_lines_open_memory(&lines, data, size) == 0)
		(void)mw_apk_parse(&lines, "/installed", &fuzz_sink);
	return 0;
}

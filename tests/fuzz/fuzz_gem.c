/* Specifications of gems. */
#include "base/cleanup.h"
#include "pkg/gem.h"
#include "pkg/lines.h"
#include "sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MW_AUTO(mw_lines) lines = {.room = NULL};
	if (mw_lines_open_memory(&lines, data, size) == 0)
		(void)mw_gem_read(&lines, "/specifications/a-1.0.gemspec", &fuzz_sink);
	return 0;
}

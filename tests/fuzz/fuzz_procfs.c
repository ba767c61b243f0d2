/* PID/stat and PID/status: comm is whatever a process calls itself. */
#include "proc/procfs.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	if (mw_procfs_parse_stat((const char *)data, size, &stat) == 0 && strlen(stat.comm) >= sizeof(stat.comm))
		__builtin_trap();
	(void)mw_procfs_parse_status((const char *)data, size, &status);
	return 0;
}

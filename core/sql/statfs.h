/* How full file systems are, without waiting for those whose server does not answer. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/statvfs.h>

struct mw_statfs {
	const char *path;
	const char *type; /* as /proc/mounts has it */
	bool is_known;
	struct statvfs space;
};

/* Fill what can be known of `count` mounts.  Local file systems are asked at once; for others a child process asks, which is
 * given `deadline_ms` for all of them.  False when some did not answer. */
bool mw_statfs(struct mw_statfs *mounts, size_t count, int deadline_ms);

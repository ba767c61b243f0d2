/* Limits and use of a process's control group, versions 1 and 2: cgroups(7), Documentation/admin-guide/cgroup-v2.rst. */
#pragma once

#include <stdint.h>

#include "base/limits.h"

enum {
	/* Not said, or no limit. */
	MW_CGROUP_NONE = -1,
};

struct mw_cgroup {
	int version; /* of the hierarchy that has memory */
	char path[MW_PATH_BYTES];
	/* The least of the group's own limits and those of the groups above it, as far as these are seen. */
	int64_t memory_limit, swap_limit;
	int64_t cpu_quota_us, cpu_period_us;
	int64_t pids_limit;
	int64_t memory_usage, memory_peak, oom_kills;
	int64_t cpu_usage_us, cpu_throttled_periods, cpu_throttled_us;
	int64_t pids_current;
	int64_t io_read_bytes, io_write_bytes;
};

/* `pidfd` is an open /proc/PID, `cgroupfd` an open /sys/fs/cgroup.  -ENOENT when there is nothing to read. */
int mw_cgroup_read(int pidfd, int cgroupfd, struct mw_cgroup *ret);

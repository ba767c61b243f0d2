#include "proc/cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "proc/procfs.h"

enum {
	/* Of memory.stat and the like some kilobytes are there; a value is in the first ones. */
	TEXT_BYTES = 8192,
	GROUPS_BYTES = 16384,
	/* Version 1 writes LONG_MAX, rounded down to a page, for no limit; nothing real is near it. */
	V1_UNLIMITED_SHIFT = 60,
};

static int64_t number(const char *text)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10); /* "max" has none */
	return end == text || errno || value < 0 || value >> V1_UNLIMITED_SHIFT ? MW_CGROUP_NONE : value;
}

static bool read_text(int dirfd, const char *name, char text[TEXT_BYTES])
{
	MW_AUTO_FD fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_BYTES - 1);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static int64_t read_number(int dirfd, const char *name)
{
	char text[TEXT_BYTES];
	return read_text(dirfd, name, text) ? number(text) : MW_CGROUP_NONE;
}

/* The sum of what stands behind `key`, a whole word: "key 5", "key=5". */
static int64_t read_key(int dirfd, const char *name, const char *key)
{
	char text[TEXT_BYTES];
	size_t length = strlen(key);
	int64_t sum = MW_CGROUP_NONE;
	(void)read_text(dirfd, name, text);
	for (const char *at = text; (at = strstr(at, key)); at += length) {
		bool is_word = at == text || at[-1] == ' ' || at[-1] == '\n';
		if (!is_word || (at[length] != ' ' && at[length] != '='))
			continue;
		int64_t value = number(at + length + 1);
		if (value >= 0)
			sum = (sum < 0 ? 0 : sum) + value;
	}
	return sum;
}

/* Each hierarchy has some of the files. */
static void set(int64_t *to, int64_t value)
{
	if (value >= 0)
		*to = value;
}

static void lower(int64_t *limit, int64_t other)
{
	if (other >= 0 && (*limit < 0 || other < *limit))
		*limit = other;
}

static void lower_cpu(struct mw_cgroup *group, int64_t quota, int64_t period)
{
	if (quota < 0 || period <= 0)
		return;
	bool is_less = group->cpu_quota_us < 0 ||
		       (double)quota / (double)period < (double)group->cpu_quota_us / (double)group->cpu_period_us;
	if (is_less) {
		group->cpu_quota_us = quota;
		group->cpu_period_us = period;
	}
}

static void limits_v2(int fd, struct mw_cgroup *group)
{
	char text[TEXT_BYTES];
	lower(&group->memory_limit, read_number(fd, "memory.max"));
	lower(&group->swap_limit, read_number(fd, "memory.swap.max"));
	lower(&group->pids_limit, read_number(fd, "pids.max"));
	if (read_text(fd, "cpu.max", text)) { /* "max 100000" */
		const char *blank = strchr(text, ' ');
		lower_cpu(group, number(text), blank ? number(blank + 1) : MW_CGROUP_NONE);
	}
}

static void use_v2(int fd, struct mw_cgroup *group)
{
	set(&group->memory_usage, read_number(fd, "memory.current"));
	set(&group->memory_peak, read_number(fd, "memory.peak"));
	set(&group->oom_kills, read_key(fd, "memory.events", "oom_kill"));
	set(&group->pids_current, read_number(fd, "pids.current"));
	set(&group->cpu_usage_us, read_key(fd, "cpu.stat", "usage_usec"));
	set(&group->cpu_throttled_periods, read_key(fd, "cpu.stat", "nr_throttled"));
	set(&group->cpu_throttled_us, read_key(fd, "cpu.stat", "throttled_usec"));
	set(&group->io_read_bytes, read_key(fd, "io.stat", "rbytes"));
	set(&group->io_write_bytes, read_key(fd, "io.stat", "wbytes"));
}

static void limits_v1(int fd, struct mw_cgroup *group)
{
	lower(&group->memory_limit, read_number(fd, "memory.limit_in_bytes"));
	int64_t both = read_number(fd, "memory.memsw.limit_in_bytes");
	if (both >= 0 && group->memory_limit >= 0 && both >= group->memory_limit)
		lower(&group->swap_limit, both - group->memory_limit);
	lower(&group->pids_limit, read_number(fd, "pids.max"));
	lower_cpu(group, read_number(fd, "cpu.cfs_quota_us"), read_number(fd, "cpu.cfs_period_us"));
}

static void use_v1(int fd, struct mw_cgroup *group)
{
	int64_t ns = read_number(fd, "cpuacct.usage");
	int64_t throttled_ns = read_key(fd, "cpu.stat", "throttled_time");
	set(&group->memory_usage, read_number(fd, "memory.usage_in_bytes"));
	set(&group->memory_peak, read_number(fd, "memory.max_usage_in_bytes"));
	set(&group->oom_kills, read_key(fd, "memory.oom_control", "oom_kill"));
	set(&group->pids_current, read_number(fd, "pids.current"));
	set(&group->cpu_usage_us, ns < 0 ? ns : ns / 1000);
	set(&group->cpu_throttled_periods, read_key(fd, "cpu.stat", "nr_throttled"));
	set(&group->cpu_throttled_us, throttled_ns < 0 ? throttled_ns : throttled_ns / 1000);
	set(&group->io_read_bytes, read_key(fd, "blkio.throttle.io_service_bytes", "Read"));
	set(&group->io_write_bytes, read_key(fd, "blkio.throttle.io_service_bytes", "Write"));
}

/* The group `path` of the hierarchy mounted at `folder`, and those above.  A container that is not in a namespace of control
 * groups is told the host's path, but sees its own group as the root. */
static bool read_hierarchy(int cgroupfd, const char *folder, const char *path, int version, struct mw_cgroup *group)
{
	char at[MW_PATH_BYTES];
	bool is_found = false;
	MW_AUTO_FD hierarchy = openat(cgroupfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int n = snprintf(at, sizeof(at), "%s", path);
	if (hierarchy < 0 || n < 0 || (size_t)n >= sizeof(at) || strstr(path, ".."))
		return false;
	for (char *slash; (slash = strrchr(at, '/'));) {
		const char *name = at + 1;
		MW_AUTO_FD fd = openat(hierarchy, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd >= 0) {
			(version == 2 ? limits_v2 : limits_v1)(fd, group);
			if (!is_found)
				(version == 2 ? use_v2 : use_v1)(fd, group);
			is_found = true;
		}
		if (slash == at && !*name)
			break;
		slash[slash == at] = '\0'; /* "/a" becomes "/" */
	}
	return is_found;
}

int mw_cgroup_read(int pidfd, int cgroupfd, struct mw_cgroup *ret)
{
	MW_AUTO(mw_buf) text = MW_BUF(GROUPS_BYTES);
	*ret = (struct mw_cgroup){.memory_limit = -1,
				  .swap_limit = -1,
				  .cpu_quota_us = -1,
				  .cpu_period_us = -1,
				  .pids_limit = -1,
				  .memory_usage = -1,
				  .memory_peak = -1,
				  .oom_kills = -1,
				  .cpu_usage_us = -1,
				  .cpu_throttled_periods = -1,
				  .cpu_throttled_us = -1,
				  .pids_current = -1,
				  .io_read_bytes = -1,
				  .io_write_bytes = -1};
	int r = mw_procfs_read(pidfd, "cgroup", &text);
	if (r < 0 && r != -EFBIG)
		return r;
	/* "4:memory:/path" of version 1, "0::/path" of version 2 */
	char *rest = text.data;
	for (char *line; rest && (line = strsep(&rest, "\n")) && *line;) {
		char *controllers = strchr(line, ':');
		char *path = controllers ? strchr(controllers + 1, ':') : NULL;
		if (!path)
			continue;
		*path++ = '\0';
		controllers++;
		bool has_memory = strcmp(controllers, "memory") == 0;
		if (*controllers) {
			if (!read_hierarchy(cgroupfd, controllers, path, 1, ret))
				continue;
		} else if (!read_hierarchy(cgroupfd, ".", path, 2, ret) ||
			   (ret->version == 1 && ret->memory_limit >= 0)) {
			continue;
		}
		if (ret->version == 0 || has_memory) {
			ret->version = *controllers ? 1 : 2;
			(void)snprintf(ret->path, sizeof(ret->path), "%s", path);
		}
	}
	return ret->version ? 0 : -ENOENT;
}

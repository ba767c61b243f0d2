#include <fcntl.h>

#include "base/cleanup.h"
#include "proc/cgroup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	VERSION,
	PATH,
	MEMORY_LIMIT,
	MEMORY_USAGE,
	MEMORY_PEAK,
	SWAP_LIMIT,
	OOM_KILLS,
	CPU_QUOTA,
	CPU_PERIOD,
	CPU_LIMIT,
	CPU_USAGE,
	CPU_THROTTLED_PERIODS,
	CPU_THROTTLED,
	PIDS_LIMIT,
	PIDS_USAGE,
	IO_READ_BYTES,
	IO_WRITE_BYTES,
};

static const struct mw_sql_column columns[] = {
	[VERSION] = {"version", MW_SQL_INTEGER, 0, "1 or 2: of the control groups that hold memory"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "The group, as the kernel tells it"},
	[MEMORY_LIMIT] = {"memory_limit", MW_SQL_BIGINT, 0,
			  "Bytes of memory it may use; NULL without a limit, as below"},
	[MEMORY_USAGE] = {"memory_usage", MW_SQL_BIGINT, 0, "Bytes it uses, files in memory included"},
	[MEMORY_PEAK] = {"memory_peak", MW_SQL_BIGINT, 0, "The most it has used"},
	[SWAP_LIMIT] = {"swap_limit", MW_SQL_BIGINT, 0, "Bytes of swap it may use"},
	[OOM_KILLS] = {"oom_kills", MW_SQL_BIGINT, 0, "Processes killed because memory was short"},
	[CPU_QUOTA] = {"cpu_quota", MW_SQL_BIGINT, 0, "Microseconds of processor time it may use in each period"},
	[CPU_PERIOD] = {"cpu_period", MW_SQL_BIGINT, 0, "Length of a period, in microseconds"},
	[CPU_LIMIT] = {"cpu_limit", MW_SQL_DOUBLE, 0, "Processors that makes: quota by period"},
	[CPU_USAGE] = {"cpu_usage", MW_SQL_BIGINT, 0, "Processor time used, in microseconds"},
	[CPU_THROTTLED_PERIODS] = {"cpu_throttled_periods", MW_SQL_BIGINT, 0, "Periods in which the quota was used up"},
	[CPU_THROTTLED] = {"cpu_throttled", MW_SQL_BIGINT, 0, "Microseconds waited for the next period"},
	[PIDS_LIMIT] = {"pids_limit", MW_SQL_BIGINT, 0, "Processes and threads it may have"},
	[PIDS_USAGE] = {"pids_usage", MW_SQL_BIGINT, 0, "Those it has"},
	[IO_READ_BYTES] = {"io_read_bytes", MW_SQL_BIGINT, 0, "Bytes read from storage"},
	[IO_WRITE_BYTES] = {"io_write_bytes", MW_SQL_BIGINT, 0, "Bytes written to storage"},
	{0},
};

static void add(struct mw_rows *rows, unsigned column, int64_t value)
{
	if (value >= 0)
		mw_rows_int(rows, column, value);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct mw_cgroup group;
	struct mw_sql_place place;
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	if (r < 0)
		return r;
	MW_AUTO_FD selffd = openat(scan->world->procfd, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MW_AUTO_FD cgroupfd = mw_sql_open_at(&place, "/sys/fs/cgroup", O_RDONLY | O_DIRECTORY);
	if (selffd < 0 || cgroupfd < 0 || mw_cgroup_read(selffd, cgroupfd, &group) < 0)
		return 0;
	r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, VERSION, group.version);
	mw_rows_string(rows, PATH, group.path);
	add(rows, MEMORY_LIMIT, group.memory_limit);
	add(rows, MEMORY_USAGE, group.memory_usage);
	add(rows, MEMORY_PEAK, group.memory_peak);
	add(rows, SWAP_LIMIT, group.swap_limit);
	add(rows, OOM_KILLS, group.oom_kills);
	add(rows, CPU_QUOTA, group.cpu_quota_us);
	add(rows, CPU_PERIOD, group.cpu_period_us);
	if (group.cpu_quota_us >= 0)
		mw_rows_double(rows, CPU_LIMIT, (double)group.cpu_quota_us / (double)group.cpu_period_us);
	add(rows, CPU_USAGE, group.cpu_usage_us);
	add(rows, CPU_THROTTLED_PERIODS, group.cpu_throttled_periods);
	add(rows, CPU_THROTTLED, group.cpu_throttled_us);
	add(rows, PIDS_LIMIT, group.pids_limit);
	add(rows, PIDS_USAGE, group.pids_current);
	add(rows, IO_READ_BYTES, group.io_read_bytes);
	add(rows, IO_WRITE_BYTES, group.io_write_bytes);
	return 0;
}

const struct mw_sql_table mw_table_cgroup_limits = {
	.name = "cgroup_limits",
	.doc = "What the container may use, and what it uses; not of osquery.",
	.source = "/proc/self/cgroup, /sys/fs/cgroup; versions 1 and 2, limits of groups above included",
	.example = "SELECT memory_usage * 100 / memory_limit AS percent, cpu_limit, pids_usage FROM cgroup_limits",
	.columns = columns,
	.fill = fill,
};

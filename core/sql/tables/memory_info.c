#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	MEMORY_TOTAL,
	MEMORY_FREE,
	MEMORY_AVAILABLE,
	BUFFERS,
	CACHED,
	SWAP_CACHED,
	ACTIVE,
	INACTIVE,
	SWAP_TOTAL,
	SWAP_FREE,
};

static const struct mw_sql_column columns[] = {
	[MEMORY_TOTAL] = {"memory_total", MW_SQL_BIGINT, 0, "Bytes the machine has"},
	[MEMORY_FREE] = {"memory_free", MW_SQL_BIGINT, 0, "Bytes nobody uses"},
	[MEMORY_AVAILABLE] = {"memory_available", MW_SQL_BIGINT, 0, "Bytes to be had without swapping"},
	[BUFFERS] = {"buffers", MW_SQL_BIGINT, 0, "Bytes of buffers of disks"},
	[CACHED] = {"cached", MW_SQL_BIGINT, 0, "Bytes of files in memory"},
	[SWAP_CACHED] = {"swap_cached", MW_SQL_BIGINT, 0, "Bytes in memory that are also in swap"},
	[ACTIVE] = {"active", MW_SQL_BIGINT, 0, "Bytes used lately"},
	[INACTIVE] = {"inactive", MW_SQL_BIGINT, 0, "Bytes not used lately"},
	[SWAP_TOTAL] = {"swap_total", MW_SQL_BIGINT, 0, "Bytes of swap"},
	[SWAP_FREE] = {"swap_free", MW_SQL_BIGINT, 0, "Bytes of swap nobody uses"},
	{0},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const keys[] = {
		[MEMORY_TOTAL] = "MemTotal", [MEMORY_FREE] = "MemFree", [MEMORY_AVAILABLE] = "MemAvailable",
		[BUFFERS] = "Buffers",       [CACHED] = "Cached",       [SWAP_CACHED] = "SwapCached",
		[ACTIVE] = "Active",         [INACTIVE] = "Inactive",   [SWAP_TOTAL] = "SwapTotal",
		[SWAP_FREE] = "SwapFree",
	};
	MW_AUTO(mw_sql_lines) lines;
	(void)err;
	(void)mw_sql_lines_at(&lines, scan->world->procfd, "meminfo");
	int r = mw_rows_add(rows);
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));) {
		char *key;
		char *value;
		if (!mw_sql_cut(line, ':', &key, &value))
			continue;
		for (unsigned i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (strcmp(keys[i], key) == 0)
				mw_rows_int(rows, i, strtoll(value, NULL, 10) * 1024);
	}
	return r;
}

const struct mw_sql_table mw_table_memory_info = {
	.name = "memory_info",
	.doc = "Memory of the machine; cgroup_limits has that of the container.",
	.source = "/proc/meminfo",
	.example = "SELECT memory_total, memory_available FROM memory_info",
	.columns = columns,
	.fill = fill,
};

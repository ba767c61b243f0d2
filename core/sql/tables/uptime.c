#include <stdlib.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	DAYS,
	HOURS,
	MINUTES,
	SECONDS,
	TOTAL_SECONDS,
};

static const struct mw_sql_column columns[] = {
	[DAYS] = {"days", MW_SQL_INTEGER, 0, "Whole days"},
	[HOURS] = {"hours", MW_SQL_INTEGER, 0, "Hours besides"},
	[MINUTES] = {"minutes", MW_SQL_INTEGER, 0, "Minutes besides"},
	[SECONDS] = {"seconds", MW_SQL_INTEGER, 0, "Seconds besides"},
	[TOTAL_SECONDS] = {"total_seconds", MW_SQL_BIGINT, 0, "All in seconds"},
	{0},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	MW_AUTO(mw_sql_lines) lines;
	(void)err;
	(void)mw_sql_lines_at(&lines, scan->world->procfd, "uptime");
	const char *line = mw_sql_next_line(&lines);
	int r = line ? mw_rows_add(rows) : 0;
	if (r < 0 || !line)
		return r;
	int64_t total = strtoll(line, NULL, 10);
	mw_rows_int(rows, DAYS, total / 86400);
	mw_rows_int(rows, HOURS, total / 3600 % 24);
	mw_rows_int(rows, MINUTES, total / 60 % 60);
	mw_rows_int(rows, SECONDS, total % 60);
	mw_rows_int(rows, TOTAL_SECONDS, total);
	return 0;
}

const struct mw_sql_table mw_table_uptime = {
	.name = "uptime",
	.doc = "How long the machine has been up; of the container itself, processes has the start of pid 1.",
	.source = "/proc/uptime",
	.example = "SELECT days, hours, minutes, total_seconds FROM uptime",
	.columns = columns,
	.fill = fill,
};

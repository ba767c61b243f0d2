#include <stdio.h>
#include <sys/resource.h>

#include "sql/table.h"

enum {
	TYPE,
	SOFT_LIMIT,
	HARD_LIMIT,
};

static const struct mw_sql_column columns[] = {
	[TYPE] = {"type", MW_SQL_TEXT, 0, "Resource, as in limits.conf(5)"},
	[SOFT_LIMIT] = {"soft_limit", MW_SQL_TEXT, 0, "What holds; unlimited, or a number in the resource's own unit"},
	[HARD_LIMIT] = {"hard_limit", MW_SQL_TEXT, 0, "What it may be raised to"},
	{0},
};

static void add_limit(struct mw_rows *rows, unsigned column, rlim_t limit)
{
	char text[24];
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)limit);
	mw_rows_string(rows, column, limit == RLIM_INFINITY ? "unlimited" : text);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const struct {
		const char *name;
		int resource;
	} limits[] = {
		{"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
		{"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
		{"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
		{"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
		{"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
		{"stack", RLIMIT_STACK},
	};
	(void)scan;
	(void)err;
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++) {
		struct rlimit limit;
		if (getrlimit(limits[i].resource, &limit) < 0)
			continue;
		int r = mw_rows_add(rows);
		if (r < 0)
			return r;
		mw_rows_string(rows, TYPE, limits[i].name);
		add_limit(rows, SOFT_LIMIT, limit.rlim_cur);
		add_limit(rows, HARD_LIMIT, limit.rlim_max);
	}
	return 0;
}

const struct mw_sql_table mw_table_ulimit_info = {
	.name = "ulimit_info",
	.doc = "Limits of resources of the process that answers the query.",
	.source = "getrlimit(2)",
	.example = "SELECT type, soft_limit, hard_limit FROM ulimit_info WHERE type = 'nofile'",
	.columns = columns,
	.fill = fill,
};

/* What the sensor has scheduled, and what it costs: what lua/moonwatch/osquery/schedule_tables.lua made of it. */

#include "sql/spool_table.h"

enum {
	NAME,
	QUERY,
	INTERVAL,
	EXECUTIONS,
	LAST_EXECUTED,
	DENYLISTED,
	OUTPUT_SIZE,
	WALL_TIME,
	WALL_TIME_MS,
	LAST_WALL_TIME_MS,
	USER_TIME,
	LAST_USER_TIME,
	SYSTEM_TIME,
	LAST_SYSTEM_TIME,
	AVERAGE_MEMORY,
	LAST_MEMORY,
	BLACKLISTED,
	MESSAGE,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the query, as in result lines"},
	[QUERY] = {"query", MW_SQL_TEXT, 0, "What it asks"},
	[INTERVAL] = {"interval", MW_SQL_INTEGER, 0, "How often it runs, in seconds, before the splay"},
	[EXECUTIONS] = {"executions", MW_SQL_BIGINT, 0, "How often it has run since the sensor started"},
	[LAST_EXECUTED] = {"last_executed", MW_SQL_BIGINT, 0, "When it ran last, in seconds since 1970; 0: not yet"},
	[DENYLISTED] = {"denylisted", MW_SQL_INTEGER, 0,
			"1 while it is not run: its limits had to end it, or the sensor died while it ran"},
	[OUTPUT_SIZE] = {"output_size", MW_SQL_BIGINT, 0, "Bytes of all its result lines"},
	[WALL_TIME] = {"wall_time", MW_SQL_BIGINT, 0, "How long all its runs took, in seconds"},
	[WALL_TIME_MS] = {"wall_time_ms", MW_SQL_BIGINT, 0, "The same in ms"},
	[LAST_WALL_TIME_MS] = {"last_wall_time_ms", MW_SQL_BIGINT, 0, "How long the last one took, in ms"},
	[USER_TIME] = {"user_time", MW_SQL_BIGINT, 0, "Time of the processor in user mode that all runs took, in ms"},
	[LAST_USER_TIME] = {"last_user_time", MW_SQL_BIGINT, 0, "That of the last one"},
	[SYSTEM_TIME] = {"system_time", MW_SQL_BIGINT, 0,
			 "Time of the processor in the kernel that all runs took, in ms"},
	[LAST_SYSTEM_TIME] = {"last_system_time", MW_SQL_BIGINT, 0, "That of the last one"},
	[AVERAGE_MEMORY] = {"average_memory", MW_SQL_BIGINT, 0,
			    "The most memory that a run took at one time, on average; in bytes"},
	[LAST_MEMORY] = {"last_memory", MW_SQL_BIGINT, 0, "That of the last one"},
	[BLACKLISTED] = {"blacklisted", MW_SQL_INTEGER, MW_SQL_HIDDEN, "As denylisted"},
	[MESSAGE] = {"message", MW_SQL_TEXT, MW_SQL_HIDDEN, "What went wrong in the last run; NULL: nothing"},
	{0},
};

#define OF(column) "json_extract(one.value, '$." column "')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[NAME] = OF("name"),
	[QUERY] = OF("query"),
	[INTERVAL] = OF("interval"),
	[EXECUTIONS] = OF("executions"),
	[LAST_EXECUTED] = OF("last_executed"),
	[DENYLISTED] = OF("denylisted"),
	[OUTPUT_SIZE] = OF("output_size"),
	[WALL_TIME] = OF("wall_time"),
	[WALL_TIME_MS] = OF("wall_time_ms"),
	[LAST_WALL_TIME_MS] = OF("last_wall_time_ms"),
	[USER_TIME] = OF("user_time"),
	[LAST_USER_TIME] = OF("last_user_time"),
	[SYSTEM_TIME] = OF("system_time"),
	[LAST_SYSTEM_TIME] = OF("last_system_time"),
	[AVERAGE_MEMORY] = OF("average_memory"),
	[LAST_MEMORY] = OF("last_memory"),
	[BLACKLISTED] = OF("denylisted"),
	[MESSAGE] = OF("message"),
};

static const struct mw_spool_source source = {
	.from = "documents, json_each(documents.body, '$.queries') AS one",
	.where = "documents.name = 'schedule'",
	.order = "one.key",
	.expressions = expressions,
	.time = MW_SPOOL_NO_COLUMN,
	.eid = MW_SPOOL_NO_COLUMN,
	.pid = MW_SPOOL_NO_COLUMN,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_osquery_schedule = {
	.name = "osquery_schedule",
	.doc = "Queries that the sensor runs now and then, and what they cost.",
	.source = "spool",
	.example = "SELECT name, interval, executions, wall_time_ms, denylisted, message FROM osquery_schedule",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

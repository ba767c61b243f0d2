/* Packs of the configuration: what lua/moonwatch/osquery/schedule_tables.lua made of them. */

#include "sql/spool_table.h"

enum {
	NAME,
	PLATFORM,
	VERSION,
	SHARD,
	DISCOVERY_CACHE_HITS,
	DISCOVERY_EXECUTIONS,
	ACTIVE,
	MESSAGE,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the pack"},
	[PLATFORM] = {"platform", MW_SQL_TEXT, 0, "Platforms it is for; empty: all"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "The least version of osquery it is for", "version"},
	[SHARD] = {"shard", MW_SQL_INTEGER, 0, "Part of all hosts it is for, in percent; 0: all"},
	[DISCOVERY_CACHE_HITS] = {"discovery_cache_hits", MW_SQL_INTEGER, 0,
				  "How often the answers of its discovery queries still held"},
	[DISCOVERY_EXECUTIONS] = {"discovery_executions", MW_SQL_INTEGER, 0, "How often they were run"},
	[ACTIVE] = {"active", MW_SQL_INTEGER, 0, "1 when its queries run on this host"},
	[MESSAGE] = {"message", MW_SQL_TEXT, MW_SQL_HIDDEN, "Why it is not for this host; NULL: it is"},
	{0},
};

#define OF(column) "json_extract(one.value, '$." column "')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[NAME] = OF("name"),
	[PLATFORM] = OF("platform"),
	[VERSION] = OF("version"),
	[SHARD] = OF("shard"),
	[DISCOVERY_CACHE_HITS] = OF("discovery_cache_hits"),
	[DISCOVERY_EXECUTIONS] = OF("discovery_executions"),
	[ACTIVE] = OF("active"),
	[MESSAGE] = OF("message"),
};

static const struct mw_spool_source source = {
	.from = "documents, json_each(documents.body, '$.packs') AS one",
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

const struct mw_sql_table mw_table_osquery_packs = {
	.name = "osquery_packs",
	.doc = "Packs of queries in the configuration, and whether they are for this host.",
	.source = "spool",
	.example = "SELECT name, active, message FROM osquery_packs",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

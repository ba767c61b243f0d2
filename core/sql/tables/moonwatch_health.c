/* The sensor's own state, from the spool: what core/sensor/health.c wrote there last. */

#include "sql/spool_table.h"

enum {
	COMPONENT,
	NAME,
	VALUE,
	UNIT,
	TEXT,
	TIME,
	RUN,
	ENDED,
};

static const struct mw_sql_column columns[] = {
	[COMPONENT] =
		{"component", MW_SQL_TEXT, 0,
		 "sensor, guard, tracer, attention, accounting, captured, dropped, ring, rules, rule, or `delivery` and who "
		 "delivers"},
	[NAME] = {"name", MW_SQL_TEXT, 0, "What of it; of captured, the kind of events; of rule, its id"},
	[VALUE] = {"value", MW_SQL_BIGINT, 0, "A number; NULL where there is only a text"},
	[UNIT] = {"unit", MW_SQL_TEXT, 0, "What the number counts"},
	[TEXT] = {"text", MW_SQL_TEXT, 0, "A text: the state, the engine, why; the id of the last event"},
	[TIME] = {"time", MW_SQL_BIGINT, 0, "When it was written, in seconds since 1970: every few seconds at least"},
	[RUN] = {"run", MW_SQL_TEXT, MW_SQL_HIDDEN, "Which run of a sensor: the beginning of its events' ids"},
	[ENDED] = {"ended", MW_SQL_INTEGER, MW_SQL_HIDDEN, "1 when that sensor has said that it ended"},
	{0},
};

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[COMPONENT] = "json_extract(row.value, '$[0]')",
	[NAME] = "json_extract(row.value, '$[1]')",
	[VALUE] = "json_extract(row.value, '$[2]')",
	[UNIT] = "json_extract(row.value, '$[3]')",
	[TEXT] = "json_extract(row.value, '$[4]')",
	[TIME] = "time_ns / 1000000000",
	[RUN] = "printf('%016x', run_ns)",
	[ENDED] = "has_ended",
};

static const struct mw_spool_source source = {
	.from = "health, json_each(health.body) AS row",
	.order = "time_ns DESC, row.key",
	/* Several sensors may share a spool: all that live, and whichever wrote last. */
	.where = "time_ns = (SELECT max(time_ns) FROM health) OR"
		 " (NOT has_ended AND time_ns > (SELECT max(time_ns) FROM health) - 15000000000)",
	.expressions = expressions,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_moonwatch_health = {
	.name = "moonwatch_health",
	.doc = "How the sensor fares: what it watches and how closely, what it has seen, and what was dropped, by reason.",
	.source = "spool",
	.example = "SELECT name, value, unit FROM moonwatch_health WHERE component = 'dropped'",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

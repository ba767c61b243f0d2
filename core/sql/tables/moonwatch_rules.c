/* The rules of the sensor that runs, or ran last, and what became of them: what core/sensor/state.c and health.c wrote, and the
 * alerts of the spool. */

#include "sql/spool_table.h"

enum {
	ID,
	SEVERITY,
	ATTACK,
	KINDS,
	SUMMARY,
	FILE_,
	ENABLED,
	SWITCHED_OFF,
	FAULTS,
	ALERTS,
	LAST_ALERT,
};

static const struct mw_sql_column columns[] = {
	[ID] = {"id", MW_SQL_TEXT, 0, "Name of the rule"},
	[SEVERITY] = {"severity", MW_SQL_TEXT, 0, "info, low, medium, high or critical"},
	[ATTACK] = {"attack", MW_SQL_TEXT, 0, "MITRE ATT&CK technique ids, with commas between"},
	[KINDS] = {"kinds", MW_SQL_TEXT, 0, "Kinds of events it listens to, with commas between"},
	[SUMMARY] = {"summary", MW_SQL_TEXT, 0, "What it looks for"},
	[FILE_] = {"file", MW_SQL_TEXT, 0, "Where it was loaded from"},
	[ENABLED] = {"enabled", MW_SQL_INTEGER, 0, "1 when its file says so"},
	[SWITCHED_OFF] = {"switched_off", MW_SQL_INTEGER, 0, "1 when the sensor has switched it off for its faults"},
	[FAULTS] = {"faults", MW_SQL_BIGINT, 0, "How often it failed"},
	[ALERTS] = {"alerts", MW_SQL_BIGINT, 0, "Alerts of it that are in the spool"},
	[LAST_ALERT] = {"last_alert", MW_SQL_BIGINT, 0, "Time of the newest of them, in seconds since 1970"},
	{0},
};

#define OF(field) "json_extract(rule.value, '$." field "')"
/* Of the newest run that writes: a row ["rule", ID, FAULTS, "faults", "switched off" or null]. */
#define HEALTH(what) \
	"(SELECT " what " FROM json_each((SELECT body FROM health ORDER BY time_ns DESC LIMIT 1)) AS row" \
	" WHERE json_extract(row.value, '$[0]') = 'rule' AND json_extract(row.value, '$[1]') = " OF("id") ")"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[ID] = OF("id"),
	[SEVERITY] = OF("severity"),
	[ATTACK] = OF("attack"),
	[KINDS] = OF("kinds"),
	[SUMMARY] = OF("summary"),
	[FILE_] = OF("file"),
	[ENABLED] = OF("enabled"),
	[SWITCHED_OFF] = HEALTH("count(*) FILTER (WHERE json_extract(row.value, '$[4]') IS NOT NULL)"),
	[FAULTS] = HEALTH("coalesce(sum(json_extract(row.value, '$[2]')), 0)"),
	[ALERTS] = "coalesce(counted.alerts, 0)",
	[LAST_ALERT] = "counted.last / 1000000000",
};

static const struct mw_spool_source source = {
	.from = "(SELECT body FROM documents WHERE name = 'rules') AS rules, json_each(rules.body) AS rule"
		" LEFT JOIN (SELECT rule AS name, count(*) AS alerts, max(time_ns) AS last FROM alerts GROUP BY rule)"
		" AS counted ON counted.name = " OF("id"),
	.order = OF("id"),
	.expressions = expressions,
	.time = MW_SPOOL_NO_COLUMN,
	.eid = MW_SPOOL_NO_COLUMN,
	.pid = MW_SPOOL_NO_COLUMN,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_moonwatch_rules = {
	.name = "moonwatch_rules",
	.doc = "The rules the sensor judges by, and how often each has matched.",
	.source = "spool",
	.example =
		"SELECT id, severity, alerts, datetime(last_alert, 'unixepoch') FROM moonwatch_rules WHERE alerts > 0",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

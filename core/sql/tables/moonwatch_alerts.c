/* What rules found, from the spool.  Bodies have the shape of mw_alert_shape, core/event/event_shapes.c. */

#include "sql/spool_table.h"

enum {
	TIME,
	RULE,
	SEVERITY,
	ATTACK,
	SUMMARY,
	MESSAGE,
	KIND,
	PID,
	NAME,
	PATH,
	CMDLINE,
	UID,
	USER,
	PARENT,
	PARENT_NAME,
	PARENT_PATH,
	PARENT_CMDLINE,
	ANCESTORS,
	EID,
	EVENT,
};

static const struct mw_sql_column columns[] = {
	[TIME] = {"time", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_RANGE | MW_SQL_ORDER,
		  "When it happened, in seconds since 1970"},
	[RULE] = {"rule", MW_SQL_TEXT, 0, "Id of the rule"},
	[SEVERITY] = {"severity", MW_SQL_TEXT, 0, "info, low, medium, high or critical"},
	[ATTACK] = {"attack", MW_SQL_TEXT, 0, "MITRE ATT&CK technique ids, with commas between"},
	[SUMMARY] = {"summary", MW_SQL_TEXT, 0, "What the rule looks for"},
	[MESSAGE] = {"message", MW_SQL_TEXT, 0, "What happened, in a sentence"},
	[KIND] = {"kind", MW_SQL_TEXT, 0, "Kind of the event, as process.exec"},
	[PID] = {"pid", MW_SQL_BIGINT, 0, "Process id"},
	[NAME] = {"name", MW_SQL_TEXT, 0, "Command name (comm) of the process"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of its executable"},
	[CMDLINE] = {"cmdline", MW_SQL_TEXT, 0, "Its arguments, with blanks between"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Its real user id"},
	[USER] = {"user", MW_SQL_TEXT, 0, "Name of its effective user"},
	[PARENT] = {"parent", MW_SQL_BIGINT, 0, "Process id of its parent"},
	[PARENT_NAME] = {"parent_name", MW_SQL_TEXT, 0, "Command name of its parent"},
	[PARENT_PATH] = {"parent_path", MW_SQL_TEXT, 0, "Path of its parent's executable"},
	[PARENT_CMDLINE] = {"parent_cmdline", MW_SQL_TEXT, 0, "Arguments of its parent"},
	[ANCESTORS] = {"ancestors", MW_SQL_TEXT, 0, "JSON list of parent, its parent and so on: pid, name, exe"},
	[EID] = {"eid", MW_SQL_TEXT, MW_SQL_INDEX, "Id of the event, as in process_events"},
	[EVENT] = {"event", MW_SQL_TEXT, MW_SQL_HIDDEN, "The whole alert, as JSON"},
	{0},
};

#define OF(path) "json_extract(body, '$." path "')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[TIME] = "time_ns / 1000000000",
	[RULE] = "rule",
	[SEVERITY] = OF("rule.severity"),
	[ATTACK] = "(SELECT group_concat(value, ',') FROM json_each(body, '$.rule.attack'))",
	[SUMMARY] = OF("rule.summary"),
	[MESSAGE] = OF("message"),
	[KIND] = "kind",
	[PID] = "pid",
	[NAME] = OF("process.name"),
	[PATH] = OF("process.exe"),
	[CMDLINE] = OF("process.cmdline"),
	[UID] = OF("process.uid"),
	[USER] = OF("process.user"),
	[PARENT] = OF("process.ppid"),
	[PARENT_NAME] = OF("process.parent.name"),
	[PARENT_PATH] = OF("process.parent.exe"),
	[PARENT_CMDLINE] = OF("process.parent.cmdline"),
	[ANCESTORS] = OF("process.ancestors"),
	[EID] = "id",
	[EVENT] = "body",
};

static const struct mw_spool_source source = {
	.is_events = true,
	.stream = MW_SPOOL_ALERTS,
	.expressions = expressions,
	.time = TIME,
	.eid = EID,
	.pid = PID,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_moonwatch_alerts = {
	.name = "moonwatch_alerts",
	.doc = "What the rules found.",
	.source = "spool",
	.example =
		"SELECT datetime(time, 'unixepoch') AS at, rule, severity, message FROM moonwatch_alerts ORDER BY time",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

/* What processes under attention `calls` did to files, from the spool.  Bodies have the shape of core/event/event_shapes.c. */

#include "sql/spool_table.h"

enum {
	OPERATION,
	PID,
	PPID,
	TIME,
	EXECUTABLE,
	PARTIAL,
	CWD,
	PATH,
	DEST_PATH,
	UID,
	GID,
	AUID,
	EUID,
	EGID,
	FSUID,
	FSGID,
	SUID,
	SGID,
	UPTIME,
	EID,
};

static const struct mw_sql_column columns[] = {
	[OPERATION] = {"operation", MW_SQL_TEXT, 0,
		       "open, create, unlink, rename, link, symlink; of attributes the system call: chmod, chown …"},
	[PID] = {"pid", MW_SQL_BIGINT, 0, "Process id"},
	[PPID] = {"ppid", MW_SQL_BIGINT, 0, "Process id of the parent"},
	[TIME] = {"time", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_RANGE | MW_SQL_ORDER,
		  "When it happened, in seconds since 1970"},
	[EXECUTABLE] = {"executable", MW_SQL_TEXT, 0, "Path of the executable"},
	[PARTIAL] = {"partial", MW_SQL_TEXT, 0, "true when something could not be read"},
	[CWD] = {"cwd", MW_SQL_TEXT, 0, "Working directory of the process at its start"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of the file; of two, the one that was there before"},
	[DEST_PATH] = {"dest_path", MW_SQL_TEXT, 0, "rename, link, symlink: the new path"},
	[UID] = {"uid", MW_SQL_TEXT, 0, "Real user id"},
	[GID] = {"gid", MW_SQL_TEXT, 0, "Real group id"},
	[AUID] = {"auid", MW_SQL_TEXT, 0, "Audit user id; not known without the audit system"},
	[EUID] = {"euid", MW_SQL_TEXT, 0, "Effective user id"},
	[EGID] = {"egid", MW_SQL_TEXT, 0, "Effective group id"},
	[FSUID] = {"fsuid", MW_SQL_TEXT, 0, "Not recorded"},
	[FSGID] = {"fsgid", MW_SQL_TEXT, 0, "Not recorded"},
	[SUID] = {"suid", MW_SQL_TEXT, 0, "Not recorded"},
	[SGID] = {"sgid", MW_SQL_TEXT, 0, "Not recorded"},
	[UPTIME] = {"uptime", MW_SQL_BIGINT, 0,
		    "Seconds that the machine was up then; NULL of events before it was started"},
	[EID] = {"eid", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_HIDDEN, "Id of the event"},
	{0},
};

#define PROCESS(field) "json_extract(body, '$.process." field "')"
#define PROCESS_TEXT(field) "CAST(" PROCESS(field) " AS TEXT)"
#define FILE_(field) "json_extract(body, '$.file." field "')"
#define HAS_TWO "kind IN ('file.rename', 'file.link', 'file.symlink')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[OPERATION] = "CASE kind WHEN 'file.delete' THEN 'unlink' WHEN 'file.attributes' THEN"
		      " json_extract(body, '$.call.name') ELSE substr(kind, 6) END",
	[PID] = "pid",
	[PPID] = PROCESS("ppid"),
	[TIME] = "time_ns / 1000000000",
	[UPTIME] = "uptime_at(time_ns)",
	[EXECUTABLE] = PROCESS("exe"),
	[PARTIAL] = "iif(json_extract(body, '$.call.incomplete'), 'true', 'false')",
	[CWD] = PROCESS("cwd"),
	[PATH] = "iif(" HAS_TWO ", " FILE_("old_path") ", " FILE_("path") ")",
	[DEST_PATH] = "iif(" HAS_TWO ", " FILE_("path") ", NULL)",
	[UID] = PROCESS_TEXT("uid"),
	[GID] = PROCESS_TEXT("gid"),
	[EUID] = PROCESS_TEXT("euid"),
	[EGID] = PROCESS_TEXT("egid"),
	[EID] = "id",
};

static const struct mw_spool_source source = {
	.is_events = true,
	.stream = MW_SPOOL_EVENTS,
	.where = "kind IN ('file.open', 'file.create', 'file.delete', 'file.rename', 'file.link', 'file.symlink',"
		 " 'file.attributes') AND json_extract(body, '$.file.found_by') = 'call'"
		 " AND json_extract(body, '$.call.error') IS NULL",
	.expressions = expressions,
	.time = TIME,
	.eid = EID,
	.pid = PID,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_process_file_events = {
	.name = "process_file_events",
	.doc = "What processes that are watched closely did to files.",
	.source = "spool",
	.example =
		"SELECT time, executable, operation, path, dest_path FROM process_file_events ORDER BY time DESC LIMIT 10",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

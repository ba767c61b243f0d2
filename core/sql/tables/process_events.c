/* What the sensor saw of processes, from the spool.  Bodies have the shape of core/event/event_shapes.c. */

#include "sql/spool_table.h"

enum {
	PID, PATH, MODE, CMDLINE, CMDLINE_SIZE, ENV, ENV_COUNT, ENV_SIZE, CWD, AUID, UID, EUID, GID, EGID, OWNER_UID,
	OWNER_GID, ATIME, MTIME, CTIME, BTIME, OVERFLOWS, PARENT, TIME, UPTIME, EID, STATUS, FSUID, SUID, FSGID, SGID,
	SYSCALL, ENVIRONMENT, ENVIRONMENT_COUNT, ENVIRONMENT_SIZE, ACCESS_TIME, MODIFY_TIME, CHANGE_TIME, CREATE_TIME,
	NAME, USER, TTY, EXIT_CODE, EXIT_SIGNAL, DURATION_MS, ANCESTORS,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_BIGINT, 0, "Process id"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of the executable"},
	[MODE] = {"mode", MW_SQL_TEXT, 0, "Mode of the executable; not recorded"},
	[CMDLINE] = {"cmdline", MW_SQL_TEXT, 0, "Arguments, with blanks between"},
	[CMDLINE_SIZE] = {"cmdline_size", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Bytes of the whole command line"},
	[ENV] = {"env", MW_SQL_TEXT, MW_SQL_HIDDEN, "Environment; not recorded"},
	[ENV_COUNT] = {"env_count", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Not recorded"},
	[ENV_SIZE] = {"env_size", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Not recorded"},
	[CWD] = {"cwd", MW_SQL_TEXT, 0, "Working directory"},
	[AUID] = {"auid", MW_SQL_BIGINT, 0, "Audit user id; not known without the audit system"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Real user id"},
	[EUID] = {"euid", MW_SQL_BIGINT, 0, "Effective user id"},
	[GID] = {"gid", MW_SQL_BIGINT, 0, "Real group id"},
	[EGID] = {"egid", MW_SQL_BIGINT, 0, "Effective group id"},
	[OWNER_UID] = {"owner_uid", MW_SQL_BIGINT, 0, "Owner of the executable; not recorded"},
	[OWNER_GID] = {"owner_gid", MW_SQL_BIGINT, 0, "Group of the executable; not recorded"},
	[ATIME] = {"atime", MW_SQL_BIGINT, 0, "Access time of the executable; not recorded"},
	[MTIME] = {"mtime", MW_SQL_BIGINT, 0, "Modification time of the executable; not recorded"},
	[CTIME] = {"ctime", MW_SQL_BIGINT, 0, "Change time of the executable; not recorded"},
	[BTIME] = {"btime", MW_SQL_BIGINT, 0, "Birth time of the executable; not recorded"},
	[OVERFLOWS] = {"overflows", MW_SQL_TEXT, MW_SQL_HIDDEN, "\"cmdline\" when it was too long to keep whole"},
	[PARENT] = {"parent", MW_SQL_BIGINT, 0, "Process id of the parent"},
	[TIME] = {"time", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_RANGE | MW_SQL_ORDER,
		  "When it happened, in seconds since 1970"},
	[UPTIME] = {"uptime", MW_SQL_BIGINT, 0, "Uptime of the machine; not recorded"},
	[EID] = {"eid", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_HIDDEN, "Id of the event"},
	[STATUS] = {"status", MW_SQL_BIGINT, MW_SQL_FOREIGN, "macOS only"},
	[FSUID] = {"fsuid", MW_SQL_BIGINT, 0, "Not recorded"},
	[SUID] = {"suid", MW_SQL_BIGINT, 0, "Not recorded"},
	[FSGID] = {"fsgid", MW_SQL_BIGINT, 0, "Not recorded"},
	[SGID] = {"sgid", MW_SQL_BIGINT, 0, "Not recorded"},
	[SYSCALL] = {"syscall", MW_SQL_TEXT, 0, "execve, fork or exit"},
	[ENVIRONMENT] = {"environment", MW_SQL_TEXT, MW_SQL_HIDDEN, "Another name of env"},
	[ENVIRONMENT_COUNT] = {"environment_count", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Another name of env_count"},
	[ENVIRONMENT_SIZE] = {"environment_size", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Another name of env_size"},
	[ACCESS_TIME] = {"access_time", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Another name of atime"},
	[MODIFY_TIME] = {"modify_time", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Another name of mtime"},
	[CHANGE_TIME] = {"change_time", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Another name of ctime"},
	[CREATE_TIME] = {"create_time", MW_SQL_BIGINT, MW_SQL_HIDDEN, "Another name of btime"},
	[NAME] = {"name", MW_SQL_TEXT, 0, "Command name (comm), at most 15 bytes"},
	[USER] = {"user", MW_SQL_TEXT, 0, "Name of the effective user"},
	[TTY] = {"tty", MW_SQL_TEXT, 0, "Controlling terminal below /dev"},
	[EXIT_CODE] = {"exit_code", MW_SQL_INTEGER, 0, "exit: the code; NULL when a signal ended it"},
	[EXIT_SIGNAL] = {"exit_signal", MW_SQL_INTEGER, 0, "exit: number of the signal that ended it"},
	[DURATION_MS] = {"duration_ms", MW_SQL_BIGINT, 0, "exit: milliseconds from birth to end"},
	[ANCESTORS] = {"ancestors", MW_SQL_TEXT, 0, "JSON list of parent, its parent and so on: pid, name, exe"},
	{0},
};

#define PROCESS(field) "json_extract(body, '$.process." field "')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[PID] = "pid",
	[PATH] = PROCESS("exe"),
	[CMDLINE] = PROCESS("cmdline"),
	[CMDLINE_SIZE] = "coalesce(" PROCESS("argv_total_bytes") ", length(CAST(" PROCESS("cmdline") " AS BLOB)))",
	[CWD] = PROCESS("cwd"),
	[UID] = PROCESS("uid"),
	[EUID] = PROCESS("euid"),
	[GID] = PROCESS("gid"),
	[EGID] = PROCESS("egid"),
	[OVERFLOWS] = "iif(" PROCESS("argv_truncated") ", 'cmdline', NULL)",
	[PARENT] = PROCESS("ppid"),
	[TIME] = "time_ns / 1000000000",
	[EID] = "id",
	[SYSCALL] = "CASE kind WHEN 'process.exec' THEN 'execve' WHEN 'process.fork' THEN 'fork' ELSE 'exit' END",
	[NAME] = PROCESS("name"),
	[USER] = PROCESS("user"),
	[TTY] = PROCESS("tty"),
	[EXIT_CODE] = PROCESS("exit_code"),
	[EXIT_SIGNAL] = PROCESS("exit_signal"),
	[DURATION_MS] = PROCESS("duration_ms"),
	[ANCESTORS] = PROCESS("ancestors"),
};

static const struct mw_spool_source source = {
	.stream = MW_SPOOL_EVENTS,
	.where = "kind IN ('process.exec', 'process.fork', 'process.exit')",
	.expressions = expressions,
	.time = TIME,
	.eid = EID,
	.pid = PID,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_process_events = {
	.name = "process_events",
	.doc = "Programs started, and processes born and ended when flags ask for those, as the sensor saw them.",
	.source = "spool",
	.example = "SELECT time, pid, path, cmdline, parent FROM process_events ORDER BY time DESC LIMIT 10",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

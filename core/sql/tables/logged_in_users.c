#include <utmpx.h>

#include "sql/table.h"
#include "sql/utmp.h"

enum {
	TYPE,
	USER,
	TTY,
	HOST,
	TIME,
	PID,
	SID,
	REGISTRY_HIVE,
};

static const struct mw_sql_column columns[] = {
	[TYPE] = {"type", MW_SQL_TEXT, 0, "Kind of record: user, login, init, dead, boot_time, runlevel, …"},
	[USER] = {"user", MW_SQL_TEXT, 0, "Name of the user"},
	[TTY] = {"tty", MW_SQL_TEXT, 0, "Terminal, as below /dev"},
	[HOST] = {"host", MW_SQL_TEXT, 0, "Where the user came from"},
	[TIME] = {"time", MW_SQL_BIGINT, 0, "When, in seconds since 1970"},
	[PID] = {"pid", MW_SQL_INTEGER, 0, "Process id"},
	[SID] = {"sid", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[REGISTRY_HIVE] = {"registry_hive", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	{0},
};

enum {
	ACCOUNTING_ = 9, /* ACCOUNTING, which musl's utmpx.h leaves out */
};

static int add_record(const struct mw_utmp *record, struct mw_rows *rows)
{
	static const char *const types[] = {
		[EMPTY] = "empty",         [RUN_LVL] = "runlevel",
		[BOOT_TIME] = "boot_time", [NEW_TIME] = "new_time",
		[OLD_TIME] = "old_time",   [INIT_PROCESS] = "init",
		[LOGIN_PROCESS] = "login", [USER_PROCESS] = "user",
		[DEAD_PROCESS] = "dead",   [ACCOUNTING_] = "accounting",
	};
	if (record->pid == 1)
		return 0; /* as osquery */
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	size_t type = (size_t)record->type;
	mw_rows_string(rows, TYPE, type < sizeof(types) / sizeof(*types) ? types[type] : "unknown");
	mw_sql_utmp_text(rows, USER, record->user, sizeof(record->user));
	mw_sql_utmp_text(rows, TTY, record->line, sizeof(record->line));
	mw_sql_utmp_text(rows, HOST, record->host, sizeof(record->host));
	mw_rows_int(rows, TIME, record->seconds);
	mw_rows_int(rows, PID, record->pid);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_utmp(scan, "/run/utmp", add_record, rows);
}

const struct mw_sql_table mw_table_logged_in_users = {
	.name = "logged_in_users",
	.doc = "Who is logged in, as login programs tell it; in most containers nobody.",
	.source = "/run/utmp",
	.example = "SELECT user, tty, host, time FROM logged_in_users WHERE type = 'user'",
	.columns = columns,
	.fill = fill,
};

#include <utmpx.h>

#include "sql/table.h"
#include "sql/utmp.h"

enum {
	USERNAME,
	TTY,
	PID,
	TYPE,
	TYPE_NAME,
	TIME,
	HOST,
};

static const struct mw_sql_column columns[] = {
	[USERNAME] = {"username", MW_SQL_TEXT, 0, "Name of the user; empty at the end of a session"},
	[TTY] = {"tty", MW_SQL_TEXT, 0, "Terminal, as below /dev"},
	[PID] = {"pid", MW_SQL_INTEGER, 0, "Process id"},
	[TYPE] = {"type", MW_SQL_INTEGER, 0, "Kind of record, utmp(5): 7 begins a session, 8 ends it"},
	[TYPE_NAME] = {"type_name", MW_SQL_TEXT, 0, "user-process or dead-process"},
	[TIME] = {"time", MW_SQL_INTEGER, 0, "When, in seconds since 1970"},
	[HOST] = {"host", MW_SQL_TEXT, 0, "Where the user came from"},
	{0},
};

static int add_record(const struct mw_utmp *record, struct mw_rows *rows)
{
	if (record->type != USER_PROCESS && record->type != DEAD_PROCESS)
		return 0;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_sql_utmp_text(rows, USERNAME, record->user, sizeof(record->user));
	mw_sql_utmp_text(rows, TTY, record->line, sizeof(record->line));
	mw_rows_int(rows, PID, record->pid);
	mw_rows_int(rows, TYPE, record->type);
	mw_rows_string(rows, TYPE_NAME, record->type == USER_PROCESS ? "user-process" : "dead-process");
	mw_rows_int(rows, TIME, record->seconds);
	mw_sql_utmp_text(rows, HOST, record->host, sizeof(record->host));
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_utmp(scan, "/var/log/wtmp", add_record, rows);
}

const struct mw_sql_table mw_table_last = {
	.name = "last",
	.doc = "Sessions of users, their beginnings and ends, in the order they were written.",
	.source = "/var/log/wtmp",
	.example = "SELECT username, tty, host, datetime(time, 'unixepoch') FROM last WHERE type = 7",
	.columns = columns,
	.fill = fill,
};

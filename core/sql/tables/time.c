#include <time.h>

#include "sql/table.h"

enum {
	WEEKDAY,
	YEAR,
	MONTH,
	DAY,
	HOUR,
	MINUTES,
	SECONDS,
	TIMEZONE,
	LOCAL_TIMEZONE,
	UNIX_TIME,
	TIMESTAMP,
	DATETIME,
	ISO_8601,
	WIN_TIMESTAMP,
	DATE_TIME,
};

static const struct mw_sql_column columns[] = {
	[WEEKDAY] = {"weekday", MW_SQL_TEXT, 0, "Day of the week, in English"},
	[YEAR] = {"year", MW_SQL_INTEGER, 0, "Year"},
	[MONTH] = {"month", MW_SQL_INTEGER, 0, "Month, 1 to 12"},
	[DAY] = {"day", MW_SQL_INTEGER, 0, "Day of the month"},
	[HOUR] = {"hour", MW_SQL_INTEGER, 0, "Hour, 0 to 23"},
	[MINUTES] = {"minutes", MW_SQL_INTEGER, 0, "Minute"},
	[SECONDS] = {"seconds", MW_SQL_INTEGER, 0, "Second"},
	[TIMEZONE] = {"timezone", MW_SQL_TEXT, 0, "Time zone of the other columns: UTC"},
	[LOCAL_TIMEZONE] = {"local_timezone", MW_SQL_TEXT, 0, "Time zone of the container"},
	[UNIX_TIME] = {"unix_time", MW_SQL_INTEGER, 0, "Seconds since 1970-01-01 UTC"},
	[TIMESTAMP] = {"timestamp", MW_SQL_TEXT, 0, "The time as asctime(3) writes it, and the zone"},
	[DATETIME] = {"datetime", MW_SQL_TEXT, 0, "The time in ISO 8601 format"},
	[ISO_8601] = {"iso_8601", MW_SQL_TEXT, 0, "The time in ISO 8601 format"},
	[WIN_TIMESTAMP] = {"win_timestamp", MW_SQL_BIGINT, MW_SQL_FOREIGN, "Windows only"},
	[DATE_TIME] = {"date_time", MW_SQL_TEXT, MW_SQL_HIDDEN, "Another name of datetime"},
	{0},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	char text[64];
	struct tm utc;
	struct tm local;
	time_t now = time(NULL);
	(void)scan;
	(void)err;
	int r = mw_rows_add(rows);
	if (r < 0 || !gmtime_r(&now, &utc) || !localtime_r(&now, &local))
		return r;
	if (strftime(text, sizeof(text), "%A", &utc))
		mw_rows_string(rows, WEEKDAY, text);
	mw_rows_int(rows, YEAR, utc.tm_year + 1900);
	mw_rows_int(rows, MONTH, utc.tm_mon + 1);
	mw_rows_int(rows, DAY, utc.tm_mday);
	mw_rows_int(rows, HOUR, utc.tm_hour);
	mw_rows_int(rows, MINUTES, utc.tm_min);
	mw_rows_int(rows, SECONDS, utc.tm_sec);
	mw_rows_string(rows, TIMEZONE, "UTC");
	mw_rows_string(rows, LOCAL_TIMEZONE, local.tm_zone ? local.tm_zone : "");
	mw_rows_int(rows, UNIX_TIME, now);
	if (strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y UTC", &utc))
		mw_rows_string(rows, TIMESTAMP, text);
	if (strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc)) {
		mw_rows_string(rows, DATETIME, text);
		mw_rows_string(rows, ISO_8601, text);
		mw_rows_string(rows, DATE_TIME, text);
	}
	return 0;
}

const struct mw_sql_table mw_table_time = {
	.name = "time",
	.doc = "The current time, in UTC.",
	.source = "clock_gettime(2)",
	.example = "SELECT iso_8601, unix_time FROM time",
	.columns = columns,
	.fill = fill,
};

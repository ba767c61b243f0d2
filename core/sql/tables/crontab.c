#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	EVENT,
	MINUTE,
	HOUR,
	DAY_OF_MONTH,
	MONTH,
	DAY_OF_WEEK,
	COMMAND,
	PATH,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[EVENT] = {"event", MW_SQL_TEXT, 0, "@reboot, @daily and the like, in the place of a time"},
	[MINUTE] = {"minute", MW_SQL_TEXT, 0, "When it is run"},
	[HOUR] = {"hour", MW_SQL_TEXT, 0, "When it is run"},
	[DAY_OF_MONTH] = {"day_of_month", MW_SQL_TEXT, 0, "When it is run"},
	[MONTH] = {"month", MW_SQL_TEXT, 0, "When it is run"},
	[DAY_OF_WEEK] = {"day_of_week", MW_SQL_TEXT, 0, "When it is run"},
	[COMMAND] = {"command", MW_SQL_TEXT, 0, "What is run; in /etc/crontab and /etc/cron.d the user goes before it"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "File it stands in"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

/* "NAME = value" sets a variable. */
static bool is_variable(const char *line)
{
	size_t n = strcspn(line, "= \t");
	n += strspn(line + n, " \t");
	return line[n] == '=';
}

static int add_line(const struct mw_sql_place *place, const char *path, char *line, struct mw_rows *rows)
{
	char *rest = mw_sql_strip(line);
	char *words[DAY_OF_WEEK - MINUTE + 1];
	unsigned count = 0;
	if (!*rest || *rest == '#' || is_variable(rest))
		return 0;
	bool is_event = *rest == '@';
	const unsigned need = is_event ? 1 : DAY_OF_WEEK - MINUTE + 1;
	while (count < need && (words[count] = mw_sql_word(&rest)))
		count++;
	rest = mw_sql_strip(rest);
	int r = count == need && *rest ? mw_rows_add(rows) : 0;
	if (r < 0 || count < need || !*rest)
		return r;
	for (unsigned i = 0; i < count; i++)
		mw_rows_string(rows, is_event ? EVENT : MINUTE + i, words[i]);
	mw_rows_string(rows, COMMAND, rest);
	mw_rows_string(rows, PATH, path);
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	return 0;
}

static int add_file(const struct mw_sql_place *place, const char *path, struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	int r = 0;
	(void)mw_sql_lines_init(&lines, place, path);
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));)
		r = add_line(place, path, line, rows);
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	/* Of the system; of users: Red Hat, Debian. */
	static const char *const folders[] = {"/etc/cron.d", "/var/spool/cron", "/var/spool/cron/crontabs"};
	struct mw_sql_place place;
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	if (r == 0)
		r = add_file(&place, "/etc/crontab", rows);
	for (size_t i = 0; r == 0 && i < sizeof(folders) / sizeof(*folders); i++) {
		MW_AUTO(mw_sql_names) names;
		char path[MW_PATH_BYTES];
		(void)mw_sql_names_init(&names, &place, folders[i]);
		for (size_t k = 0; r == 0 && k < names.count; k++)
			if (mw_sql_join(path, folders[i], names.name[k]))
				r = add_file(&place, path, rows);
	}
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_crontab = {
	.name = "crontab",
	.doc = "What cron would run at which times.",
	.source = "/etc/crontab, /etc/cron.d, /var/spool/cron",
	.example = "SELECT minute, hour, command, path FROM crontab WHERE command LIKE '%curl%'",
	.columns = columns,
	.fill = fill,
};

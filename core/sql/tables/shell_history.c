#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/users.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	UID,
	TIME,
	COMMAND,
	HISTORY_FILE,
};

static const struct mw_sql_column columns[] = {
	[UID] = {"uid", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_USER,
		 "Who typed it; without a value the current user"},
	[TIME] = {"time", MW_SQL_INTEGER, 0, "When, in seconds since 1970; 0 when the shell did not write it down"},
	[COMMAND] = {"command", MW_SQL_TEXT, 0, "What was typed"},
	[HISTORY_FILE] = {"history_file", MW_SQL_TEXT, 0, "File it stands in"},
	{0},
};

/* bash: "#1700000000" goes before a command. */
static bool take_bash_time(const char *line, int64_t *ret)
{
	size_t n = *line == '#' ? strspn(line + 1, "0123456789") : 0;
	if (n == 0 || line[n + 1])
		return false;
	*ret = strtoll(line + 1, NULL, 10);
	return true;
}

/* zsh: ": 1700000000:0;command".  Where the command begins. */
static const char *take_zsh_time(const char *line, int64_t *ret)
{
	if (*line != ':')
		return line;
	const char *at = line + 1 + strspn(line + 1, " ");
	size_t n = strspn(at, "0123456789");
	size_t elapsed = at[n] == ':' ? strspn(at + n + 1, "0123456789") : 0;
	if (n == 0 || elapsed == 0 || at[n + 1 + elapsed] != ';')
		return line;
	*ret = strtoll(at, NULL, 10);
	return at + n + 1 + elapsed + 1;
}

static int add_file(const struct mw_sql_place *place, const struct mw_user *user, const char *path,
		    struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	int64_t time = 0;
	(void)mw_sql_lines_own(&lines, place, path, user);
	for (const char *line; (line = mw_sql_next_line(&lines));) {
		if (!*line || (time == 0 && take_bash_time(line, &time)))
			continue;
		const char *command = time ? line : take_zsh_time(line, &time);
		int r = mw_rows_add(rows);
		if (r < 0)
			return r;
		mw_rows_int(rows, UID, user->uid);
		mw_rows_int(rows, TIME, time);
		mw_rows_string(rows, COMMAND, command);
		mw_rows_string(rows, HISTORY_FILE, path);
		time = 0;
	}
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const files[] = {".bash_history", ".zsh_history", ".zhistory", ".history",
					    ".sh_history",   ".ash_history", NULL};
	(void)err;
	return mw_sql_each_home(scan, UID, MW_SQL_NO_COLUMN, files, add_file, rows);
}

const struct mw_sql_table mw_table_shell_history = {
	.name = "shell_history",
	.doc = "Commands typed into shells.",
	.source = "~/.bash_history, .zsh_history, .zhistory, .history, .sh_history, .ash_history",
	.example =
		"SELECT username, time, command FROM users JOIN shell_history USING (uid) WHERE command LIKE '%curl%'",
	.columns = columns,
	.fill = fill,
};

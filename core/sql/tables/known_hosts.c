#include "base/cleanup.h"
#include "proc/users.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	UID,
	KEY,
	KEY_FILE,
};

static const struct mw_sql_column columns[] = {
	[UID] = {"uid", MW_SQL_BIGINT, MW_SQL_INDEX | MW_SQL_USER,
		 "Whose file it is; without a value the current user's"},
	[KEY] = {"key", MW_SQL_TEXT, 0, "The line: names of the host, and its key"},
	[KEY_FILE] = {"key_file", MW_SQL_TEXT, 0, "File it stands in"},
	{0},
};

static int add_file(const struct mw_sql_place *place, const struct mw_user *user, const char *path,
		    struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	(void)mw_sql_lines_own(&lines, place, path, user);
	for (char *line; (line = mw_sql_next_line(&lines));) {
		const char *text = mw_sql_strip(line);
		int r = *text && *text != '#' ? mw_rows_add(rows) : 0;
		if (r < 0)
			return r;
		if (!*text || *text == '#')
			continue;
		mw_rows_int(rows, UID, user->uid);
		mw_rows_string(rows, KEY, text);
		mw_rows_string(rows, KEY_FILE, path);
	}
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const files[] = {".ssh/known_hosts", NULL};
	(void)err;
	return mw_sql_each_home(scan, UID, MW_SQL_NO_COLUMN, files, add_file, rows);
}

const struct mw_sql_table mw_table_known_hosts = {
	.name = "known_hosts",
	.doc = "Hosts that users have logged in to by ssh.",
	.source = "~/.ssh/known_hosts",
	.example = "SELECT username, key FROM users JOIN known_hosts USING (uid)",
	.columns = columns,
	.fill = fill,
};

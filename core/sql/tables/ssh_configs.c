#include <ctype.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/users.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	UID,
	BLOCK,
	OPTION,
	SSH_CONFIG_FILE,
};

static const struct mw_sql_column columns[] = {
	[UID] = {"uid", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_USER,
		 "Whose file it is, 0 for the system's; without a value the current user's, and the system's"},
	[BLOCK] = {"block", MW_SQL_TEXT, 0,
		   "Host or match line the option stands under; in small letters, as the option"},
	[OPTION] = {"option", MW_SQL_TEXT, 0, "Option and its value"},
	[SSH_CONFIG_FILE] = {"ssh_config_file", MW_SQL_TEXT, 0, "File it stands in"},
	{0},
};

/* Everything behind a Host or Match line belongs to it: ssh_config(5). */
static int add_file(const struct mw_sql_place *place, const struct mw_user *user, const char *path,
		    struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	const char *block = "";
	(void)mw_sql_lines_own(&lines, place, path, user);
	for (char *line; (line = mw_sql_next_line(&lines));) {
		const char *text = mw_sql_strip(line);
		for (char *at = line; *at; at++)
			*at = (char)tolower((unsigned char)*at);
		if (!*text || *text == '#')
			continue;
		if (strncmp(text, "host ", 5) == 0 || strncmp(text, "match ", 6) == 0) {
			block = text; /* stays in the text of the file */
			continue;
		}
		int r = mw_rows_add(rows);
		if (r < 0)
			return r;
		mw_rows_int(rows, UID, user->uid);
		mw_rows_string(rows, BLOCK, block);
		mw_rows_string(rows, OPTION, text);
		mw_rows_string(rows, SSH_CONFIG_FILE, path);
	}
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const files[] = {".ssh/config", NULL};
	static const struct mw_user root = {.uid = 0};
	struct mw_sql_place place;
	(void)err;
	int r = mw_sql_each_home(scan, UID, MW_SQL_NO_COLUMN, files, add_file, rows);
	if (r == 0)
		r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	return r < 0 ? r : add_file(&place, &root, "/etc/ssh/ssh_config", rows);
}

const struct mw_sql_table mw_table_ssh_configs = {
	.name = "ssh_configs",
	.doc = "How ssh is set up, for users and for all.",
	.source = "~/.ssh/config, /etc/ssh/ssh_config",
	.example = "SELECT block, option, ssh_config_file FROM ssh_configs WHERE option LIKE 'proxycommand%'",
	.columns = columns,
	.fill = fill,
};

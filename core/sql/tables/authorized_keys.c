#include <string.h>

#include "base/cleanup.h"
#include "proc/users.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	UID,
	ALGORITHM,
	KEY,
	OPTIONS,
	COMMENT,
	KEY_FILE,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[UID] = {"uid", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_USER,
		 "Whose file it is; without a value the current user's"},
	[ALGORITHM] = {"algorithm", MW_SQL_TEXT, 0, "Kind of key, as ssh-ed25519"},
	[KEY] = {"key", MW_SQL_TEXT, 0, "The public key, in base64"},
	[OPTIONS] = {"options", MW_SQL_TEXT, 0, "What holders of the key may do: sshd(8)"},
	[COMMENT] = {"comment", MW_SQL_TEXT, 0, "What stands behind the key"},
	[KEY_FILE] = {"key_file", MW_SQL_TEXT, 0, "File it stands in"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

static bool is_algorithm(const char *word)
{
	static const char *const beginnings[] = {"ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-", "rsa-sha2-"};
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++)
		if (strncmp(word, beginnings[i], strlen(beginnings[i])) == 0)
			return true;
	return false;
}

/* Options go until the first blank that is not in quotes.  Where the line goes on behind them. */
static char *end_of_options(char *line)
{
	bool is_quoted = false;
	char *at = line;
	for (; *at && (is_quoted || (*at != ' ' && *at != '\t')); at++) {
		if (*at == '\\' && at[1] == '"')
			at++;
		else if (*at == '"')
			is_quoted = !is_quoted;
	}
	return at;
}

static int add_line(const struct mw_sql_place *place, const struct mw_user *user, const char *path, char *line,
		    struct mw_rows *rows)
{
	char *rest = mw_sql_strip(line);
	if (!*rest || *rest == '#')
		return 0;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	const char *options = "";
	if (!is_algorithm(rest)) {
		char *end = end_of_options(rest);
		options = rest;
		rest = end + (*end != '\0');
		*end = '\0';
	}
	const char *algorithm = mw_sql_word(&rest);
	const char *key = mw_sql_word(&rest);
	mw_rows_int(rows, UID, user->uid);
	mw_rows_string(rows, ALGORITHM, algorithm ? algorithm : "");
	mw_rows_string(rows, KEY, key ? key : "");
	mw_rows_string(rows, OPTIONS, options);
	mw_rows_string(rows, COMMENT, mw_sql_strip(rest));
	mw_rows_string(rows, KEY_FILE, path);
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	return 0;
}

static int add_file(const struct mw_sql_place *place, const struct mw_user *user, const char *path,
		    struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	int r = 0;
	(void)mw_sql_lines_own(&lines, place, path, user);
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));)
		r = add_line(place, user, path, line, rows);
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const files[] = {".ssh/authorized_keys", ".ssh/authorized_keys2", NULL};
	(void)err;
	return mw_sql_each_home(scan, UID, PID_WITH_NAMESPACE, files, add_file, rows);
}

const struct mw_sql_table mw_table_authorized_keys = {
	.name = "authorized_keys",
	.doc = "Keys that may log in by ssh.",
	.source = "~/.ssh/authorized_keys, ~/.ssh/authorized_keys2",
	.example = "SELECT username, algorithm, comment, key_file FROM users JOIN authorized_keys USING (uid)",
	.columns = columns,
	.fill = fill,
};

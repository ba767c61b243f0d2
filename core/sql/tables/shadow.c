/* Of a password only what kind it is: the hash itself is never shown. */
#include <string.h>

#include "sql/place.h"
#include "sql/table.h"

enum {
	PASSWORD_STATUS,
	HASH_ALG,
	LAST_CHANGE,
	MIN,
	MAX,
	WARNING,
	INACTIVE,
	EXPIRE,
	FLAG,
	USERNAME,
};

static const struct mw_sql_column columns[] = {
	[PASSWORD_STATUS] = {"password_status", MW_SQL_TEXT, 0, "active, locked, empty or not_set"},
	[HASH_ALG] = {"hash_alg", MW_SQL_TEXT, 0,
		      "What the hash begins with: 1 MD5, 5 SHA-256, 6 SHA-512, y yescrypt, 2b bcrypt, …"},
	[LAST_CHANGE] = {"last_change", MW_SQL_BIGINT, 0, "When the password was changed, in days since 1970"},
	[MIN] = {"min", MW_SQL_BIGINT, 0, "Days after a change before the next is allowed"},
	[MAX] = {"max", MW_SQL_BIGINT, 0, "Days after a change until the next must happen"},
	[WARNING] = {"warning", MW_SQL_BIGINT, 0, "Days of warning before that"},
	[INACTIVE] = {"inactive", MW_SQL_BIGINT, 0, "Days after that until the account is closed"},
	[EXPIRE] = {"expire", MW_SQL_BIGINT, 0, "When the account is closed, in days since 1970"},
	[FLAG] = {"flag", MW_SQL_BIGINT, 0, "Reserved"},
	[USERNAME] = {"username", MW_SQL_TEXT, MW_SQL_INDEX, "Name of the user"},
	{0},
};

static const char *status_of(const char *password)
{
	if (strcmp(password, "!!") == 0)
		return "not_set";
	if (*password == '!' || *password == '*' || *password == 'x')
		return "locked";
	return *password ? "active" : "empty";
}

/* "name:password:last_change:min:max:warning:inactive:expire:flag", shadow(5) */
static int add_line(const struct mw_sql_place *place, char *line, struct mw_rows *rows)
{
	(void)place;
	char *rest = line;
	const char *name = strsep(&rest, ":");
	const char *password = strsep(&rest, ":");
	if (!*name || !password || strchr("#+-", *name))
		return 0;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, USERNAME, name);
	mw_rows_string(rows, PASSWORD_STATUS, status_of(password));
	size_t length = *password == '$' ? strcspn(password + 1, "$") : 0;
	if (length && password[length + 1] == '$')
		mw_rows_text(rows, HASH_ALG, password + 1, length);
	for (unsigned column = LAST_CHANGE; column <= FLAG; column++) {
		const char *field = strsep(&rest, ":");
		mw_rows_int(rows, column, -1); /* as osquery, where nothing is said */
		if (field)
			mw_rows_number(rows, column, field);
	}
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_each_line(scan, MW_SQL_NO_COLUMN, "/etc/shadow", add_line, rows);
}

const struct mw_sql_table mw_table_shadow = {
	.name = "shadow",
	.doc = "State of users' passwords; never the passwords.",
	.source = "/etc/shadow; rows only with the right to read it",
	.example = "SELECT username, password_status, hash_alg FROM shadow WHERE password_status = 'empty'",
	.columns = columns,
	.fill = fill,
};

#include <string.h>

#include "proc/users.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	UID,
	GID,
	UID_SIGNED,
	GID_SIGNED,
	USERNAME,
	DESCRIPTION,
	DIRECTORY,
	SHELL,
	UUID,
	TYPE,
	IS_HIDDEN,
	PID_WITH_NAMESPACE,
	INCLUDE_REMOTE,
};

static const struct mw_sql_column columns[] = {
	[UID] = {"uid", MW_SQL_BIGINT, MW_SQL_INDEX, "User id"},
	[GID] = {"gid", MW_SQL_BIGINT, 0, "Id of the user's own group"},
	[UID_SIGNED] = {"uid_signed", MW_SQL_BIGINT, 0, "The same as a signed number of 32 bits"},
	[GID_SIGNED] = {"gid_signed", MW_SQL_BIGINT, 0, "The same as a signed number of 32 bits"},
	[USERNAME] = {"username", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "Name"},
	[DESCRIPTION] = {"description", MW_SQL_TEXT, 0, "What stands beside the name (GECOS)"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, 0, "Home"},
	[SHELL] = {"shell", MW_SQL_TEXT, 0, "Shell, or what is run in its place"},
	[UUID] = {"uuid", MW_SQL_TEXT, MW_SQL_INDEX, "Empty; of other platforms", "nocase"},
	[TYPE] = {"type", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[IS_HIDDEN] = {"is_hidden", MW_SQL_INTEGER, MW_SQL_FOREIGN, "macOS only"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	[INCLUDE_REMOTE] = {"include_remote", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
			    "Has no effect: users of directory services are not asked for; always 0"},
	{0},
};

static int add_user(const struct mw_sql_place *place, const struct mw_user *user, struct mw_rows *rows)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, UID, user->uid);
	mw_rows_int(rows, GID, user->gid);
	mw_rows_int(rows, UID_SIGNED, (int32_t)user->uid);
	mw_rows_int(rows, GID_SIGNED, (int32_t)user->gid);
	mw_rows_string(rows, USERNAME, user->name);
	mw_rows_string(rows, DESCRIPTION, user->description);
	mw_rows_string(rows, DIRECTORY, user->directory);
	mw_rows_string(rows, SHELL, user->shell);
	mw_rows_string(rows, UUID, "");
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	mw_rows_int(rows, INCLUDE_REMOTE, 0);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct mw_sql_place place;
	struct mw_user user;
	const struct mw_sql_constraint *uid = mw_sql_equal(scan, UID);
	const struct mw_sql_constraint *name = mw_sql_equal(scan, USERNAME);
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	for (size_t i = 0; r == 0 && place.users && mw_users_at(place.users, i, &user); i++)
		if ((!uid || (uid->is_integer && uid->integer == user.uid)) &&
		    (!name || strcmp(name->text, user.name) == 0))
			r = add_user(&place, &user, rows);
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_users = {
	.name = "users",
	.doc = "Users of the container, from its own files.",
	.source = "/etc/passwd",
	.example = "SELECT uid, username, shell FROM users WHERE uid = 0",
	.columns = columns,
	.fill = fill,
};

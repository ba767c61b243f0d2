/* As initgroups(3) has it: the group of passwd(5), then those of group(5) that name the user. */
#include <string.h>

#include "proc/users.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	UID,
	GID,
};

static const struct mw_sql_column columns[] = {
	[UID] = {"uid", MW_SQL_BIGINT, MW_SQL_INDEX, "User id"},
	[GID] = {"gid", MW_SQL_BIGINT, MW_SQL_INDEX, "Id of a group the user is in"},
	{0},
};

/* Is `name` one of "a,b,c"? */
static bool is_member(const char *members, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = members; *at; at += *at == ',') {
		size_t n = strcspn(at, ",");
		if (n == length && memcmp(at, name, n) == 0)
			return true;
		at += n;
	}
	return false;
}

static int add(uid_t uid, gid_t gid, struct mw_rows *rows)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, UID, uid);
	mw_rows_int(rows, GID, gid);
	return 0;
}

static int add_groups(struct mw_users *users, const struct mw_user *user, struct mw_rows *rows)
{
	struct mw_group group;
	int r = add(user->uid, user->gid, rows);
	for (size_t i = 0; r == 0 && mw_users_group_at(users, i, &group); i++)
		if (group.gid != user->gid && is_member(group.members, user->name))
			r = add(user->uid, group.gid, rows);
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	const struct mw_sql_constraint *uid = mw_sql_equal(scan, UID);
	struct mw_users *users = scan->world->users;
	struct mw_user user;
	int r = 0;
	(void)err;
	for (size_t i = 0; r == 0 && mw_users_at(users, i, &user); i++)
		if (!uid || (uid->is_integer && uid->integer == user.uid))
			r = add_groups(users, &user, rows);
	return r;
}

const struct mw_sql_table mw_table_user_groups = {
	.name = "user_groups",
	.doc = "Which user is in which groups.",
	.source = "/etc/passwd, /etc/group",
	.example =
		"SELECT username, groupname FROM users JOIN user_groups USING (uid) JOIN groups ON groups.gid = user_groups.gid",
	.columns = columns,
	.fill = fill,
};

#include "proc/users.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	GID,
	GID_SIGNED,
	GROUPNAME,
	GROUP_SID,
	COMMENT,
	IS_HIDDEN,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[GID] = {"gid", MW_SQL_BIGINT, MW_SQL_INDEX, "Group id"},
	[GID_SIGNED] = {"gid_signed", MW_SQL_BIGINT, 0, "The same as a signed number of 32 bits"},
	[GROUPNAME] = {"groupname", MW_SQL_TEXT, 0, "Name"},
	[GROUP_SID] = {"group_sid", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_FOREIGN, "Windows only"},
	[COMMENT] = {"comment", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[IS_HIDDEN] = {"is_hidden", MW_SQL_INTEGER, MW_SQL_FOREIGN, "macOS only"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

static int add_group(const struct mw_sql_place *place, const struct mw_group *group, struct mw_rows *rows)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, GID, group->gid);
	mw_rows_int(rows, GID_SIGNED, (int32_t)group->gid);
	mw_rows_string(rows, GROUPNAME, group->name);
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct mw_sql_place place;
	struct mw_group group;
	const struct mw_sql_constraint *gid = mw_sql_equal(scan, GID);
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	for (size_t i = 0; r == 0 && place.users && mw_users_group_at(place.users, i, &group); i++)
		if (!gid || (gid->is_integer && gid->integer == group.gid))
			r = add_group(&place, &group, rows);
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_groups = {
	.name = "groups",
	.doc = "Groups of the container, from its own files.",
	.source = "/etc/group",
	.example = "SELECT gid, groupname FROM groups WHERE groupname IN ('root', 'sudo', 'docker')",
	.columns = columns,
	.fill = fill,
};

#include <fcntl.h>
#include <stdio.h>

#include "proc/users.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/walk.h"
#include "sql/world.h"

enum {
	PATH,
	USERNAME,
	GROUPNAME,
	PERMISSIONS,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of the program"},
	[USERNAME] = {"username", MW_SQL_TEXT, 0, "Who owns it; whose rights it has with S"},
	[GROUPNAME] = {"groupname", MW_SQL_TEXT, 0, "Its group; whose rights it has with G"},
	[PERMISSIONS] = {"permissions", MW_SQL_TEXT, 0, "S set-user-ID, G set-group-ID, or both"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

enum {
	DEPTH = 16,
	ENTRIES = 1 << 18,
};

struct found {
	const struct mw_sql_place *place;
	struct mw_rows *rows;
};

static void add_name(struct mw_rows *rows, unsigned column, const char *name, unsigned id)
{
	char number[16];
	(void)snprintf(number, sizeof(number), "%u", id);
	mw_rows_string(rows, column, *name ? name : number);
}

static int add_program(struct mw_sql_walk *walk, int dirfd, const char *path, const char *name, const struct stat *st)
{
	const struct found *found = walk->data;
	struct mw_rows *rows = found->rows;
	struct mw_users *users = found->place->users;
	(void)dirfd;
	(void)name;
	int r = st->st_mode & (S_ISUID | S_ISGID) ? mw_rows_add(rows) : 0;
	if (r < 0 || !(st->st_mode & (S_ISUID | S_ISGID)))
		return r;
	mw_rows_string(rows, PATH, path);
	add_name(rows, USERNAME, users ? mw_users_name(users, st->st_uid) : "", st->st_uid);
	add_name(rows, GROUPNAME, users ? mw_users_group(users, st->st_gid) : "", st->st_gid);
	const char *both = st->st_mode & S_ISGID ? "SG" : "S";
	mw_rows_string(rows, PERMISSIONS, st->st_mode & S_ISUID ? both : "G");
	mw_rows_int(rows, PID_WITH_NAMESPACE, found->place->pid);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	/* As osquery; where /bin is a link to /usr/bin, both names are told. */
	static const char *const folders[] = {"/bin",           "/sbin",           "/usr/bin", "/usr/sbin",
					      "/usr/local/bin", "/usr/local/sbin", "/tmp"};
	struct mw_sql_place place;
	struct found found = {.place = &place, .rows = rows};
	struct mw_sql_walk walk = {.file = add_program, .data = &found, .depth_limit = DEPTH, .entries_left = ENTRIES};
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	for (size_t i = 0; r == 0 && i < sizeof(folders) / sizeof(*folders); i++) {
		int fd = mw_sql_open_at(&place, folders[i], O_RDONLY | O_DIRECTORY);
		r = fd < 0 ? 0 : mw_sql_walk(&walk, fd, folders[i]);
	}
	if (walk.entries_left == 0)
		mw_sql_warn(scan->world, "suid_bin: only the first %d files are looked at", ENTRIES);
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_suid_bin = {
	.name = "suid_bin",
	.doc = "Programs that run with the rights of their owner or group.",
	.source = "/bin, /sbin, /usr/bin, /usr/sbin, /usr/local/bin, /usr/local/sbin, /tmp",
	.example = "SELECT path, username, permissions FROM suid_bin WHERE path LIKE '/tmp/%'",
	.columns = columns,
	.fill = fill,
};

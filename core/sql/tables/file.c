/* Files as they are now. */

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/limits.h"
#include "sql/paths.h"
#include "sql/rows.h"
#include "sql/table.h"

enum {
	PATH,
	DIRECTORY,
	FILENAME,
	INODE,
	UID,
	GID,
	MODE,
	DEVICE,
	SIZE,
	BLOCK_SIZE,
	ATIME,
	MTIME,
	CTIME,
	BTIME,
	HARD_LINKS,
	SYMLINK,
	TYPE,
	SYMLINK_TARGET_PATH,
	ATTRIBUTES,
	VOLUME_SERIAL,
	FILE_ID,
	FILE_VERSION,
	PRODUCT_VERSION,
	ORIGINAL_FILENAME,
	SHORTCUT_TARGET_PATH,
	SHORTCUT_TARGET_TYPE,
	SHORTCUT_TARGET_LOCATION,
	SHORTCUT_START_IN,
	SHORTCUT_RUN,
	SHORTCUT_COMMENT,
	BSD_FLAGS,
	PID_WITH_NAMESPACE,
	MOUNT_NAMESPACE_ID,
};

enum {
	BATCH = 64, /* rows at a time */
};

static const struct mw_sql_column columns[] = {
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_REQUIRED | MW_SQL_LIKE | MW_SQL_SET,
		  "Path; with LIKE, % is any part of one name, %% at the end all below"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_REQUIRED | MW_SQL_ADDITIONAL | MW_SQL_LIKE | MW_SQL_SET,
		       "Folder it is in"},
	[FILENAME] = {"filename", MW_SQL_TEXT, 0, "Name in that folder"},
	[INODE] = {"inode", MW_SQL_BIGINT, 0, "Inode"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Owner"},
	[GID] = {"gid", MW_SQL_BIGINT, 0, "Group"},
	[MODE] = {"mode", MW_SQL_TEXT, 0, "Permission bits, octal"},
	[DEVICE] = {"device", MW_SQL_BIGINT, 0, "Of a device file: which device it is"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Bytes"},
	[BLOCK_SIZE] = {"block_size", MW_SQL_INTEGER, 0, "Block size of its file system"},
	[ATIME] = {"atime", MW_SQL_BIGINT, 0, "Last access, in seconds since 1970"},
	[MTIME] = {"mtime", MW_SQL_BIGINT, 0, "Last change of contents, likewise"},
	[CTIME] = {"ctime", MW_SQL_BIGINT, 0, "Last change of the inode, likewise"},
	[BTIME] = {"btime", MW_SQL_BIGINT, 0, "When it was made, likewise; NULL where the file system does not say"},
	[HARD_LINKS] = {"hard_links", MW_SQL_INTEGER, 0, "Names it has"},
	[SYMLINK] = {"symlink", MW_SQL_INTEGER, 0,
		     "1 when the path is a symbolic link; the rest is of what it leads to"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "regular, directory, symlink (to nothing), block, character, fifo, socket"},
	[SYMLINK_TARGET_PATH] = {"symlink_target_path", MW_SQL_TEXT, 0, "Where a symbolic link leads to, in the end"},
	[ATTRIBUTES] = {"attributes", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[VOLUME_SERIAL] = {"volume_serial", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[FILE_ID] = {"file_id", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[FILE_VERSION] = {"file_version", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only", "version"},
	[PRODUCT_VERSION] = {"product_version", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only", "version"},
	[ORIGINAL_FILENAME] = {"original_filename", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[SHORTCUT_TARGET_PATH] = {"shortcut_target_path", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[SHORTCUT_TARGET_TYPE] = {"shortcut_target_type", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[SHORTCUT_TARGET_LOCATION] = {"shortcut_target_location", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[SHORTCUT_START_IN] = {"shortcut_start_in", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[SHORTCUT_RUN] = {"shortcut_run", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[SHORTCUT_COMMENT] = {"shortcut_comment", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[BSD_FLAGS] = {"bsd_flags", MW_SQL_TEXT, MW_SQL_FOREIGN, "macOS only"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"Not supported: always 0"},
	[MOUNT_NAMESPACE_ID] = {"mount_namespace_id", MW_SQL_TEXT, MW_SQL_HIDDEN, "Not known: empty"},
	{0},
};

static const char *type_of(mode_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "regular";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFBLK:
		return "block";
	case S_IFCHR:
		return "character";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	default:
		return "unknown";
	}
}

static void add_link(struct mw_rows *rows, const char *path)
{
	char target[PATH_MAX];
	if (realpath(path, target))
		mw_rows_string(rows, SYMLINK_TARGET_PATH, target);
}

static int add_file(struct mw_rows *rows, const char *path)
{
	struct statx file;
	struct statx target;
	if (statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &file) < 0)
		return 0;
	bool is_link = S_ISLNK(file.stx_mode);
	if (is_link && statx(AT_FDCWD, path, 0, STATX_BASIC_STATS | STATX_BTIME, &target) == 0)
		file = target;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	char mode[8];
	size_t folder = mw_sql_paths_folder(path);
	(void)snprintf(mode, sizeof(mode), "%04o", file.stx_mode & 07777u);
	mw_rows_string(rows, PATH, path);
	mw_rows_int(rows, PID_WITH_NAMESPACE, 0);
	mw_rows_text(rows, DIRECTORY, path, folder);
	mw_rows_string(rows, FILENAME, path + folder + (folder > 1));
	mw_rows_int(rows, INODE, (int64_t)file.stx_ino);
	mw_rows_int(rows, UID, file.stx_uid);
	mw_rows_int(rows, GID, file.stx_gid);
	mw_rows_string(rows, MODE, mode);
	mw_rows_int(rows, DEVICE, (int64_t)makedev(file.stx_rdev_major, file.stx_rdev_minor));
	mw_rows_int(rows, SIZE, (int64_t)file.stx_size);
	mw_rows_int(rows, BLOCK_SIZE, file.stx_blksize);
	mw_rows_int(rows, ATIME, file.stx_atime.tv_sec);
	mw_rows_int(rows, MTIME, file.stx_mtime.tv_sec);
	mw_rows_int(rows, CTIME, file.stx_ctime.tv_sec);
	if (file.stx_mask & STATX_BTIME)
		mw_rows_int(rows, BTIME, file.stx_btime.tv_sec);
	mw_rows_int(rows, HARD_LINKS, file.stx_nlink);
	mw_rows_int(rows, SYMLINK, is_link);
	mw_rows_string(rows, TYPE, type_of(file.stx_mode));
	if (is_link)
		add_link(rows, path);
	return 0;
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	struct mw_sql_paths *paths = NULL;
	(void)err;
	int r = mw_sql_paths_open(scan, PATH, DIRECTORY, &paths);
	*ret_state = paths;
	return r;
}

static int next(void *state, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	int r = 0;
	(void)scan;
	(void)err;
	for (const char *path; rows->count < BATCH && (r = mw_sql_paths_next(state, &path)) > 0;)
		if ((r = add_file(rows, path)) < 0)
			break;
	return r < 0 ? r : 0;
}

static void close_scan(void *state)
{
	mw_sql_paths_close(state);
}

const struct mw_sql_table mw_table_file = {
	.name = "file",
	.doc = "Files and folders, by path or by the folder they are in.",
	.source = "file system",
	.example = "SELECT path, mode, uid FROM file WHERE path LIKE '/usr/bin/%' AND mode LIKE '4%'",
	.columns = columns,
	.open = open_scan,
	.next = next,
	.close = close_scan,
};

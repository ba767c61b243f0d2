#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/statfs.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	DEVICE,
	DEVICE_ALIAS,
	PATH,
	TYPE,
	BLOCKS_SIZE,
	BLOCKS,
	BLOCKS_FREE,
	BLOCKS_AVAILABLE,
	INODES,
	INODES_FREE,
	FLAGS,
};

static const struct mw_sql_column columns[] = {
	[DEVICE] = {"device", MW_SQL_TEXT, 0, "What is mounted"},
	[DEVICE_ALIAS] = {"device_alias", MW_SQL_TEXT, 0, "The same without symbolic links"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Where"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "Type of file system"},
	[BLOCKS_SIZE] = {"blocks_size", MW_SQL_BIGINT, 0,
			 "Bytes of a block; NULL, as the following, when the file system does not answer"},
	[BLOCKS] = {"blocks", MW_SQL_BIGINT, 0, "Blocks it has"},
	[BLOCKS_FREE] = {"blocks_free", MW_SQL_BIGINT, 0, "Blocks nobody uses"},
	[BLOCKS_AVAILABLE] = {"blocks_available", MW_SQL_BIGINT, 0, "Blocks that users other than root may have"},
	[INODES] = {"inodes", MW_SQL_BIGINT, 0, "Files it can hold"},
	[INODES_FREE] = {"inodes_free", MW_SQL_BIGINT, 0, "Files it can hold besides those it has"},
	[FLAGS] = {"flags", MW_SQL_TEXT, 0, "Options, with commas between"},
	{0},
};

enum {
	MOUNTS = 8192,
	/* For all mounts whose server may not answer. */
	DEADLINE_MS = 500,
};

struct line {
	char *device, *path, *type, *flags;
};

/* "\040" is a blank: proc_pid_mounts(5). */
static char *unescape(char *text)
{
	char *to = text;
	for (const char *from = text; *from;) {
		bool is_octal = *from == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' && from[2] <= '7' &&
				from[3] >= '0' && from[3] <= '7';
		if (is_octal)
			*to++ = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + from[3] - '0');
		else
			*to++ = *from;
		from += is_octal ? 4 : 1;
	}
	*to = '\0';
	return text;
}

static size_t parse(struct mw_sql_lines *text, struct line *lines, struct mw_statfs *mounts)
{
	size_t count = 0;
	for (char *at; count < MOUNTS && (at = mw_sql_next_line(text));) {
		struct line line = {.device = mw_sql_word(&at)};
		line.path = mw_sql_word(&at);
		line.type = mw_sql_word(&at);
		line.flags = mw_sql_word(&at);
		if (!line.flags)
			continue;
		lines[count] =
			(struct line){unescape(line.device), unescape(line.path), line.type, unescape(line.flags)};
		mounts[count] = (struct mw_statfs){.path = line.path, .type = line.type};
		count++;
	}
	return count;
}

static void add_space(const struct statvfs *space, struct mw_rows *rows)
{
	mw_rows_int(rows, BLOCKS_SIZE, (int64_t)space->f_bsize);
	mw_rows_int(rows, BLOCKS, (int64_t)space->f_blocks);
	mw_rows_int(rows, BLOCKS_FREE, (int64_t)space->f_bfree);
	mw_rows_int(rows, BLOCKS_AVAILABLE, (int64_t)space->f_bavail);
	mw_rows_int(rows, INODES, (int64_t)space->f_files);
	mw_rows_int(rows, INODES_FREE, (int64_t)space->f_ffree);
}

static int add_mount(const struct line *line, const struct mw_statfs *mount, struct mw_rows *rows)
{
	char alias[PATH_MAX];
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	bool is_device = strncmp(line->device, "/dev/", 5) == 0;
	mw_rows_string(rows, DEVICE, line->device);
	mw_rows_string(rows, DEVICE_ALIAS, is_device && realpath(line->device, alias) ? alias : line->device);
	mw_rows_string(rows, PATH, line->path);
	mw_rows_string(rows, TYPE, line->type);
	mw_rows_string(rows, FLAGS, line->flags);
	if (mount->is_known)
		add_space(&mount->space, rows);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	MW_AUTO_FREE struct line *lines = calloc(MOUNTS, sizeof(*lines));
	MW_AUTO_FREE struct mw_statfs *mounts = calloc(MOUNTS, sizeof(*mounts));
	MW_AUTO(mw_sql_lines) text;
	(void)err;
	(void)mw_sql_lines_at(&text, scan->world->procfd, "self/mounts");
	if (!lines || !mounts)
		return -ENOMEM;
	size_t count = parse(&text, lines, mounts);
	bool is_space_wanted = false;
	for (unsigned column = BLOCKS_SIZE; column <= INODES_FREE; column++)
		is_space_wanted |= mw_sql_wants(scan, column);
	if (is_space_wanted && !mw_statfs(mounts, count, DEADLINE_MS))
		mw_sql_warn(scan->world, "mounts: a file system does not answer; how full it is stays unknown");
	int r = 0;
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_mount(&lines[i], &mounts[i], rows);
	return r;
}

const struct mw_sql_table mw_table_mounts = {
	.name = "mounts",
	.doc = "File systems mounted in this container.",
	.source = "/proc/self/mounts, statvfs(3)",
	.example =
		"SELECT path, type, blocks_available * blocks_size AS free FROM mounts WHERE type NOT IN ('proc', 'sysfs')",
	.columns = columns,
	.fill = fill,
};

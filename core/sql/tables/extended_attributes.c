#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/capability_text.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PATH,
	DIRECTORY,
	KEY,
	VALUE,
	BASE64,
};

static const struct mw_sql_column columns[] = {
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_REQUIRED, "File; this or directory must be given"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_REQUIRED, "Folder, all of whose files are meant"},
	[KEY] = {"key", MW_SQL_TEXT, 0, "Name of the attribute"},
	[VALUE] = {"value", MW_SQL_TEXT, 0,
		   "Its value; capabilities of a file as text, what is not printable in base64"},
	[BASE64] = {"base64", MW_SQL_INTEGER, 0, "1 when the value is in base64"},
	{0},
};

enum {
	NAMES_BYTES = 64 << 10, /* XATTR_LIST_MAX of linux/limits.h, and XATTR_SIZE_MAX */
	VALUE_BYTES = 64 << 10,
};

static bool is_printable(const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return true;
}

static void add_value(struct mw_rows *rows, const char *name, const char *value, size_t bytes)
{
	MW_AUTO(mw_buf) text = MW_BUF(2 * VALUE_BYTES);
	if (strcmp(name, "security.capability") == 0 && mw_capability_text(value, bytes, &text)) {
		mw_rows_text(rows, VALUE, text.data ? text.data : "", text.size);
		mw_rows_int(rows, BASE64, 0);
		return;
	}
	/* A text may come with its NUL. */
	size_t length = bytes && value[bytes - 1] == '\0' ? bytes - 1 : bytes;
	bool is_text = bytes && is_printable(value, length);
	mw_rows_int(rows, BASE64, !is_text);
	if (!is_text)
		mw_base64_encode(value, bytes, &text);
	if (is_text)
		mw_rows_text(rows, VALUE, value, length);
	else
		mw_rows_text(rows, VALUE, text.data ? text.data : "", text.size);
}

static int add_path(const struct mw_sql_place *place, const char *path, struct mw_rows *rows)
{
	char link[32];
	MW_AUTO_FREE char *names = malloc(NAMES_BYTES);
	MW_AUTO_FREE char *value = malloc(VALUE_BYTES);
	MW_AUTO_FD fd = mw_sql_open_at(place, path, O_PATH);
	if (!names || !value || fd < 0)
		return names && value ? 0 : -ENOMEM;
	/* Of a file that is not opened for reading, they are asked for by name only. */
	(void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	ssize_t size = listxattr(link, names, NAMES_BYTES);
	const char *slash = strrchr(path, '/');
	size_t folder = slash && slash > path ? (size_t)(slash - path) : slash != NULL;
	for (ssize_t at = 0; at < size;) {
		const char *name = names + at;
		ssize_t bytes = getxattr(link, name, value, VALUE_BYTES);
		at += (ssize_t)strlen(name) + 1;
		int r = bytes < 0 ? 0 : mw_rows_add(rows);
		if (r < 0)
			return r;
		if (bytes < 0)
			continue;
		mw_rows_string(rows, PATH, path);
		mw_rows_text(rows, DIRECTORY, path, folder);
		mw_rows_string(rows, KEY, name);
		add_value(rows, name, value, (size_t)bytes);
	}
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	const struct mw_sql_constraint *path = mw_sql_equal(scan, PATH);
	const struct mw_sql_constraint *folder = mw_sql_equal(scan, DIRECTORY);
	struct mw_sql_place place;
	MW_AUTO(mw_sql_names) names = {0};
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	if (r < 0 || path)
		return r < 0 ? r : add_path(&place, path->text, rows);
	if (folder)
		(void)mw_sql_names_init(&names, &place, folder->text);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char file[MW_PATH_BYTES];
		if (mw_sql_join(file, folder->text, names.name[i]))
			r = add_path(&place, file, rows);
	}
	return r;
}

const struct mw_sql_table mw_table_extended_attributes = {
	.name = "extended_attributes",
	.doc = "What is kept beside files: capabilities, labels, attributes of users.",
	.source = "listxattr(2), getxattr(2)",
	.example = "SELECT key, value FROM extended_attributes WHERE path = '/usr/bin/ping'",
	.columns = columns,
	.fill = fill,
};

#include "sql/systemd_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"

enum {
	WANTED_BYTES = 1 << 20,
};

/* A file in an earlier one hides those of the same name. */
static const char *const folders[] = {"/etc/systemd/system", "/run/systemd/system", "/usr/local/lib/systemd/system",
				      "/usr/lib/systemd/system", "/lib/systemd/system"};

static bool is_unit(const char *name)
{
	static const char *const ends[] = {".service", ".socket", ".timer", ".target", ".path", ".mount"};
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		if (mw_sql_ends(name, ends[i]))
			return true;
	return false;
}

/* Names in all folders "….wants" and "….requires" of /etc, with newlines around. */
static void read_wanted(const struct mw_sql_place *place, struct mw_buf *wanted)
{
	MW_AUTO(mw_sql_names) names;
	(void)mw_sql_names_init(&names, place, folders[0]);
	mw_buf_char(wanted, '\n');
	for (size_t i = 0; i < names.count; i++) {
		MW_AUTO(mw_sql_names) units = {0};
		char path[MW_PATH_BYTES];
		bool is_list = mw_sql_ends(names.name[i], ".wants") || mw_sql_ends(names.name[i], ".requires");
		if (is_list && mw_sql_join(path, folders[0], names.name[i]))
			(void)mw_sql_names_init(&units, place, path);
		for (size_t k = 0; k < units.count; k++)
			mw_buf_printf(wanted, "%s\n", units.name[k]);
	}
}

static bool is_wanted(const struct mw_buf *wanted, const char *name)
{
	size_t length = strlen(name);
	for (const char *at = wanted->data; at && (at = strstr(at, name)); at += length)
		if (at[-1] == '\n' && at[length] == '\n')
			return true;
	return false;
}

/* Whether it is found in one of the first `count` folders. */
static bool is_hidden(const struct mw_sql_place *place, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++) {
		char path[MW_PATH_BYTES];
		MW_AUTO_FD fd = mw_sql_join(path, folders[i], name) ? mw_sql_open_at(place, path, O_PATH | O_NOFOLLOW)
								    : -ENOENT;
		if (fd >= 0)
			return true;
	}
	return false;
}

/* "/dev/null", or empty. */
static bool is_masked(const struct mw_sql_place *place, const char *path)
{
	char target[16];
	MW_AUTO_FD fd = mw_sql_open_at(place, path, O_PATH | O_NOFOLLOW);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0)
		return false;
	if (S_ISREG(st.st_mode))
		return st.st_size == 0;
	ssize_t n = readlinkat(fd, "", target, sizeof(target));
	return n == 9 && memcmp(target, "/dev/null", 9) == 0;
}

static int tell(const struct mw_sql_place *place, const struct mw_buf *wanted, const char *path, const char *name,
		mw_systemd_each *each, void *data)
{
	struct mw_systemd_file unit = {.name = name, .path = path, .args = "", .user = "", .status = "masked"};
	MW_AUTO(mw_sql_lines) lines = {0};
	if (is_masked(place, path))
		return each(data, &unit);
	bool has_install = false;
	(void)mw_sql_lines_init(&lines, place, path);
	for (char *line; (line = mw_sql_next_line(&lines));) {
		char *key;
		char *value;
		has_install |= strcmp(line, "[Install]") == 0;
		if (*line == '[' || *line == '#' || !mw_sql_cut(line, '=', &key, &value))
			continue;
		if (strcmp(key, "User") == 0)
			unit.user = value;
		else if (strcmp(key, "ExecStart") == 0 && !*unit.args)
			unit.args = value;
	}
	unit.status = is_wanted(wanted, name) ? "enabled" : has_install ? "disabled" : "static";
	return each(data, &unit);
}

int mw_systemd_files(const struct mw_sql_place *place, mw_systemd_each *each, void *data)
{
	MW_AUTO(mw_buf) wanted = MW_BUF(WANTED_BYTES);
	int r = 0;
	read_wanted(place, &wanted);
	for (size_t i = 0; r == 0 && i < sizeof(folders) / sizeof(*folders); i++) {
		MW_AUTO(mw_sql_names) names;
		(void)mw_sql_names_init(&names, place, folders[i]);
		for (size_t k = 0; r == 0 && k < names.count; k++) {
			char path[MW_PATH_BYTES];
			if (is_unit(names.name[k]) && !is_hidden(place, i, names.name[k]) &&
			    mw_sql_join(path, folders[i], names.name[k]))
				r = tell(place, &wanted, path, names.name[k], each, data);
		}
	}
	return r;
}

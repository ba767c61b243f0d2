#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"
#include "sql/sysctl_config.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	NAME,
	OID,
	SUBSYSTEM,
	CURRENT_VALUE,
	CONFIG_VALUE,
	TYPE,
	FIELD_NAME,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, MW_SQL_INDEX, "Name, as sysctl(8) has it"},
	[OID] = {"oid", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "Always NULL: Linux has no numbers for them any more"},
	[SUBSYSTEM] = {"subsystem", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "First part of the name"},
	[CURRENT_VALUE] = {"current_value", MW_SQL_TEXT, 0, "What holds; NULL for what cannot be read, or is a key"},
	[CONFIG_VALUE] = {"config_value", MW_SQL_TEXT, 0, "What sysctl.conf(5) asks for"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "Always string"},
	[FIELD_NAME] = {"field_name", MW_SQL_TEXT, MW_SQL_FOREIGN, "macOS only"},
	{0},
};

enum {
	DEPTH = 10,
	CONTROLS = 32768,
	VALUE_BYTES = 4096,
};

struct walk {
	const struct mw_sql_scan *scan;
	struct mw_rows *rows;
	const struct mw_sysctl_config *config;
	dev_t device;
	unsigned count;
};

/* In a name the parts are joined by dots, and a dot in a part, as of a network interface, is a slash. */
static void swap(char *text)
{
	for (; *text; text++)
		*text = *text == '/' ? '.' : *text == '.' ? '/' : *text;
}

static bool is_key(const char *name)
{
	const char *last = strrchr(name, '.');
	return last && (strcmp(last, ".stable_secret") == 0 || strstr(last, "fastopen_key"));
}

/* `path` is below /proc/sys; `name` is where its last part begins in the folder `dirfd`. */
static int add_control(struct walk *walk, int dirfd, const char *path, const char *last)
{
	char name[MW_PATH_BYTES];
	struct mw_rows *rows = walk->rows;
	int r = walk->count++ < CONTROLS ? mw_rows_add(rows) : -ENOBUFS;
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "%s", path);
	swap(name);
	mw_rows_string(rows, NAME, name);
	mw_rows_text(rows, SUBSYSTEM, name, strcspn(name, "."));
	mw_rows_string(rows, TYPE, "string");
	const char *wanted = mw_sysctl_config_value(walk->config, name);
	mw_rows_string(rows, CONFIG_VALUE, wanted ? wanted : "");
	if (!mw_sql_wants(walk->scan, CURRENT_VALUE) || is_key(name))
		return 0;
	char value[VALUE_BYTES];
	MW_AUTO_FD fd = openat(dirfd, last, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
	ssize_t n = fd < 0 ? -1 : read(fd, value, sizeof(value) - 1);
	if (n >= 0) {
		value[n] = '\0';
		mw_rows_string(rows, CURRENT_VALUE, mw_sql_strip(value));
	}
	return 0;
}

static int walk_folder(struct walk *walk, int fd, char *path, unsigned depth);

/* A folder on which another file system is, or may come to be, mounted is no part of it (fs/binfmt_misc). */
static int walk_entry(struct walk *walk, int dirfd, char *path, const char *last, unsigned depth)
{
	struct stat st;
	if (fstatat(dirfd, last, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 || st.st_dev != walk->device)
		return 0;
	if (S_ISREG(st.st_mode))
		return add_control(walk, dirfd, path, last);
	if (!S_ISDIR(st.st_mode) || depth == DEPTH)
		return 0;
	int fd = openat(dirfd, last, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? 0 : walk_folder(walk, fd, path, depth + 1);
}

/* Takes `fd`. */
static int walk_folder(struct walk *walk, int fd, char *path, unsigned depth)
{
	DIR *folder = fdopendir(fd);
	size_t length = strlen(path);
	const struct dirent *entry;
	int r = 0;
	if (!folder) {
		(void)close(fd);
		return 0;
	}
	while (r == 0 && (entry = readdir(folder))) {
		int n = snprintf(path + length, MW_PATH_BYTES - length, "%s%s", length ? "/" : "", entry->d_name);
		if (entry->d_name[0] != '.' && n >= 0 && (size_t)n < MW_PATH_BYTES - length)
			r = walk_entry(walk, fd, path, entry->d_name, depth);
		path[length] = '\0';
	}
	(void)closedir(folder);
	return r;
}

static int walk_all(struct walk *walk, int sysfd)
{
	char path[MW_PATH_BYTES] = "";
	const struct mw_sql_constraint *name = mw_sql_equal(walk->scan, NAME);
	const struct mw_sql_constraint *subsystem = mw_sql_equal(walk->scan, SUBSYSTEM);
	if (mw_sql_equal(walk->scan, OID))
		return 0;
	if (!name && !subsystem) {
		int fd = openat(sysfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? 0 : walk_folder(walk, fd, path, 0);
	}
	const char *text = name ? name->text : subsystem->text;
	(void)snprintf(path, sizeof(path), "%s", text);
	swap(path);
	if (!*path || *path == '/' || strstr(path, ".."))
		return 0;
	/* The walk changes the path; SQLite drops what was not asked for. */
	char last[MW_PATH_BYTES];
	(void)snprintf(last, sizeof(last), "%s", path);
	return walk_entry(walk, sysfd, path, last, name ? DEPTH : 0);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	MW_AUTO(mw_sysctl_config) config = {0};
	struct mw_sql_place place;
	struct stat st;
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	MW_AUTO_FD sysfd = openat(scan->world->procfd, "sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0 || sysfd < 0 || fstat(sysfd, &st) < 0)
		return r;
	if (mw_sql_wants(scan, CONFIG_VALUE))
		mw_sysctl_config_read(&config, &place);
	struct walk walk = {.scan = scan, .rows = rows, .config = &config, .device = st.st_dev};
	return walk_all(&walk, sysfd);
}

const struct mw_sql_table mw_table_system_controls = {
	.name = "system_controls",
	.doc = "Settings of the kernel.  Keys the kernel keeps there are not shown.",
	.source = "/proc/sys, sysctl.conf(5)",
	.example = "SELECT name, current_value FROM system_controls WHERE name = 'kernel.yama.ptrace_scope'",
	.columns = columns,
	.fill = fill,
};

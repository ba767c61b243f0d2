#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"
#include "sql/sysctl_config.h"
#include "sql/table.h"
#include "sql/walk.h"
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

struct found {
	const struct mw_sql_scan *scan;
	struct mw_rows *rows;
	const struct mw_sysctl_config *config;
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

/* `path` is below /proc/sys. */
static int add_control(struct mw_sql_walk *walk, int dirfd, const char *path, const char *last, const struct stat *st)
{
	const struct found *found = walk->data;
	struct mw_rows *rows = found->rows;
	char name[MW_PATH_BYTES];
	(void)st;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "%s", path);
	swap(name);
	mw_rows_string(rows, NAME, name);
	mw_rows_text(rows, SUBSYSTEM, name, strcspn(name, "."));
	mw_rows_string(rows, TYPE, "string");
	const char *wanted = mw_sysctl_config_value(found->config, name);
	mw_rows_string(rows, CONFIG_VALUE, wanted ? wanted : "");
	if (!mw_sql_wants(found->scan, CURRENT_VALUE) || is_key(name))
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

/* `name = …` is one file, `subsystem = …` one folder. */
static int add_controls(struct mw_sql_walk *walk, int sysfd)
{
	const struct found *found = walk->data;
	const struct mw_sql_constraint *name = mw_sql_equal(found->scan, NAME);
	const struct mw_sql_constraint *subsystem = mw_sql_equal(found->scan, SUBSYSTEM);
	char path[MW_PATH_BYTES];
	int n = snprintf(path, sizeof(path), "%s", name ? name->text : subsystem ? subsystem->text : ".");
	if (name || subsystem)
		swap(path);
	if (n <= 0 || (size_t)n >= sizeof(path) || *path == '/' || strstr(path, ".."))
		return 0;
	struct stat st;
	if (name)
		return fstatat(sysfd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode)
			       ? 0
			       : add_control(walk, sysfd, path, path, &st);
	int fd = openat(sysfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? 0 : mw_sql_walk(walk, fd, subsystem ? path : "");
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	MW_AUTO(mw_sysctl_config) config = {0};
	struct mw_sql_place place;
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	MW_AUTO_FD sysfd = openat(scan->world->procfd, "sys", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r < 0 || sysfd < 0 || mw_sql_equal(scan, OID))
		return r;
	if (mw_sql_wants(scan, CONFIG_VALUE))
		mw_sysctl_config_read(&config, &place);
	struct found found = {.scan = scan, .rows = rows, .config = &config};
	struct mw_sql_walk walk = {.file = add_control, .data = &found, .depth_limit = DEPTH, .entries_left = CONTROLS};
	return add_controls(&walk, sysfd);
}

const struct mw_sql_table mw_table_system_controls = {
	.name = "system_controls",
	.doc = "Settings of the kernel.  Keys the kernel keeps there are not shown.",
	.source = "/proc/sys, sysctl.conf(5)",
	.example = "SELECT name, current_value FROM system_controls WHERE name = 'kernel.yama.ptrace_scope'",
	.columns = columns,
	.fill = fill,
};

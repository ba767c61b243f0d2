#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	NAME,
	VERSION,
	MAJOR,
	MINOR,
	PATCH,
	BUILD,
	PLATFORM,
	PLATFORM_LIKE,
	CODENAME,
	ARCH,
	EXTRA,
	INSTALL_DATE,
	REVISION,
	PID_WITH_NAMESPACE,
	MOUNT_NAMESPACE_ID,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the distribution"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Its version, as it names itself", "version"},
	[MAJOR] = {"major", MW_SQL_INTEGER, 0, "First number of the version"},
	[MINOR] = {"minor", MW_SQL_INTEGER, 0, "Second number"},
	[PATCH] = {"patch", MW_SQL_INTEGER, 0, "Third number"},
	[BUILD] = {"build", MW_SQL_TEXT, 0, "Build of an image-based distribution"},
	[PLATFORM] = {"platform", MW_SQL_TEXT, 0, "Short name, as `debian` or `alpine`"},
	[PLATFORM_LIKE] = {"platform_like", MW_SQL_TEXT, 0, "Short names of what it descends from"},
	[CODENAME] = {"codename", MW_SQL_TEXT, 0, "Code name of the release"},
	[ARCH] = {"arch", MW_SQL_TEXT, 0, "Architecture of the kernel"},
	[EXTRA] = {"extra", MW_SQL_TEXT, MW_SQL_FOREIGN, "macOS only"},
	[INSTALL_DATE] = {"install_date", MW_SQL_BIGINT, MW_SQL_FOREIGN, "Windows only"},
	[REVISION] = {"revision", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	[MOUNT_NAMESPACE_ID] = {"mount_namespace_id", MW_SQL_TEXT, MW_SQL_HIDDEN, "Always NULL"},
	{0},
};

static const struct {
	const char *key;
	unsigned column;
} keys[] = {
	{"NAME", NAME},
	{"DISTRIB_ID", NAME},
	{"VERSION", VERSION},
	{"DISTRIB_RELEASE", VERSION},
	{"BUILD_ID", BUILD},
	{"ID", PLATFORM},
	{"ID_LIKE", PLATFORM_LIKE},
	{"VERSION_CODENAME", CODENAME},
	{"DISTRIB_CODENAME", CODENAME},
};

/* The value of a shell assignment, os-release(5), in place. */
static const char *unquote(char *value)
{
	char quote = *value == '"' || *value == '\'' ? *value : '\0';
	char *from = value + (quote != '\0');
	char *to = value;
	for (; *from && (*from != quote || !quote); from++) {
		if (*from == '\\' && quote != '\'' && from[1])
			from++;
		*to++ = *from;
	}
	*to = '\0';
	return value;
}

static void add_numbers(struct mw_rows *rows, const char *version)
{
	for (unsigned column = MAJOR; column <= PATCH; column++) {
		char *end;
		mw_rows_int(rows, column, (int32_t)strtol(version, &end, 10));
		version = *end == '.' ? end + 1 : "";
	}
}

static bool add_file(const struct mw_sql_place *place, const char *path, struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	bool has_version = false;
	bool is_there = mw_sql_lines_init(&lines, place, path);
	for (char *line; (line = mw_sql_next_line(&lines));) {
		char *key;
		char *value;
		if (*line == '#' || !mw_sql_cut(line, '=', &key, &value))
			continue;
		const char *text = unquote(value);
		bool is_id = strcmp(key, "VERSION_ID") == 0;
		has_version |= strcmp(key, "VERSION") == 0;
		if (is_id || strcmp(key, "DISTRIB_RELEASE") == 0)
			add_numbers(rows, text);
		for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
			if (strcmp(keys[i].key, key) == 0)
				mw_rows_string(rows, keys[i].column, text);
		if (is_id && !has_version) /* Alpine has no other */
			mw_rows_string(rows, VERSION, text);
	}
	return is_there;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const files[] = {"/etc/os-release", "/usr/lib/os-release", "/etc/lsb-release"};
	struct mw_sql_place place;
	struct utsname kernel;
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	if (r == 0)
		r = mw_rows_add(rows);
	if (r == 0) {
		add_numbers(rows, "");
		for (size_t i = 0; i < sizeof(files) / sizeof(*files) && !add_file(&place, files[i], rows); i++)
			;
		if (uname(&kernel) == 0)
			mw_rows_string(rows, ARCH, kernel.machine);
		mw_rows_int(rows, PID_WITH_NAMESPACE, place.pid);
	}
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_os_version = {
	.name = "os_version",
	.doc = "The distribution of the container's image.",
	.source = "/etc/os-release, else /usr/lib/os-release, else /etc/lsb-release; uname(2)",
	.example = "SELECT name, version, platform, arch FROM os_version",
	.columns = columns,
	.fill = fill,
};

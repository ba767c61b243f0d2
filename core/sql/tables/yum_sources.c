#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	NAME,
	SOURCE,
	BASEURL,
	MIRRORLIST,
	METALINK,
	ENABLED,
	GPGCHECK,
	GPGKEY,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the repository"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "File it stands in"},
	[BASEURL] = {"baseurl", MW_SQL_TEXT, 0, "Where its packages are"},
	[MIRRORLIST] = {"mirrorlist", MW_SQL_TEXT, 0, "Where a list of mirrors is"},
	[METALINK] = {"metalink", MW_SQL_TEXT, 0, "Where a metalink file is"},
	[ENABLED] = {"enabled", MW_SQL_TEXT, 0, "1 when it is used"},
	[GPGCHECK] = {"gpgcheck", MW_SQL_TEXT, 0, "1 when signatures of packages are checked"},
	[GPGKEY] = {"gpgkey", MW_SQL_TEXT, 0, "Where the key is"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

enum {
	VALUE_BYTES = 4096,
};

/* Sections of a file: "[id]", "key=value", and lines that go on with a blank. */
static int add_file(const struct mw_sql_place *place, const char *path, struct mw_rows *rows,
		    char reposdir[VALUE_BYTES])
{
	MW_AUTO(mw_sql_lines) lines;
	bool is_main = true;
	(void)mw_sql_lines_init(&lines, place, path);
	for (char *line; (line = mw_sql_next_line(&lines));) {
		char *key;
		char *value;
		if (*line == '[') {
			is_main = strncmp(line, "[main]", 6) == 0;
			int r = is_main ? 0 : mw_rows_add(rows);
			if (r < 0)
				return r;
			if (is_main)
				continue;
			mw_rows_text(rows, NAME, line + 1, strcspn(line + 1, "]"));
			mw_rows_string(rows, SOURCE, path);
			mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
			continue;
		}
		if (strchr("#; \t", *line) || !mw_sql_cut(line, '=', &key, &value))
			continue;
		if (is_main && strcmp(key, "reposdir") == 0)
			(void)snprintf(reposdir, VALUE_BYTES, "%s", value);
		for (unsigned column = NAME; !is_main && column <= GPGKEY; column++)
			if (column != SOURCE && strcmp(columns[column].name, key) == 0)
				mw_rows_string(rows, column, value);
	}
	return 0;
}

static int add_folder(const struct mw_sql_place *place, const char *folder, struct mw_rows *rows)
{
	MW_AUTO(mw_sql_names) names;
	int r = 0;
	(void)mw_sql_names_init(&names, place, folder);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char path[MW_PATH_BYTES];
		char ignored[VALUE_BYTES];
		if (mw_sql_ends(names.name[i], ".repo") && mw_sql_join(path, folder, names.name[i]))
			r = add_file(place, path, rows, ignored);
	}
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct mw_sql_place place;
	char reposdir[VALUE_BYTES] = "/etc/yum.repos.d";
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	if (r == 0)
		r = add_file(&place, "/etc/yum.conf", rows, reposdir);
	reposdir[strcspn(reposdir, " ,\t")] = '\0'; /* the first of a list */
	if (r == 0)
		r = add_folder(&place, reposdir, rows);
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_yum_sources = {
	.name = "yum_sources",
	.doc = "Where yum and dnf get packages from.",
	.source = "/etc/yum.conf, /etc/yum.repos.d",
	.example = "SELECT name, baseurl FROM yum_sources WHERE enabled = '1' AND gpgcheck = '0'",
	.columns = columns,
	.fill = fill,
};

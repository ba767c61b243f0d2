#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	SOURCE,
	HEADER,
	RULE_DETAILS,
};

static const struct mw_sql_column columns[] = {
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "File it stands in"},
	[HEADER] = {"header", MW_SQL_TEXT, 0, "First word: a user, an alias, Defaults, include, includedir"},
	[RULE_DETAILS] = {"rule_details", MW_SQL_TEXT, 0, "The rest of the rule"},
	{0},
};

enum {
	DEPTH = 128, /* as sudo */
	FILES = 512,
};

struct reader {
	const struct mw_sql_place *place;
	struct mw_rows *rows;
	unsigned depth, files;
};

static int read_file(struct reader *reader, const char *path);

static int add(struct reader *reader, const char *path, const char *header, const char *details)
{
	int r = mw_rows_add(reader->rows);
	if (r < 0)
		return r;
	mw_rows_string(reader->rows, SOURCE, path);
	mw_rows_string(reader->rows, HEADER, header);
	mw_rows_string(reader->rows, RULE_DETAILS, details);
	return 0;
}

static int read_folder(struct reader *reader, const char *folder)
{
	MW_AUTO(mw_sql_names) names;
	int r = 0;
	(void)mw_sql_names_init(&names, reader->place, folder);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char path[MW_PATH_BYTES];
		/* sudoers(5): such names are passed over. */
		if (!strchr(names.name[i], '.') && !mw_sql_ends(names.name[i], "~") &&
		    mw_sql_join(path, folder, names.name[i]))
			r = read_file(reader, path);
	}
	return r;
}

/* "#include file", "@includedir folder": `word` is what stands behind the sign. */
static int include(struct reader *reader, const char *path, const char *word, char *what)
{
	char other[MW_PATH_BYTES];
	size_t length = strlen(what);
	if (length > 1 && *what == '"' && what[length - 1] == '"') {
		what[length - 1] = '\0';
		what++;
	}
	/* Relative to the file that includes. */
	int folder = *what == '/' ? 0 : (int)(strrchr(path, '/') - path) + 1;
	int n = snprintf(other, sizeof(other), "%.*s%s", folder, path, what);
	if (n < 0 || (size_t)n >= sizeof(other))
		return 0;
	int r = add(reader, path, word, other);
	if (r < 0)
		return r;
	return strcmp(word, "includedir") == 0 ? read_folder(reader, other) : read_file(reader, other);
}

static int take_line(struct reader *reader, const char *path, char *line)
{
	char *rest = mw_sql_strip(line);
	const char *word = mw_sql_word(&rest);
	if (!word)
		return 0;
	rest = mw_sql_strip(rest);
	bool is_sign = *word == '#' || *word == '@';
	if (is_sign && *rest && (strcmp(word + 1, "include") == 0 || strcmp(word + 1, "includedir") == 0))
		return include(reader, path, word + 1, rest);
	/* "#1000" is a user. */
	if (*word == '#' && strspn(word + 1, "0123456789") == 0)
		return 0;
	return add(reader, path, word, rest);
}

/* A backslash at its end joins a line with the next. */
static int read_file(struct reader *reader, const char *path)
{
	MW_AUTO(mw_sql_lines) lines = {0};
	MW_AUTO(mw_buf) joined = MW_BUF(MW_SCRIPT_BYTES);
	int r = 0;
	if (reader->depth == DEPTH || reader->files++ >= FILES) {
		mw_sql_warn(reader->place->world, "%s: too many files are included; left out", path);
		return 0;
	}
	reader->depth++;
	(void)mw_sql_lines_init(&lines, reader->place, path);
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));) {
		size_t length = strlen(line);
		bool goes_on = length && line[length - 1] == '\\';
		mw_buf_add(&joined, line, length - goes_on);
		if (goes_on || !joined.data)
			continue;
		r = take_line(reader, path, joined.data);
		mw_buf_clear(&joined);
	}
	if (r == 0 && joined.size)
		r = take_line(reader, path, joined.data);
	reader->depth--;
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct mw_sql_place place;
	struct reader reader = {.place = &place, .rows = rows};
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	return r < 0 ? r : read_file(&reader, "/etc/sudoers");
}

const struct mw_sql_table mw_table_sudoers = {
	.name = "sudoers",
	.doc = "Who may do what by sudo.",
	.source = "/etc/sudoers and what it includes",
	.example = "SELECT source, header, rule_details FROM sudoers WHERE rule_details LIKE '%NOPASSWD%'",
	.columns = columns,
	.fill = fill,
};

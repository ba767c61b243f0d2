/* sources.list(5), in both its formats. */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	NAME,
	SOURCE,
	BASE_URI,
	RELEASE,
	VERSION,
	MAINTAINER,
	COMPONENTS,
	ARCHITECTURES,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Address and suite"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "File it stands in"},
	[BASE_URI] = {"base_uri", MW_SQL_TEXT, 0, "Where its packages are"},
	[RELEASE] = {"release", MW_SQL_TEXT, 0,
		     "Code name of the suite; the suite itself when no list of it was fetched"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version of the distribution, from the list", "version_dpkg"},
	[MAINTAINER] = {"maintainer", MW_SQL_TEXT, 0, "Who makes it, from the list"},
	[COMPONENTS] = {"components", MW_SQL_TEXT, 0, "Parts of it that are used; with a list, those it has"},
	[ARCHITECTURES] = {"architectures", MW_SQL_TEXT, 0, "Processors it is for, from the list or the options"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

enum {
	RELEASE_LINES = 64, /* of a list, what is of interest is at its beginning */
};

struct stanza {
	char *types, *uris, *suites, *components, *architectures, *enabled;
};

static bool has_word(const char *words, const char *word)
{
	size_t length = strlen(word);
	for (const char *at = words; (at = strstr(at, word)); at += length)
		if ((at == words || strchr(" \t", at[-1])) && strchr(" \t", at[length]))
			return true;
	return false;
}

/* The file apt keeps its list in: /var/lib/apt/lists/HOST_PATH_dists_SUITE_InRelease. */
static void list_path(char out[MW_PATH_BYTES], const char *address, const char *suite, const char *end)
{
	size_t length = strlen(suite);
	bool is_flat = length && suite[length - 1] == '/';
	int n = snprintf(out, MW_PATH_BYTES, "/var/lib/apt/lists/%s_%s%.*s_%s", address, is_flat ? "" : "dists_",
			 (int)(length - is_flat), suite, end);
	for (char *at = out + strlen("/var/lib/apt/lists/"); n > 0 && n < MW_PATH_BYTES && *at; at++)
		if (*at == '/')
			*at = '_';
}

static void add_list(const struct mw_sql_place *place, const char *address, const char *suite, struct mw_rows *rows)
{
	static const struct {
		const char *key;
		unsigned column;
	} keys[] = {
		{"Codename", RELEASE},
		{"Version", VERSION},
		{"Origin", MAINTAINER},
		{"Components", COMPONENTS},
		{"Architectures", ARCHITECTURES},
	};
	static const char *const ends[] = {"InRelease", "Release"};
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		char path[MW_PATH_BYTES];
		MW_AUTO(mw_sql_lines) lines;
		list_path(path, address, suite, ends[i]);
		bool is_there = mw_sql_lines_init(&lines, place, path);
		char *line;
		for (unsigned n = 0; n < RELEASE_LINES && (line = mw_sql_next_line(&lines)); n++) {
			char *key;
			char *value;
			if (!mw_sql_cut(line, ':', &key, &value))
				continue;
			for (size_t k = 0; k < sizeof(keys) / sizeof(*keys); k++)
				if (strcmp(keys[k].key, key) == 0)
					mw_rows_string(rows, keys[k].column, value);
		}
		if (is_there)
			return;
	}
}

static int add(const struct mw_sql_place *place, const char *source, const struct stanza *stanza, const char *uri,
	       const char *suite, struct mw_rows *rows)
{
	char name[MW_PATH_BYTES];
	const char *address = strstr(uri, "://");
	size_t length = strlen(uri);
	if (!address)
		return 0;
	while (length && uri[length - 1] == '/')
		length--;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	address += strlen("://");
	int host = (int)(uri + length - address);
	(void)snprintf(name, sizeof(name), "%.*s", host > 0 ? host : 0, address);
	mw_rows_string(rows, RELEASE, suite);
	mw_rows_string(rows, COMPONENTS, stanza->components ? stanza->components : "");
	mw_rows_string(rows, ARCHITECTURES, stanza->architectures ? stanza->architectures : "");
	add_list(place, name, suite, rows);
	size_t at = strlen(name);
	(void)snprintf(name + at, sizeof(name) - at, " %s", suite);
	mw_rows_string(rows, NAME, name);
	mw_rows_string(rows, SOURCE, source);
	mw_rows_text(rows, BASE_URI, uri, length);
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	return 0;
}

/* Each address with each suite. */
static int add_stanza(const struct mw_sql_place *place, const char *source, const struct stanza *stanza,
		      struct mw_rows *rows)
{
	bool is_off = stanza->enabled && strcmp(stanza->enabled, "no") == 0;
	int r = 0;
	if (is_off || !stanza->types || !has_word(stanza->types, "deb") || !stanza->uris || !stanza->suites)
		return 0;
	char *uris = stanza->uris;
	for (const char *uri; r == 0 && (uri = mw_sql_word(&uris));) {
		char copy[MW_PATH_BYTES];
		char *suites = copy;
		int n = snprintf(copy, sizeof(copy), "%s", stanza->suites);
		for (const char *suite; n < MW_PATH_BYTES && r == 0 && (suite = mw_sql_word(&suites));)
			r = add(place, source, stanza, uri, suite, rows);
	}
	return r;
}

/* "deb [option=value …] uri suite component…" */
static int add_line(const struct mw_sql_place *place, const char *source, char *line, struct mw_rows *rows)
{
	(void)mw_sql_comment(line);
	char *rest = line;
	struct stanza stanza = {.types = mw_sql_word(&rest)};
	rest += strspn(rest, " \t");
	if (*rest == '[') {
		char *options = rest + 1;
		char *end = strchr(rest, ']');
		if (!end)
			return 0;
		*end = '\0';
		rest = end + 1;
		for (char *option; (option = mw_sql_word(&options));)
			if (strncmp(option, "arch=", 5) == 0)
				stanza.architectures = option + 5;
	}
	stanza.uris = mw_sql_word(&rest);
	stanza.suites = mw_sql_word(&rest);
	stanza.components = mw_sql_strip(rest);
	return add_stanza(place, source, &stanza, rows);
}

static char **field_of(struct stanza *stanza, const char *key)
{
	const struct {
		const char *key;
		char **field;
	} fields[] = {
		{"Types", &stanza->types},
		{"URIs", &stanza->uris},
		{"Suites", &stanza->suites},
		{"Components", &stanza->components},
		{"Architectures", &stanza->architectures},
		{"Enabled", &stanza->enabled},
	};
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (strcasecmp(fields[i].key, key) == 0)
			return fields[i].field;
	return NULL;
}

/* deb822: stanzas of "Key: value", an empty line between; what goes on begins with a blank, and is rare here. */
static int add_stanzas(const struct mw_sql_place *place, const char *source, struct mw_sql_lines *lines,
		       struct mw_rows *rows)
{
	struct stanza stanza = {0};
	int r = 0;
	for (char *line; r == 0 && (line = mw_sql_next_line(lines));) {
		char *key;
		char *value;
		if (!line[strspn(line, " \t")]) {
			r = add_stanza(place, source, &stanza, rows);
			stanza = (struct stanza){0};
		} else if (*line != '#' && *line != ' ' && *line != '\t' && mw_sql_cut(line, ':', &key, &value)) {
			char **field = field_of(&stanza, key);
			if (field)
				*field = value;
		}
	}
	return r < 0 ? r : add_stanza(place, source, &stanza, rows);
}

static int add_file(const struct mw_sql_place *place, const char *path, struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	int r = 0;
	(void)mw_sql_lines_init(&lines, place, path);
	if (mw_sql_ends(path, ".sources"))
		return add_stanzas(place, path, &lines, rows);
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));)
		r = add_line(place, path, line, rows);
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char folder[] = "/etc/apt/sources.list.d";
	struct mw_sql_place place;
	MW_AUTO(mw_sql_names) names = {0};
	(void)err;
	int r = mw_sql_place_init(&place, scan, PID_WITH_NAMESPACE);
	if (r == 0)
		r = add_file(&place, "/etc/apt/sources.list", rows);
	if (r == 0)
		(void)mw_sql_names_init(&names, &place, folder);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		char path[MW_PATH_BYTES];
		bool is_source = mw_sql_ends(names.name[i], ".list") || mw_sql_ends(names.name[i], ".sources");
		if (is_source && mw_sql_join(path, folder, names.name[i]))
			r = add_file(&place, path, rows);
	}
	mw_sql_place_release(&place);
	return r;
}

const struct mw_sql_table mw_table_apt_sources = {
	.name = "apt_sources",
	.doc = "Where apt gets packages from; binary packages, and what is switched on.",
	.source = "/etc/apt/sources.list, /etc/apt/sources.list.d, /var/lib/apt/lists",
	.example = "SELECT name, base_uri, components FROM apt_sources WHERE base_uri LIKE 'http:%'",
	.columns = columns,
	.fill = fill,
};

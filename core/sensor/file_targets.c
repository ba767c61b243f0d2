#include "sensor/file_targets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "flag/file_paths.h"
#include "sql/db.h"
#include "watch/pattern.h"

enum {
	/* Queries are asked while events wait in their queues. */
	QUERY_MS = 1000,
	QUERY_ROWS = 2000,
};

struct mw_file_targets {
	struct mw_watch_config config;
	struct mw_file_paths paths; /* holds the texts that the rest points to */
	struct mw_watch_category *categories;
	const char **patterns; /* those of each category, ended by NULL, then the excludes, likewise */
	struct {
		const char *category; /* NULL: an exclude */
		struct mw_pattern *pattern;
	} * matchers;
	size_t matcher_count;
};

struct building {
	const struct mw_file_targets_options *options;
	struct mw_file_targets *targets;
	struct mw_sql *sql;
};

static void leave_out(const struct building *building, const struct mw_file_entry *entry, const char *why)
{
	char line[MW_ERR_BYTES + 256];
	(void)snprintf(line, sizeof(line), "%s: %s: %.200s: %s; left out", mw_file_section_names[entry->section],
		       entry->category, entry->text, why);
	building->options->report(building->options->data, line);
}

static int path_column(const struct mw_sql_query *query)
{
	for (unsigned i = 0; i < mw_sql_columns(query); i++)
		if (strcmp(mw_sql_column_name(query, i), "path") == 0)
			return (int)i;
	return -1;
}

static int take_rows(struct building *building, const struct mw_file_entry *entry, struct mw_sql_query *query,
		     struct mw_err *err)
{
	int column = path_column(query);
	if (column < 0)
		return mw_err_set(err, -EINVAL, "the query has no column \"path\"");
	int r;
	while ((r = mw_sql_step(query, err)) > 0) {
		size_t bytes;
		const char *path = mw_sql_value_bytes(query, (unsigned)column, &bytes);
		if (!path || strlen(path) != bytes || !*path)
			continue;
		r = mw_file_paths_add(&building->targets->paths, MW_SECTION_FILE_PATHS, entry->category, path, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int ask(struct building *building, const struct mw_file_entry *entry, struct mw_err *err)
{
	int r = 0;
	if (!building->sql) {
		const struct mw_sql_options options = {
			.state_dir = building->options->state_dir, .time_ms = QUERY_MS, .rows = QUERY_ROWS};
		r = mw_sql_open(&options, &building->sql, err);
	}
	struct mw_sql_query *query = NULL;
	const char *rest;
	if (r == 0)
		r = mw_sql_prepare(building->sql, entry->text, strlen(entry->text), &query, &rest, err);
	if (r == 0 && !query)
		return mw_err_set(err, -EINVAL, "there is no query");
	if (r == 0)
		r = take_rows(building, entry, query, err);
	mw_sql_finish(query);
	return r;
}

static int resolve(struct building *building, struct mw_err *err)
{
	const struct mw_file_paths *paths = building->options->paths;
	for (size_t i = 0; i < paths->count; i++) {
		const struct mw_file_entry *entry = &paths->entries[i];
		struct mw_err why = {""};
		int r = 0;
		if (entry->section != MW_SECTION_FILE_PATHS_QUERY)
			r = mw_file_paths_add(&building->targets->paths, entry->section, entry->category, entry->text,
					      &why);
		else if (entry->text && (r = ask(building, entry, &why)) < 0 && r != -ENOMEM) {
			leave_out(building, entry, why.text);
			r = 0;
		}
		if (r < 0)
			return mw_err_set(err, r, "%s", why.text);
	}
	for (const char *const *exclude = building->options->excludes; exclude && *exclude; exclude++) {
		int r = mw_file_paths_add(&building->targets->paths, MW_SECTION_EXCLUDE_PATHS, "own", *exclude, err);
		if (r < 0)
			return r;
	}
	mw_file_paths_sort(&building->targets->paths);
	return 0;
}

/* Whether the entry's pattern is any good; then it is kept, compiled. */
static int compile(struct building *building, const struct mw_file_entry *entry)
{
	struct mw_file_targets *targets = building->targets;
	bool is_exclude = entry->section == MW_SECTION_EXCLUDE_PATHS;
	struct mw_pattern *pattern;
	struct mw_err err = {""};
	int r = mw_pattern_new(entry->text, is_exclude, &pattern, &err);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		leave_out(building, entry, err.text);
		return 0;
	}
	targets->matchers[targets->matcher_count].category = is_exclude ? NULL : entry->category;
	targets->matchers[targets->matcher_count++].pattern = pattern;
	return 1;
}

static int arrange(struct building *building)
{
	struct mw_file_targets *targets = building->targets;
	const struct mw_file_paths *paths = &targets->paths;
	targets->matchers = calloc(paths->count + 1, sizeof(*targets->matchers));
	targets->categories = calloc(paths->count + 1, sizeof(*targets->categories));
	targets->patterns = calloc(2 * paths->count + 2, sizeof(*targets->patterns));
	if (!targets->matchers || !targets->categories || !targets->patterns)
		return -ENOMEM;
	const char **at = targets->patterns;
	const char *category = NULL;
	size_t count = 0;
	for (size_t i = 0; i < paths->count; i++) {
		const struct mw_file_entry *entry = &paths->entries[i];
		if (entry->section != MW_SECTION_FILE_PATHS || !entry->text)
			continue;
		int r = compile(building, entry);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (!category || strcmp(category, entry->category) != 0) {
			if (category)
				at++; /* the NULL behind the last */
			category = entry->category;
			targets->categories[count++] = (struct mw_watch_category){
				.name = category,
				.patterns = at,
				.wants_access = mw_file_paths_accesses(paths, category),
			};
		}
		*at++ = entry->text;
	}
	at++;
	targets->config.excludes = at;
	for (size_t i = 0; i < paths->count; i++) {
		const struct mw_file_entry *entry = &paths->entries[i];
		int r = entry->section == MW_SECTION_EXCLUDE_PATHS && entry->text ? compile(building, entry) : 0;
		if (r < 0)
			return r;
		if (r > 0)
			*at++ = entry->text;
	}
	targets->config.categories = targets->categories;
	targets->config.category_count = count;
	return 0;
}

int mw_file_targets_new(const struct mw_file_targets_options *options, struct mw_file_targets **ret_targets,
			struct mw_err *err)
{
	struct building building = {.options = options, .targets = calloc(1, sizeof(*building.targets))};
	if (!building.targets)
		return mw_err_set(err, -ENOMEM, "out of memory");
	int r = resolve(&building, err);
	if (r == 0 && (r = arrange(&building)) < 0)
		(void)mw_err_set(err, r, "out of memory");
	mw_sql_close(building.sql);
	if (r < 0)
		mw_file_targets_free(building.targets);
	else
		*ret_targets = building.targets;
	return r;
}

void mw_file_targets_free(struct mw_file_targets *targets)
{
	if (!targets)
		return;
	for (size_t i = 0; i < targets->matcher_count; i++)
		mw_pattern_free(targets->matchers[i].pattern);
	free(targets->matchers);
	free(targets->categories);
	free(targets->patterns);
	mw_file_paths_release(&targets->paths);
	free(targets);
}

const struct mw_watch_config *mw_file_targets_config(const struct mw_file_targets *targets)
{
	return &targets->config;
}

const char *mw_file_targets_category(const struct mw_file_targets *targets, const char *path)
{
	const char *category = NULL;
	for (size_t i = 0; i < targets->matcher_count; i++) {
		if (category && targets->matchers[i].category)
			continue;
		if (mw_pattern_matches(targets->matchers[i].pattern, path)) {
			if (!targets->matchers[i].category)
				return NULL;
			category = targets->matchers[i].category;
		}
	}
	return category;
}

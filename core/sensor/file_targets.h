/* What is to be watched, as sources say it, made into a configuration of core/watch: queries are asked, patterns that are no
 * good are left out and named. */
#pragma once

#include <stdbool.h>

#include "watch/watch.h"

struct mw_err;
struct mw_file_paths;
struct mw_file_targets;

struct mw_file_targets_options {
	const struct mw_file_paths *paths; /* all sources, laid over each other */
	const char *const *excludes;       /* further ones, ended by NULL */
	const char *state_dir;             /* where tables look for the spool */
	/* A line for each pattern and query that is left out. */
	void (*report)(void *data, const char *line);
	void *data;
};

int mw_file_targets_new(const struct mw_file_targets_options *options, struct mw_file_targets **ret_targets,
			struct mw_err *err);
void mw_file_targets_free(struct mw_file_targets *targets);

const struct mw_watch_config *mw_file_targets_config(const struct mw_file_targets *targets);
/* The category of a path, NULL when it is in none, or excluded. */
const char *mw_file_targets_category(const struct mw_file_targets *targets, const char *path);

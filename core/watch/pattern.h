/* Patterns of paths, in osquery's language: `%` is any part of one name, `%%` at the end is everything below, to any depth.
 * `*` and `**` mean the same.  In exclude patterns only a whole component that is `%` or `%%` is a wildcard.
 * A pattern without a wildcard that names a directory means what is directly in it, too; as an exclude, all below it.
 * See https://osquery.readthedocs.io/en/stable/deployment/file-integrity-monitoring/ */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_err;
struct mw_pattern;

/* -EINVAL with the reason: relative, longer than PATH_MAX, `%%` in the middle, "." or "..", in /proc or /sys… */
int mw_pattern_new(const char *text, bool is_exclude, struct mw_pattern **ret_pattern, struct mw_err *err);
void mw_pattern_free(struct mw_pattern *pattern);
/* Whether the file of that absolute path is meant. */
bool mw_pattern_matches(const struct mw_pattern *pattern, const char *path);
/* Whether a directory of that path may have something below it that is meant. */
bool mw_pattern_leads_to(const struct mw_pattern *pattern, const char *directory);
/* The part before the first wildcard, which is a directory or the file itself; its links are not resolved. */
const char *mw_pattern_base(const struct mw_pattern *pattern);
/* What follows the base: "" or "/%…". */
const char *mw_pattern_rest(const struct mw_pattern *pattern);

/* Walking down a path, one name after the other: a step from the directory where the first `at` components are
 * fulfilled, to `name` in it. */
struct mw_pattern_step {
	bool is_match; /* the name is meant (excluded) */
	bool leads;    /* and below it something may be: there `at` components are fulfilled */
	bool is_all;   /* an exclude: all below it is excluded */
	unsigned at;
};
struct mw_pattern_step mw_pattern_step(const struct mw_pattern *pattern, unsigned at, const char *name, size_t size);
/* Of the directory where `at` components are fulfilled: the one name in it that goes on, or NULL when it may be any. */
const char *mw_pattern_name_at(const struct mw_pattern *pattern, unsigned at);
/* Whether a name in that directory may be meant itself. */
bool mw_pattern_may_match_at(const struct mw_pattern *pattern, unsigned at);
/* Whether that directory and all below it is meant. */
bool mw_pattern_is_deep_at(const struct mw_pattern *pattern, unsigned at);

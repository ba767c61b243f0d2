/* Patterns of paths, in osquery's language: `%` is any part of one name, `%%` at the end is everything below, to any depth.
 * `*` and `**` mean the same.  In exclude patterns only a whole component that is `%` or `%%` is a wildcard.
 * See https://osquery.readthedocs.io/en/stable/deployment/file-integrity-monitoring/ */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_err;
struct mw_pattern;

/* -EINVAL with the reason: relative, longer than PATH_MAX, `%%` in the middle, in /proc, /sys or /dev… */
int mw_pattern_new(const char *text, bool is_exclude, struct mw_pattern **ret_pattern, struct mw_err *err);
void mw_pattern_free(struct mw_pattern *pattern);
/* Whether the file of that absolute path is meant. */
bool mw_pattern_matches(const struct mw_pattern *pattern, const char *path);
/* Whether a directory of that path may have something below it that is meant. */
bool mw_pattern_leads_to(const struct mw_pattern *pattern, const char *directory);
/* The part before the first wildcard, which is a directory or the file itself; its links are not resolved. */
const char *mw_pattern_base(const struct mw_pattern *pattern);

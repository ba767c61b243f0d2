/* Packages of Alpine and its relatives: apk's database of what is installed, apk-db(5). */
#pragma once

#include "pkg/pkg.h"

struct mw_lines;

/* Below a root; nothing when there is none.  0, or what the sink's emit() returned, -ENOMEM, -ETIME. */
int mw_apk_read(int rootfd, const struct mw_package_sink *sink);

/* Records; `path` names them in packages and warnings. */
int mw_apk_parse(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink);

/* The rule files of a folder. */
#pragma once

#include <stddef.h>

struct mw_err;

struct mw_rule_files {
	char **paths;
	size_t count;
};

/* Add the *.lua files in and below the folder `path`, or the file `path` itself, sorted by name.  Names that begin with a
 * dot are left out.  -EPERM for a folder that is not trusted (mw_file_trusted; `is_own` spares the check), -E2BIG when
 * there are more than MW_RULE_FILES in all or more than MW_RULE_DEPTH levels: what was found until then stays. */
int mw_rule_files_add(struct mw_rule_files *files, const char *path, int is_own, struct mw_err *err);
void mw_rule_files_release(struct mw_rule_files *files);

/* The state folder: `--state_dir`, else what can be had (design, section 10). */
#pragma once

#include "base/limits.h"

struct mw_err;

/* For a writer: make (mode 0700) and choose the first folder that can be written to: `wanted`, then a private folder
 * "moonwatch-UID" below $TMPDIR, /tmp, /dev/shm.  A folder owned by someone else, or open to others, is not taken.
 * `out` is "" when there is none (keep all in memory).  `note` (may be NULL) gets a line when it is not `wanted`,
 * and is "" otherwise. */
void mw_state_dir_choose(const char *wanted, char out[MW_PATH_BYTES], struct mw_err *note);

/* For a reader: the first of the same list that holds a spool.  -ENOENT with all that was tried in err. */
int mw_state_dir_find(const char *wanted, char out[MW_PATH_BYTES], struct mw_err *err);

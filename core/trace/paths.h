/* Paths as a stopped thread means them, named as we see them: with its folder, its root, its mounts, and the kernel
 * itself following symbolic links and "..". */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/limits.h"

struct mw_tracee;

/* The full name of `path`, relative to `dirfd` (or AT_FDCWD), in `out`, without NUL; its length.
 * With `follows`, of what is there, a symbolic link at its end followed (when there is nothing, likewise as without);
 * otherwise of the entry itself, which need not be there: only its folder is.
 * *ret_sure: false when it could only be put together, which says nothing about symbolic links, or had to be cut. */
size_t mw_paths_resolve(const struct mw_tracee *tracee, int dirfd, const char *path, bool follows,
			char out[MW_PATH_BYTES], bool *ret_sure);

/* Is something there?  1, 0, or a negative errno: it could not be found out. */
int mw_paths_exists(const struct mw_tracee *tracee, int dirfd, const char *path);

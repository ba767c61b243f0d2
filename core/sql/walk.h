/* All regular files below a folder, of one file system, bounded.  Links are not followed; where something is mounted, or would
 * be mounted by looking (autofs), is not entered. */
#pragma once

#include <stdbool.h>
#include <sys/stat.h>

#include "base/limits.h"

struct mw_sql_walk;

/* 0, or -errno to end it.  `path` goes on from the walk's; `name`, its last part, is in the folder `dirfd`. */
typedef int mw_sql_walk_file(struct mw_sql_walk *walk, int dirfd, const char *path, const char *name,
			     const struct stat *st);

struct mw_sql_walk {
	mw_sql_walk_file *file;
	void *data;
	unsigned depth_limit;
	unsigned entries_left; /* over all walks of this struct; 0 when some were left out */
	/* of the walk itself */
	dev_t device;
	char path[MW_PATH_BYTES];
};

/* Begin at the open folder `fd`, which is taken, with this path. */
int mw_sql_walk(struct mw_sql_walk *walk, int fd, const char *path);

/* Where a walk must not go: what the kernel makes up, and what is over a network.  For walk.c alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_mounts {
	char **paths; /* sorted; where such file systems are mounted */
	size_t count;
};

/* Read /proc/self/mountinfo, proc(5): before a folder is looked at, since what a dead server exports makes us wait.  Without
 * it, the list is empty. */
void mw_mounts_read(struct mw_mounts *mounts);
void mw_mounts_release(struct mw_mounts *mounts);
bool mw_mounts_has(const struct mw_mounts *mounts, const char *path);

/* The same by the type that statfs(2) tells: of `fd`, a folder on another device than the one above. */
bool mw_mounts_is_foreign(int fd);

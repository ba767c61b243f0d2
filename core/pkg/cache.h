/* What walks remember, as bytes that the next program reads: packages.cache in the state folder.
 *
 * Numbers are as this machine has them: the file never leaves it.  Whoever reads it takes what is there for what some walk saw, and
 * looks at each folder and file again before it is used, as after a walk of its own. */
#pragma once

#include <stddef.h>

struct mw_buf;
struct mw_package_walk;
struct mw_tree;

#define MW_PACKAGE_CACHE_FILE "packages.cache"

enum {
	MW_PACKAGE_CACHE_BYTES = 64 << 20,
};

/* The tree of a walk from "/", appended. */
void mw_package_cache_write(const struct mw_tree *tree, struct mw_buf *out);
/* Into an empty tree; -EPROTO for what mw_package_cache_write() never writes, with the tree empty again. */
int mw_package_cache_parse(const void *bytes, size_t n, struct mw_tree *tree);

/* Take over what was remembered of the file system `rootfd`, and give it on when a walk saw more.  Only from and to a folder that
 * is ours and that nobody else can write to, and by the same build of this program; else, and when anything is wrong, nothing
 * happens. */
void mw_package_cache_load(struct mw_package_walk *walk, const char *state_dir, int rootfd);
void mw_package_cache_save(struct mw_package_walk *walk, const char *state_dir, int rootfd);

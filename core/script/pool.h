/* Small blocks for Lua, by lists of free ones of each size: musl's malloc(3) takes two to three times as long as glibc's.
 * What was given back stays with the state, and goes with it. */
#pragma once

#include <stddef.h>

enum {
	MW_POOL_STEP_BYTES = 16,
	/* Longer ones are malloc's. */
	MW_POOL_BLOCK_BYTES = 256,
};

struct mw_pool {
	struct mw_pool_chunk *chunks;
	char *at, *end; /* what is not used yet of the first chunk */
	struct mw_pool_free *free[MW_POOL_BLOCK_BYTES / MW_POOL_STEP_BYTES];
};

/* As realloc(3), but whoever asks knows how long the block was (0 for none).  NULL when there is no memory: the old block stays. */
void *mw_pool_resize(struct mw_pool *pool, void *block, size_t had, size_t bytes);

/* `had` bytes at `block`, which may be NULL. */
void mw_pool_give(struct mw_pool *pool, void *block, size_t had);

/* All small blocks at once. */
void mw_pool_release(struct mw_pool *pool);

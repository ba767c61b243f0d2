#include "script/pool.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
	CHUNK_BYTES = 32 << 10,
};

struct mw_pool_free {
	struct mw_pool_free *next;
};

struct mw_pool_chunk {
	struct mw_pool_chunk *next;
	alignas(MW_POOL_STEP_BYTES) char bytes[];
};

#if defined(__GLIBC__)

/* glibc's own lists are as fast, and the sanitizers see each block. */
static bool is_small(size_t bytes)
{
	(void)bytes;
	return false;
}

#else

static bool is_small(size_t bytes)
{
	return bytes && bytes <= MW_POOL_BLOCK_BYTES;
}

#endif

static size_t class_of(size_t bytes)
{
	return (bytes - 1) / MW_POOL_STEP_BYTES;
}

static void *take(struct mw_pool *pool, size_t bytes)
{
	size_t class = class_of(bytes);
	struct mw_pool_free *block = pool->free[class];
	if (block) {
		pool->free[class] = block->next;
		return block;
	}
	size_t room = (class + 1) * MW_POOL_STEP_BYTES;
	if ((size_t)(pool->end - pool->at) < room) {
		struct mw_pool_chunk *chunk = malloc(CHUNK_BYTES);
		if (!chunk)
			return NULL;
		/* The rest of the one before is too short for this, not for others. */
		size_t rest = (size_t)(pool->end - pool->at);
		if (rest)
			mw_pool_give(pool, pool->at, rest);
		chunk->next = pool->chunks;
		pool->chunks = chunk;
		pool->at = chunk->bytes;
		pool->end = (char *)chunk + CHUNK_BYTES;
	}
	void *fresh = pool->at;
	pool->at += room;
	return fresh;
}

void mw_pool_give(struct mw_pool *pool, void *block, size_t had)
{
	if (!block || !is_small(had)) {
		free(block);
		return;
	}
	struct mw_pool_free *entry = block;
	entry->next = pool->free[class_of(had)];
	pool->free[class_of(had)] = entry;
}

void *mw_pool_resize(struct mw_pool *pool, void *block, size_t had, size_t bytes)
{
	bool was_small = block && is_small(had);
	bool will_be_small = is_small(bytes);
	if (was_small && will_be_small && class_of(had) == class_of(bytes))
		return block;
	if (!was_small && !will_be_small)
		return realloc(block, bytes);
	void *moved = will_be_small ? take(pool, bytes) : malloc(bytes);
	if (!moved)
		return NULL;
	if (block) {
		memcpy(moved, block, had < bytes ? had : bytes);
		mw_pool_give(pool, block, had);
	}
	return moved;
}

void mw_pool_release(struct mw_pool *pool)
{
	for (struct mw_pool_chunk *chunk = pool->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	*pool = (struct mw_pool){0};
}

/* Hashes of files that change: asked for here, computed by a thread of low priority, so that neither the application nor the
 * event path waits for a disk.
 *
 * What waits for the same file is hashed once, for the last who asked: the others' file is gone.  In a second the thread
 * reads so much and no more; what has waited too long is the asker's to give up. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "crypto/digest_cache.h"

struct mw_hash_job;
struct mw_hashes;
struct mw_loop;

enum mw_hash_state {
	MW_HASH_WAITS,
	MW_HASH_DONE,
	MW_HASH_SKIPPED, /* the file is no longer what it was asked for */
	MW_HASH_FAILED,  /* it cannot be read, or is too large */
};

/* `done(data)` is called in the loop after some jobs are no longer waiting.  The thread begins with the first
 * job. */
int mw_hashes_new(struct mw_loop *loop, void (*done)(void *data), void *data, struct mw_hashes **ret_hashes);
/* Jobs must have been let go of. */
void mw_hashes_free(struct mw_hashes *hashes);

/* Ask for the digests of the file at `path` as `key` describes it.  NULL when too many wait, or memory is exhausted. */
struct mw_hash_job *mw_hashes_ask(struct mw_hashes *hashes, const char *path, const struct mw_digest_key *key,
				  uint64_t limit, unsigned which);
/* *ret is borrowed until the job is let go of, and set with MW_HASH_DONE alone. */
enum mw_hash_state mw_hashes_state(const struct mw_hash_job *job, const struct mw_digests **ret);
/* NULL is allowed. */
void mw_hashes_let_go(struct mw_hashes *hashes, struct mw_hash_job *job);

/* Wait until no job waits, at most `ms`; meanwhile the thread does not rest. */
void mw_hashes_wait(struct mw_hashes *hashes, int ms);

/* Files hashed, and files not hashed because too many waited. */
void mw_hashes_count(const struct mw_hashes *hashes, uint64_t *ret_hashed, uint64_t *ret_refused);

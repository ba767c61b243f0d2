/* Digests of files that were read lately.  What device, inode, size and times say is the same file is not read again. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "crypto/digests.h"

struct mw_digest_cache;

/* What a file is known by. */
struct mw_digest_key {
	uint64_t device, inode, size;
	int64_t mtime_ns, ctime_ns;
};

/* NULL when memory is exhausted. */
struct mw_digest_cache *mw_digest_cache_new(void);
void mw_digest_cache_free(struct mw_digest_cache *cache);

void mw_digest_key_of(const struct stat *stat, struct mw_digest_key *ret);

/* Open the file at `path`, which must be a regular one (its last component no symbolic link), and hash it, unless it is known.
 * When `expected` is given and the file is not, or no longer, that: -ESTALE.  Changed while it was read: -ESTALE.
 * -EFBIG past `limit`; -EINVAL when it is no regular file; -errno.  *ret_read_bytes is how much was read. */
int mw_digest_cache_path(struct mw_digest_cache *cache, const char *path, const struct mw_digest_key *expected,
			 uint64_t limit, unsigned which, struct mw_digests *ret, uint64_t *ret_read_bytes);

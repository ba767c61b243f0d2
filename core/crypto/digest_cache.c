/* A file has a few places it may be remembered in, by its inode; the one used least lately is given to the next. */
#include "crypto/digest_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"

enum {
	SETS = 256,
	WAYS = 4,
};

struct place {
	struct mw_digest_key key;
	struct mw_digests digests;
	unsigned which; /* digests that are there; 0: empty */
	uint64_t used;
};

struct mw_digest_cache {
	uint64_t clock;
	struct place places[SETS][WAYS];
};

struct mw_digest_cache *mw_digest_cache_new(void)
{
	return calloc(1, sizeof(struct mw_digest_cache));
}

void mw_digest_cache_free(struct mw_digest_cache *cache)
{
	free(cache);
}

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * MW_NS_PER_S + time->tv_nsec;
}

void mw_digest_key_of(const struct stat *stat, struct mw_digest_key *ret)
{
	*ret = (struct mw_digest_key){
		.device = stat->st_dev,
		.inode = stat->st_ino,
		.size = (uint64_t)stat->st_size,
		.mtime_ns = ns_of(&stat->st_mtim),
		.ctime_ns = ns_of(&stat->st_ctim),
	};
}

static bool is_same(const struct mw_digest_key *a, const struct mw_digest_key *b)
{
	return a->inode == b->inode && a->device == b->device && a->size == b->size && a->mtime_ns == b->mtime_ns &&
	       a->ctime_ns == b->ctime_ns;
}

/* Where the file is remembered, or a place for it. */
static struct place *place_of(struct mw_digest_cache *cache, const struct mw_digest_key *key)
{
	struct place *set = cache->places[(key->inode ^ key->inode >> 8) % SETS];
	struct place *oldest = &set[0];
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].which && is_same(&set[i].key, key))
			return &set[i];
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*oldest = (struct place){.key = *key};
	return oldest;
}

static int key_of_fd(int fd, struct mw_digest_key *ret)
{
	struct stat stat;
	if (fstat(fd, &stat) < 0)
		return -errno;
	if (!S_ISREG(stat.st_mode))
		return -EINVAL;
	mw_digest_key_of(&stat, ret);
	return 0;
}

static void give(const struct place *place, unsigned which, struct mw_digests *ret)
{
	*ret = place->digests;
	if (!(which & MW_DIGEST_MD5))
		ret->md5[0] = '\0';
	if (!(which & MW_DIGEST_SHA1))
		ret->sha1[0] = '\0';
	if (!(which & MW_DIGEST_SHA256))
		ret->sha256[0] = '\0';
}

static int read_into(struct place *place, int fd, uint64_t limit, unsigned which)
{
	struct mw_digest_key after;
	int r = mw_digests_fd(fd, limit, which, &place->digests);
	if (r == 0)
		r = key_of_fd(fd, &after);
	if (r == 0 && !is_same(&place->key, &after))
		r = -ESTALE;
	place->which = r == 0 ? which : 0;
	return r;
}

int mw_digest_cache_path(struct mw_digest_cache *cache, const char *path, const struct mw_digest_key *expected,
			 uint64_t limit, unsigned which, struct mw_digests *ret, uint64_t *ret_read_bytes)
{
	*ret_read_bytes = 0;
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0)
		return -errno;
	struct mw_digest_key key;
	int r = key_of_fd(fd, &key);
	if (r < 0)
		return r;
	if (expected && !is_same(&key, expected))
		return -ESTALE;
	if (key.size > limit)
		return -EFBIG;
	struct place *place = place_of(cache, &key);
	place->used = ++cache->clock;
	if ((place->which & which) != which) {
		*ret_read_bytes = key.size;
		r = read_into(place, fd, limit, which);
		if (r < 0)
			return r;
	}
	give(place, which, ret);
	return 0;
}

#include "base/secret.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct mw_secret {
	char *bytes;
	size_t size, room;
	size_t mapped_bytes;
};

int mw_secret_new(size_t room, struct mw_secret **ret_secret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	if (room > SIZE_MAX / 2)
		return -ENOMEM;
	struct mw_secret *secret = calloc(1, sizeof(*secret));
	if (!secret)
		return -ENOMEM;
	secret->room = room;
	secret->mapped_bytes = (room + page) / page * page; /* one byte more, for the NUL */
	void *bytes = mmap(NULL, secret->mapped_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (bytes == MAP_FAILED) {
		free(secret);
		return -ENOMEM;
	}
	secret->bytes = bytes;
	/* A refusal (RLIMIT_MEMLOCK, an old kernel) is no reason not to have it; on Fargate nothing is swapped out. */
	(void)mlock2(bytes, secret->mapped_bytes, MLOCK_ONFAULT);
	(void)madvise(bytes, secret->mapped_bytes, MADV_DONTDUMP);
	*ret_secret = secret;
	return 0;
}

int mw_secret_copy(const void *bytes, size_t n, struct mw_secret **ret_secret)
{
	int r = mw_secret_new(n, ret_secret);
	return r < 0 ? r : mw_secret_add(*ret_secret, bytes, n);
}

void mw_secret_free(struct mw_secret *secret)
{
	if (!secret)
		return;
	mw_secret_cut(secret, 0);
	(void)munmap(secret->bytes, secret->mapped_bytes);
	free(secret);
}

int mw_secret_add(struct mw_secret *secret, const void *bytes, size_t n)
{
	if (n > secret->room - secret->size)
		return -ENOBUFS;
	if (n)
		memcpy(secret->bytes + secret->size, bytes, n);
	secret->size += n;
	return 0;
}

void mw_secret_cut(struct mw_secret *secret, size_t n)
{
	if (n >= secret->size)
		return;
	explicit_bzero(secret->bytes + n, secret->size - n);
	secret->size = n;
}

const char *mw_secret_bytes(const struct mw_secret *secret)
{
	return secret->bytes;
}

size_t mw_secret_size(const struct mw_secret *secret)
{
	return secret->size;
}

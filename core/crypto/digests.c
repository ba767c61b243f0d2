/* The functions of the algorithms, not those that choose one (EVP): these read no configuration, which would be that of the
 * application (OPENSSL_CONF), and bring in a few objects of the library, not all of it. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/digests.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/md5.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	CHUNK_BYTES = 256 << 10
};

struct context {
	unsigned which;
	MD5_CTX md5;
	SHA_CTX sha1;
	SHA256_CTX sha256;
};

static bool begin(struct context *context)
{
	return (!(context->which & MW_DIGEST_MD5) || MD5_Init(&context->md5) == 1) &&
	       (!(context->which & MW_DIGEST_SHA1) || SHA1_Init(&context->sha1) == 1) &&
	       (!(context->which & MW_DIGEST_SHA256) || SHA256_Init(&context->sha256) == 1);
}

static bool update(struct context *context, const void *bytes, size_t n)
{
	return (!(context->which & MW_DIGEST_MD5) || MD5_Update(&context->md5, bytes, n) == 1) &&
	       (!(context->which & MW_DIGEST_SHA1) || SHA1_Update(&context->sha1, bytes, n) == 1) &&
	       (!(context->which & MW_DIGEST_SHA256) || SHA256_Update(&context->sha256, bytes, n) == 1);
}

/* The file from its start to its end. */
static int feed(struct context *context, int fd, uint64_t limit)
{
	MW_AUTO_FREE unsigned char *chunk = malloc(CHUNK_BYTES);
	if (!chunk)
		return -ENOMEM;
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	uint64_t at = 0;
	for (;;) {
		ssize_t n = pread(fd, chunk, CHUNK_BYTES, (off_t)at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		at += (uint64_t)n;
		if (at > limit)
			return -EFBIG;
		if (!update(context, chunk, (size_t)n))
			return -EIO;
	}
}

static void to_hex(const unsigned char *digest, size_t bytes, char *out)
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < bytes; i++) {
		out[2 * i] = digits[digest[i] >> 4];
		out[2 * i + 1] = digits[digest[i] & 15];
	}
	out[2 * bytes] = '\0';
}

int mw_digests_fd(int fd, uint64_t limit, unsigned which, struct mw_digests *ret)
{
	struct context context = {.which = which};
	unsigned char md5[MD5_DIGEST_LENGTH] = {0};
	unsigned char sha1[SHA_DIGEST_LENGTH] = {0};
	unsigned char sha256[SHA256_DIGEST_LENGTH] = {0};
	if (!begin(&context))
		return -EIO;
	int r = feed(&context, fd, limit);
	if (r < 0)
		return r;
	if ((which & MW_DIGEST_MD5 && MD5_Final(md5, &context.md5) != 1) ||
	    (which & MW_DIGEST_SHA1 && SHA1_Final(sha1, &context.sha1) != 1) ||
	    (which & MW_DIGEST_SHA256 && SHA256_Final(sha256, &context.sha256) != 1))
		return -EIO;
	*ret = (struct mw_digests){0};
	if (which & MW_DIGEST_MD5)
		to_hex(md5, sizeof(md5), ret->md5);
	if (which & MW_DIGEST_SHA1)
		to_hex(sha1, sizeof(sha1), ret->sha1);
	if (which & MW_DIGEST_SHA256)
		to_hex(sha256, sizeof(sha256), ret->sha256);
	return 0;
}

/* The functions of one algorithm, not those that choose one (EVP): these read no configuration, which would be that of the
 * application (OPENSSL_CONF), and bring in a few objects of the library, not all of it. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/sha256.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	CHUNK_BYTES = 256 << 10
};

/* The file from its start to its end. */
static int feed(SHA256_CTX *context, int fd, uint64_t limit)
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
		if (SHA256_Update(context, chunk, (size_t)n) != 1)
			return -EIO;
	}
}

int mw_sha256_fd(int fd, uint64_t limit, char ret_hex[MW_SHA256_HEX_BYTES])
{
	unsigned char digest[MW_SHA256_BYTES] = {0};
	SHA256_CTX context;
	if (SHA256_Init(&context) != 1)
		return -EIO;
	int r = feed(&context, fd, limit);
	if (r < 0)
		return r;
	if (SHA256_Final(digest, &context) != 1)
		return -EIO;
	mw_sha256_hex(digest, ret_hex);
	return 0;
}

void mw_sha256_hex(const unsigned char digest[MW_SHA256_BYTES], char ret_hex[MW_SHA256_HEX_BYTES])
{
	static const char digits[] = "0123456789abcdef";
	for (size_t i = 0; i < MW_SHA256_BYTES; i++) {
		ret_hex[2 * i] = digits[digest[i] >> 4];
		ret_hex[2 * i + 1] = digits[digest[i] & 15];
	}
	ret_hex[2 * MW_SHA256_BYTES] = '\0';
}

/* These functions of libcrypto do not fail: they have no memory to get, and lengths are bounded. */
void mw_sha256(const void *bytes, size_t n, unsigned char ret_digest[MW_SHA256_BYTES])
{
	SHA256_CTX context;
	(void)SHA256_Init(&context);
	(void)SHA256_Update(&context, bytes, n);
	(void)SHA256_Final(ret_digest, &context);
	explicit_bzero(&context, sizeof(context));
}

void mw_hmac_sha256(const void *key, size_t key_bytes, const void *bytes, size_t n,
		    unsigned char ret_mac[MW_SHA256_BYTES])
{
	unsigned char block[SHA256_CBLOCK] = {0};
	SHA256_CTX context;
	if (key_bytes > sizeof(block))
		mw_sha256(key, key_bytes, block);
	else if (key_bytes)
		memcpy(block, key, key_bytes);

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36;
	(void)SHA256_Init(&context);
	(void)SHA256_Update(&context, block, sizeof(block));
	(void)SHA256_Update(&context, bytes, n);
	(void)SHA256_Final(ret_mac, &context);

	for (size_t i = 0; i < sizeof(block); i++)
		block[i] ^= 0x36 ^ 0x5C;
	(void)SHA256_Init(&context);
	(void)SHA256_Update(&context, block, sizeof(block));
	(void)SHA256_Update(&context, ret_mac, MW_SHA256_BYTES);
	(void)SHA256_Final(ret_mac, &context);
	explicit_bzero(block, sizeof(block));
	explicit_bzero(&context, sizeof(context));
}

struct mw_sha256 {
	SHA256_CTX context;
};

struct mw_sha256 *mw_sha256_new(void)
{
	struct mw_sha256 *hash = malloc(sizeof(*hash));
	if (hash && SHA256_Init(&hash->context) != 1) {
		free(hash);
		hash = NULL;
	}
	return hash;
}

void mw_sha256_free(struct mw_sha256 *hash)
{
	free(hash);
}

void mw_sha256_add(struct mw_sha256 *hash, const void *bytes, size_t n)
{
	(void)SHA256_Update(&hash->context, bytes, n);
}

void mw_sha256_end(struct mw_sha256 *hash, char ret_hex[MW_SHA256_HEX_BYTES])
{
	unsigned char digest[MW_SHA256_BYTES] = {0};
	(void)SHA256_Final(digest, &hash->context);
	mw_sha256_hex(digest, ret_hex);
}

/* SHA-256, FIPS 180-4. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
	MW_SHA256_BYTES = 32,
	/* Hex digits and their NUL. */
	MW_SHA256_HEX_BYTES = 65
};

void mw_sha256(const void *bytes, size_t n, unsigned char ret_digest[MW_SHA256_BYTES]);
void mw_sha256_hex(const unsigned char digest[MW_SHA256_BYTES], char ret_hex[MW_SHA256_HEX_BYTES]);

/* HMAC-SHA256, RFC 2104.  What the key made of the stack is wiped. */
void mw_hmac_sha256(const void *key, size_t key_bytes, const void *bytes, size_t n,
		    unsigned char ret_mac[MW_SHA256_BYTES]);

/* Hash an open file from its start; where it is read from otherwise is not changed.  -EFBIG, and nothing given, when it has
 * more than `limit` bytes; or -errno; -EIO when libcrypto fails. */
int mw_sha256_fd(int fd, uint64_t limit, char ret_hex[MW_SHA256_HEX_BYTES]);

/* Of bytes that come one after the other.  NULL when memory is exhausted, or libcrypto fails. */
struct mw_sha256;
struct mw_sha256 *mw_sha256_new(void);
void mw_sha256_free(struct mw_sha256 *hash);
void mw_sha256_add(struct mw_sha256 *hash, const void *bytes, size_t n);
void mw_sha256_end(struct mw_sha256 *hash, char ret_hex[MW_SHA256_HEX_BYTES]);

/* MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) of bytes in memory. */
#pragma once

#include <stddef.h>

enum mw_hash_kind {
	MW_HASH_MD5,
	MW_HASH_SHA1,
	MW_HASH_SHA256,
};

enum {
	/* Of the longest. */
	MW_HASH_BYTES = 32
};

/* How many bytes it has, or -EIO when libcrypto fails. */
int mw_hash(enum mw_hash_kind kind, const void *bytes, size_t size, unsigned char ret[MW_HASH_BYTES]);

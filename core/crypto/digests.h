/* MD5 (RFC 1321), SHA-1 and SHA-256 (FIPS 180-4) of files, read once for all of them. */
#pragma once

#include <stdint.h>

enum {
	MW_DIGEST_MD5 = 1,
	MW_DIGEST_SHA1 = 2,
	MW_DIGEST_SHA256 = 4,
	MW_DIGEST_ALL = 7,
};

/* Hex digits; "" for what was not asked for. */
struct mw_digests {
	char md5[33], sha1[41], sha256[65];
};

/* Hash an open file from its start; where it is read from otherwise is not changed.  -EFBIG, and nothing given, when it has
 * more than `limit` bytes; or -errno; -EIO when libcrypto fails. */
int mw_digests_fd(int fd, uint64_t limit, unsigned which, struct mw_digests *ret);

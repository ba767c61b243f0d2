/* SHA-256, FIPS 180-4. */
#pragma once

#include <stdint.h>

enum {
	/* Hex digits and their NUL. */
	MW_SHA256_HEX_BYTES = 65
};

/* Hash an open file from its start; where it is read from otherwise is not changed.  -EFBIG, and nothing given, when it has
 * more than `limit` bytes; or -errno; -EIO when libcrypto fails. */
int mw_sha256_fd(int fd, uint64_t limit, char ret_hex[MW_SHA256_HEX_BYTES]);

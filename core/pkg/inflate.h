/* What zlib packed, RFC 1950 and 1951, within bounds. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "pkg/bytes.h"

struct mw_buf;

enum mw_inflate_format {
	MW_INFLATE_RAW,  /* as in zip archives */
	MW_INFLATE_ZLIB, /* with zlib's header and sum */
	MW_INFLATE_COPY, /* not packed */
};

/* Bytes that may still be made, over all calls. */
struct mw_inflate_budget {
	uint64_t bytes;
};

/* Append what `data` holds.  -EFBIG: longer than `out` may become, and what fits is there; -ENOSPC: past the budget; -EBADMSG:
 * broken, and what came before is there; -ENOMEM. */
int mw_inflate(const struct mw_bytes *data, enum mw_inflate_format format, struct mw_inflate_budget *budget,
	       struct mw_buf *out);

/* CRC-32 as in zip archives. */
uint32_t mw_inflate_crc(const void *data, size_t n);

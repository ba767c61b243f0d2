/* Packing by zstd (RFC 8878), where the system has the library: it is loaded when it is first needed. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_zstd;

/* NULL without the library, or memory. */
struct mw_zstd *mw_zstd_new(void);
void mw_zstd_free(struct mw_zstd *zstd);
/* Pack `n` bytes; all that comes of them goes to `write`, whose negative results are passed on.  `is_last`: nothing comes after
 * them.  -EIO. */
int mw_zstd_pack(struct mw_zstd *zstd, const void *bytes, size_t n, bool is_last,
		 int (*write)(void *data, const void *bytes, size_t n), void *data);

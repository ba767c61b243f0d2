/* RFC 1952. */
#pragma once

#include <stddef.h>

struct mw_secret;

/* Pack `n` bytes.  -ENOMEM. */
int mw_gzip(const void *bytes, size_t n, struct mw_secret **ret_packed);

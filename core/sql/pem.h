/* Certificates of a PEM text, RFC 7468, one after the other. */
#pragma once

#include <stdbool.h>

struct mw_buf;

/* The next block "-----BEGIN CERTIFICATE-----" (or "TRUSTED CERTIFICATE") of *at, which goes on behind it, decoded into `der`.
 * False at the end; blocks that are broken are passed over. */
bool mw_pem_next(const char **at, struct mw_buf *der);

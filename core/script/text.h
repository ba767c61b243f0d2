/* Bytes of others, shown to people. */
#pragma once

#include <stddef.h>

struct mw_buf;

/* Append `bytes` as printable UTF-8, cut after `max_bytes` of it (with "…" then).  What could move a cursor, begin a line
 * or turn the reading direction, and what is not UTF-8, is written \xNN byte by byte. */
void mw_text_printable(struct mw_buf *out, const char *bytes, size_t n, size_t max_bytes);

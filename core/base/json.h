/* Writing JSON (RFC 8259) into a buffer.  Input bytes may be anything; output is always valid UTF-8. */
#pragma once

#include <stddef.h>

struct mw_buf;

/* A quoted string.  Control characters are escaped; a byte that is not part of well-formed UTF-8 becomes U+FFFD. */
void mw_json_string(struct mw_buf *buf, const char *bytes, size_t n);
/* Likewise, but a control character (below 0x20), and a byte that is not part of well-formed UTF-8, becomes four characters as in
 * osquery: \xHH. */
void mw_json_escaped_string(struct mw_buf *buf, const char *bytes, size_t n);

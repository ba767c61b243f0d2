/* Base64, RFC 4648 section 4. */
#pragma once

#include <stddef.h>

struct mw_buf;

/* What does not fit marks the buffer as failed. */
void mw_base64_encode(const void *bytes, size_t size, struct mw_buf *out);
/* Blanks and line breaks are skipped, padding may lack.  0, or -EINVAL with nothing added for any other character. */
int mw_base64_decode(const char *text, size_t size, struct mw_buf *out);

/* SHA-256 of a text, in hexadecimal. */
#pragma once

#include <stddef.h>

enum {
	/* With its NUL. */
	MW_DIGEST_TEXT_BYTES = 65,
};

void mw_digest_text(const char *text, size_t n, char ret_hex[MW_DIGEST_TEXT_BYTES]);

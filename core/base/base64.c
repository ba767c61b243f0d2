#include "base/base64.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void mw_base64_encode(const void *bytes, size_t size, struct mw_buf *out)
{
	const unsigned char *at = bytes;
	if (size / 3 + 1 > SIZE_MAX / 4) {
		out->failed = true;
		return;
	}
	char *to = mw_buf_reserve(out, (size + 2) / 3 * 4);
	if (!to)
		return;
	for (; size; at += 3) {
		size_t n = size < 3 ? size : 3;
		uint32_t group =
			(uint32_t)at[0] << 16 | (uint32_t)(n > 1 ? at[1] : 0) << 8 | (uint32_t)(n > 2 ? at[2] : 0);
		*to++ = digits[group >> 18];
		*to++ = digits[group >> 12 & 63];
		*to++ = digits[group >> 6 & 63];
		*to++ = digits[group & 63];
		if (n < 3)
			memset(to - (3 - n), '=', 3 - n);
		size -= n;
	}
	*to = '\0';
	out->size = (size_t)(to - out->data);
}

/* The value of a digit, or -1. */
static int value_of(char c)
{
	const char *found = c ? strchr(digits, c) : NULL;
	return found ? (int)(found - digits) : -1;
}

int mw_base64_decode(const char *text, size_t size, struct mw_buf *out)
{
	size_t start = out->size;
	uint32_t group = 0;
	unsigned count = 0; /* of digits, since the last whole byte */
	size_t i = 0;
	for (; i < size && text[i] != '='; i++) {
		if (text[i] == ' ' || text[i] == '\n' || text[i] == '\r' || text[i] == '\t')
			continue;
		int value = value_of(text[i]);
		if (value < 0)
			goto refuse;
		group = group << 6 | (uint32_t)value;
		if (++count > 1)
			mw_buf_char(out, (char)(group >> (8 - 2 * count)));
		if (count == 4)
			count = 0;
	}
	for (; i < size; i++)
		if (!strchr("= \n\r\t", text[i]) || !text[i])
			goto refuse;
	if (count != 1)
		return 0;
refuse:
	out->size = start;
	if (out->data)
		out->data[start] = '\0';
	return -EINVAL;
}

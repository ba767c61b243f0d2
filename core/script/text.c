#include "script/text.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Decode one code point.  Returns its length in bytes, 0 when this is no well-formed UTF-8 (Unicode 15, table 3-7). */
static size_t decode(const unsigned char *s, size_t n, uint32_t *ret_code)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	if (s[0] < 0x80) {
		*ret_code = s[0];
		return 1;
	}
	size_t length = s[0] >= 0xF0 ? 4 : s[0] >= 0xE0 ? 3 : 2;
	if (s[0] < 0xC2 || s[0] > 0xF4 || length > n)
		return 0;
	uint32_t code = s[0] & (0xFFu >> (length + 1));
	for (size_t i = 1; i < length; i++) {
		if ((s[i] & 0xC0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3Fu);
	}
	if (code < smallest[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
		return 0;
	*ret_code = code;
	return length;
}

/* Controls C0 and C1, and what Unicode uses to break lines, to hide and to turn the direction (UAX 9). */
static bool is_dangerous(uint32_t code)
{
	return code < 0x20 || (code >= 0x7F && code <= 0x9F) || (code >= 0x200B && code <= 0x200F) ||
	       (code >= 0x2028 && code <= 0x202E) || (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF ||
	       (code >= 0xE0000 && code <= 0xE0FFF);
}

void mw_text_printable(struct mw_buf *out, const char *bytes, size_t n, size_t max_bytes)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)bytes;
	size_t written = 0;
	for (size_t i = 0; i < n;) {
		uint32_t code;
		size_t length = decode(s + i, n - i, &code);
		bool is_escaped = length == 0 || is_dangerous(code);
		if (length == 0)
			length = 1;
		size_t need = is_escaped ? 4 * length : length;
		if (written + need > max_bytes) {
			mw_buf_str(out, "…");
			return;
		}
		if (!is_escaped)
			mw_buf_add(out, bytes + i, length);
		for (size_t k = 0; is_escaped && k < length; k++) {
			char escape[4] = {'\\', 'x', hex[s[i + k] >> 4], hex[s[i + k] & 15]};
			mw_buf_add(out, escape, sizeof(escape));
		}
		written += need;
		i += length;
	}
}

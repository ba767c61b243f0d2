#include "base/json.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* Length of the well-formed UTF-8 sequence at `s` (Unicode 15, table 3-7), or 0. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	unsigned char lead = s[0];
	if (lead < 0x80)
		return 1;
	size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (lead < 0xC2 || lead > 0xF4 || length > n)
		return 0;
	unsigned char low = lead == 0xE0 ? 0xA0 : lead == 0xF0 ? 0x90 : 0x80;
	unsigned char high = lead == 0xED ? 0x9F : lead == 0xF4 ? 0x8F : 0xBF;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	return length;
}

static void escape(struct mw_buf *buf, unsigned char c)
{
	static const char names[] = "btn\0fr"; /* \b is 8, \t 9, \n 10, \f 12, \r 13 */
	if (c == '"' || c == '\\') {
		char pair[2] = {'\\', (char)c};
		mw_buf_add(buf, pair, sizeof(pair));
	} else if (c >= 8 && c <= 13 && names[c - 8]) {
		char pair[2] = {'\\', names[c - 8]};
		mw_buf_add(buf, pair, sizeof(pair));
	} else {
		mw_buf_printf(buf, "\\u%04x", c);
	}
}

/* How many of the bytes can be copied as they are. */
static size_t plain_length(const unsigned char *s, size_t n)
{
	size_t i = 0;
	while (i < n && s[i] >= 0x20 && s[i] < 0x7F && s[i] != '"' && s[i] != '\\')
		i++;
	return i;
}

static void add_string(struct mw_buf *buf, const char *bytes, size_t n, bool is_escaped)
{
	const unsigned char *s = (const unsigned char *)bytes;
	size_t run = plain_length(s, n); /* bytes before s[i] that can be copied as they are */
	char *out = run == n ? mw_buf_reserve(buf, n + 2) : NULL;
	if (out) { /* most are plain */
		*out++ = '"';
		memcpy(out, bytes, n);
		memcpy(out + n, "\"", 2);
		buf->size += n + 2;
		return;
	}
	mw_buf_char(buf, '"');
	for (size_t i = run; i < n;) {
		if (s[i] >= 0x20 && s[i] < 0x7F && s[i] != '"' && s[i] != '\\') {
			run++;
			i++;
			continue;
		}
		size_t length = s[i] >= 0x80 ? utf8_length(s + i, n - i) : 0;
		if (length) {
			run += length;
			i += length;
			continue;
		}
		mw_buf_add(buf, bytes + i - run, run);
		run = 0;
		if (is_escaped && (s[i] >= 0x80 || s[i] < 0x20))
			mw_buf_printf(buf, "\\\\x%02X", s[i]);
		else if (s[i] >= 0x80)
			mw_buf_str(buf, "\xEF\xBF\xBD");
		else
			escape(buf, s[i]);
		i++;
	}
	if (run)
		mw_buf_add(buf, bytes + n - run, run);
	mw_buf_char(buf, '"');
}

void mw_json_string(struct mw_buf *buf, const char *bytes, size_t n)
{
	add_string(buf, bytes, n, false);
}

void mw_json_escaped_string(struct mw_buf *buf, const char *bytes, size_t n)
{
	add_string(buf, bytes, n, true);
}

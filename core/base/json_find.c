#include "base/json_find.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct reader {
	const char *at, *end;
	unsigned depth;
};

static void skip_blanks(struct reader *reader)
{
	while (reader->at < reader->end && *reader->at && strchr(" \t\r\n", *reader->at))
		reader->at++;
}

static bool take(struct reader *reader, char c)
{
	skip_blanks(reader);
	if (reader->at >= reader->end || *reader->at != c)
		return false;
	reader->at++;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits, or -1. */
static int hex4(const char *at, const char *end)
{
	int value = 0;
	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		int digit = hex_digit(at[i]);
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* After the first quote. */
static bool read_string(struct reader *reader, struct mw_json_value *value)
{
	value->type = MW_JSON_STRING;
	value->start = reader->at;
	while (reader->at < reader->end) {
		unsigned char c = (unsigned char)*reader->at++;
		if (c == '"') {
			value->size = (size_t)(reader->at - 1 - value->start);
			return true;
		}
		if (c < 0x20)
			return false;
		if (c != '\\')
			continue;
		if (reader->at == reader->end || !*reader->at || !strchr("\"\\/bfnrtu", *reader->at))
			return false;
		if (*reader->at++ == 'u') {
			if (hex4(reader->at, reader->end) < 0)
				return false;
			reader->at += 4;
		}
	}
	return false;
}

static bool read_word(struct reader *reader, struct mw_json_value *value)
{
	static const struct {
		const char *text;
		enum mw_json_type type;
	} words[] = {{"null", MW_JSON_NULL}, {"false", MW_JSON_FALSE}, {"true", MW_JSON_TRUE}};
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i].text);
		if ((size_t)(reader->end - reader->at) < n || memcmp(reader->at, words[i].text, n) != 0)
			continue;
		*value = (struct mw_json_value){words[i].type, reader->at, n};
		reader->at += n;
		return true;
	}
	return false;
}

static size_t skip_digits(struct reader *reader)
{
	const char *start = reader->at;
	while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
		reader->at++;
	return (size_t)(reader->at - start);
}

static bool read_number(struct reader *reader, struct mw_json_value *value)
{
	value->type = MW_JSON_NUMBER;
	value->start = reader->at;
	if (reader->at < reader->end && *reader->at == '-')
		reader->at++;
	if (!skip_digits(reader))
		return false;
	if (reader->at < reader->end && *reader->at == '.') {
		reader->at++;
		if (!skip_digits(reader))
			return false;
	}
	if (reader->at < reader->end && (*reader->at | 0x20) == 'e') {
		reader->at++;
		if (reader->at < reader->end && strchr("+-", *reader->at))
			reader->at++;
		if (!skip_digits(reader))
			return false;
	}
	value->size = (size_t)(reader->at - value->start);
	return true;
}

static bool read_value(struct reader *reader, struct mw_json_value *value);

/* After its bracket.  Of the outermost object, the member `name` is given, when it is asked for. */
static bool read_items(struct reader *reader, bool is_object, const char *name, struct mw_json_value *found)
{
	if (++reader->depth > MW_JSON_DEPTH)
		return false;
	char closing = is_object ? '}' : ']';
	bool is_empty = take(reader, closing);
	while (!is_empty) {
		struct mw_json_value key = {0};
		struct mw_json_value item;
		if (is_object && !(take(reader, '"') && read_string(reader, &key) && take(reader, ':')))
			return false;
		if (!read_value(reader, &item))
			return false;
		if (name && key.size == strlen(name) && memcmp(key.start, name, key.size) == 0)
			*found = item;
		if (take(reader, closing))
			break;
		if (!take(reader, ','))
			return false;
	}
	reader->depth--;
	return true;
}

// NOLINTNEXTLINE(misc-no-recursion): MW_JSON_DEPTH
static bool read_value(struct reader *reader, struct mw_json_value *value)
{
	skip_blanks(reader);
	if (reader->at >= reader->end)
		return false;
	const char *start = reader->at;
	switch (*start) {
	case '"':
		reader->at++;
		return read_string(reader, value);
	case '{':
	case '[':
		reader->at++;
		if (!read_items(reader, *start == '{', NULL, NULL))
			return false;
		value->type = *start == '{' ? MW_JSON_OBJECT : MW_JSON_ARRAY;
		value->start = start;
		value->size = (size_t)(reader->at - start);
		return true;
	case 'n':
	case 't':
	case 'f':
		return read_word(reader, value);
	default:
		return read_number(reader, value);
	}
}

int mw_json_value(const char *text, size_t n, struct mw_json_value *ret_value)
{
	struct reader reader = {.at = text, .end = text + n};
	struct mw_json_value value;
	if (!read_value(&reader, &value))
		return -EPROTO;
	skip_blanks(&reader);
	if (reader.at != reader.end)
		return -EPROTO;
	*ret_value = value;
	return 0;
}

int mw_json_member(const char *text, size_t n, const char *name, struct mw_json_value *ret_value)
{
	struct mw_json_value whole;
	struct mw_json_value found = {.start = NULL};
	int r = mw_json_value(text, n, &whole);
	if (r < 0)
		return r;
	if (whole.type != MW_JSON_OBJECT)
		return -ENOTDIR;
	struct reader reader = {.at = whole.start + 1, .end = whole.start + whole.size};
	(void)read_items(&reader, true, name, &found);
	if (!found.start)
		return -ENOENT;
	*ret_value = found;
	return 0;
}

static size_t put_utf8(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xC0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3F));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xE0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3F));
		out[2] = (char)(0x80 | (code & 0x3F));
		return 3;
	}
	out[0] = (char)(0xF0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3F));
	out[2] = (char)(0x80 | (code >> 6 & 0x3F));
	out[3] = (char)(0x80 | (code & 0x3F));
	return 4;
}

/* After "\u"; half of a pair alone becomes U+FFFD.  Each form is at least as long as what it stands for. */
static size_t unescape_unicode(const char **at, const char *end, char *out)
{
	uint32_t code = (uint32_t)hex4(*at, end);
	*at += 4;
	if (code >= 0xD800 && code < 0xDC00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
		uint32_t low = (uint32_t)hex4(*at + 2, end);
		if (low >= 0xDC00 && low < 0xE000) {
			*at += 6;
			return put_utf8(0x10000 + ((code - 0xD800) << 10 | (low - 0xDC00)), out);
		}
	}
	return put_utf8(code >= 0xD800 && code < 0xE000 ? 0xFFFD : code, out);
}

size_t mw_json_unescape(const struct mw_json_value *value, char *out)
{
	static const char named[] = "\"\\/bfnrt";
	static const char meant[] = "\"\\/\b\f\n\r\t";
	const char *at = value->start;
	const char *end = at + value->size;
	size_t n = 0;
	while (at < end) {
		if (*at != '\\') {
			out[n++] = *at++;
			continue;
		}
		const char *name = at[1] == 'u' ? NULL : strchr(named, at[1]);
		at += 2;
		if (name)
			out[n++] = meant[name - named];
		else
			n += unescape_unicode(&at, end, out + n);
	}
	return n;
}

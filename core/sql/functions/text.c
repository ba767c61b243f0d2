/* Texts: joined, cut, padded.  Characters are those of UTF-8; a byte that belongs to none counts as one. */
#include <string.h>

#include "base/cleanup.h"
#include "sql/function.h"
#include "sql/functions/values.h"

enum {
	/* Each character is looked for in all of them. */
	KEPT_BYTES = 4096
};

/* Bytes of the character at the start; 0 at the end. */
static size_t character_size(struct mw_value text)
{
	if (text.size == 0)
		return 0;
	unsigned char lead = (unsigned char)text.data[0];
	size_t size = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
	if (size > text.size || lead > 0xF4)
		return 1;
	for (size_t i = 1; i < size; i++)
		if ((text.data[i] & 0xC0) != 0x80)
			return 1;
	return size;
}

static void skip(struct mw_value *text, size_t bytes)
{
	text->data += bytes;
	text->size -= bytes;
}

static size_t characters(struct mw_value text)
{
	size_t count = 0;
	for (; text.size; count++)
		skip(&text, character_size(text));
	return count;
}

/* The first `count` characters, in bytes. */
static size_t prefix_size(struct mw_value text, size_t count)
{
	const char *start = text.data;
	for (; count && text.size; count--)
		skip(&text, character_size(text));
	return (size_t)(text.data - start);
}

static void join(sqlite3_context *context, struct mw_value separator, int count, sqlite3_value **values)
{
	MW_AUTO(mw_buf) joined = MW_BUF(MW_VALUE_BYTES);
	bool is_first = true;
	for (int i = 0; i < count; i++) {
		if (mw_is_null(values[i]))
			continue;
		struct mw_value value = mw_value_of(values[i]);
		if (!is_first)
			mw_buf_add(&joined, separator.data, separator.size);
		mw_buf_add(&joined, value.data, value.size);
		is_first = false;
	}
	mw_result_buf(context, &joined);
}

static void concat(sqlite3_context *context, int count, sqlite3_value **values)
{
	join(context, (struct mw_value){"", 0}, count, values);
}

static void concat_ws(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (count < 1)
		sqlite3_result_error(context, "concat_ws needs a separator", -1);
	else if (!mw_is_null(values[0]))
		join(context, mw_value_of(values[0]), count - 1, values + 1);
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct mw_value trim(struct mw_value text)
{
	while (text.size && is_blank(text.data[0]))
		skip(&text, 1);
	while (text.size && is_blank(text.data[text.size - 1]))
		text.size--;
	return text;
}

/* Empty parts do not count, and blanks around a part are no part of it: as osquery splits. */
static void split(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	struct mw_value separators = mw_value_of(values[1]);
	sqlite3_int64 index = sqlite3_value_int64(values[2]);
	if (separators.size == 0) {
		sqlite3_result_error(context, "split: there is no separator", -1);
		return;
	}
	bool separates[256] = {false};
	for (size_t i = 0; i < separators.size; i++)
		separates[(unsigned char)separators.data[i]] = true;
	while (text.size && index >= 0) {
		struct mw_value part = {text.data, 0};
		while (part.size < text.size && !separates[(unsigned char)text.data[part.size]])
			part.size++;
		if (part.size && index-- == 0) {
			part = trim(part);
			mw_result_bytes(context, part.data, part.size);
			return;
		}
		skip(&text, part.size < text.size ? part.size + 1 : part.size);
	}
}

static void replicate(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	sqlite3_int64 times = sqlite3_value_int64(values[1]);
	if (times < 0) {
		sqlite3_result_error(context, "replicate: less than no times", -1);
		return;
	}
	MW_AUTO(mw_buf) all = MW_BUF(MW_VALUE_BYTES);
	for (; text.size && times > 0 && !all.failed; times--)
		mw_buf_add(&all, text.data, text.size);
	mw_result_buf(context, &all);
}

static void charindex(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value wanted = mw_value_of(values[0]);
	struct mw_value text = mw_value_of(values[1]);
	sqlite3_int64 from = count > 2 ? sqlite3_value_int64(values[2]) : 1;
	size_t before = from > 1 ? (size_t)from - 1 : 0;
	struct mw_value rest = text;
	skip(&rest, prefix_size(rest, before));
	const char *found = wanted.size ? memmem(rest.data, rest.size, wanted.data, wanted.size) : NULL;
	struct mw_value behind = {text.data, found ? (size_t)(found - text.data) : 0};
	sqlite3_result_int64(context, found ? (sqlite3_int64)characters(behind) + 1 : 0);
}

static size_t count_of(sqlite3_value *value)
{
	sqlite3_int64 count = sqlite3_value_int64(value);
	return count > 0 ? (size_t)count : 0;
}

static void leftstr(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	mw_result_bytes(context, text.data, prefix_size(text, count_of(values[1])));
}

static void rightstr(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	size_t all = characters(text);
	size_t wanted = count_of(values[1]);
	if (wanted < all)
		skip(&text, prefix_size(text, all - wanted));
	mw_result_bytes(context, text.data, text.size);
}

static void reverse(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	MW_AUTO(mw_buf) reversed = MW_BUF(MW_VALUE_BYTES);
	char *end = mw_buf_reserve(&reversed, text.size);
	if (end) {
		reversed.size = text.size;
		end += text.size;
		*end = '\0';
		for (size_t size; (size = character_size(text)) > 0; skip(&text, size)) {
			end -= size;
			memcpy(end, text.data, size);
		}
	}
	mw_result_buf(context, &reversed);
}

static char to_case(char c, bool is_upper)
{
	if (is_upper)
		return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void proper(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	MW_AUTO(mw_buf) written = MW_BUF(MW_VALUE_BYTES);
	bool is_start = true;
	for (size_t i = 0; i < text.size; i++) {
		mw_buf_char(&written, to_case(text.data[i], is_start));
		is_start = is_blank(text.data[i]);
	}
	mw_result_buf(context, &written);
}

static void add_blanks(struct mw_buf *buf, size_t count)
{
	for (; count && !buf->failed; count--)
		mw_buf_char(buf, ' ');
}

/* Of the blanks that are missing, so many of two parts go in front. */
static void pad(sqlite3_context *context, int count, sqlite3_value **values, size_t in_front)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	size_t wanted = count_of(values[1]);
	size_t has = characters(text);
	size_t missing = wanted > has ? wanted - has : 0;
	size_t before = missing / 2 * in_front + (in_front == 2 ? missing % 2 : 0);
	MW_AUTO(mw_buf) padded = MW_BUF(MW_VALUE_BYTES);
	add_blanks(&padded, before);
	mw_buf_add(&padded, text.data, text.size);
	add_blanks(&padded, missing - before);
	mw_result_buf(context, &padded);
}

static void padl(sqlite3_context *context, int count, sqlite3_value **values)
{
	pad(context, count, values, 2);
}

static void padc(sqlite3_context *context, int count, sqlite3_value **values)
{
	pad(context, count, values, 1);
}

static void padr(sqlite3_context *context, int count, sqlite3_value **values)
{
	pad(context, count, values, 0);
}

static void strfilter(sqlite3_context *context, int count, sqlite3_value **values)
{
	if (mw_any_null(count, values))
		return;
	struct mw_value text = mw_value_of(values[0]);
	struct mw_value kept = mw_value_of(values[1]);
	if (kept.size > KEPT_BYTES) {
		sqlite3_result_error(context, "strfilter: too many characters to keep", -1);
		return;
	}
	MW_AUTO(mw_buf) filtered = MW_BUF(MW_VALUE_BYTES);
	for (size_t size; (size = character_size(text)) > 0; skip(&text, size)) {
		/* A character of UTF-8 is never a part of another. */
		if (memmem(kept.data, kept.size, text.data, size))
			mw_buf_add(&filtered, text.data, size);
	}
	mw_result_buf(context, &filtered);
}

static const struct mw_sql_function functions[] = {
	{"concat", "VALUE, …", 0, MW_SQL_VARIADIC, "All values in a row; NULL adds nothing.",
	 "concat('hello', NULL, ' ', 'world', 1)", "hello world1", concat},
	{"concat_ws", "SEPARATOR, VALUE, …", 0, MW_SQL_VARIADIC,
	 "The values that are not NULL, with SEPARATOR between them; NULL when that is.",
	 "concat_ws('-', 'a', NULL, 'b')", "a-b", concat_ws},
	{"split", "TEXT, SEPARATORS, INDEX", 3, 3,
	 "The part of TEXT with that INDEX (the first is 0) when it is cut at each of the characters in SEPARATORS, or NULL. "
	 "Empty parts do not count, blanks around a part are left out.",
	 "split('/usr/lib/x', '/', 1)", "lib", split},
	{"charindex", "WANTED, TEXT[, FROM]", 2, 3,
	 "Which character of TEXT WANTED begins at, searched from character FROM; the first is 1, and 0 says that it is not there.",
	 "charindex('b', 'abcb', 3)", "4", charindex},
	{"leftstr", "TEXT, COUNT", 2, 2, "The first COUNT characters.", "leftstr('moonwatch', 4)", "moon", leftstr},
	{"rightstr", "TEXT, COUNT", 2, 2, "The last COUNT characters.", "rightstr('moonwatch', 5)", "watch", rightstr},
	{"padl", "TEXT, WIDTH", 2, 2, "Blanks in front, so that there are WIDTH characters.", "padl('ab', 4)", "  ab",
	 padl},
	{"padr", "TEXT, WIDTH", 2, 2, "The same behind.", "padr('ab', 4) || '|'", "ab  |", padr},
	{"padc", "TEXT, WIDTH", 2, 2, "The same on both sides.", "padc('ab', 5) || '|'", " ab  |", padc},
	{"proper", "TEXT", 1, 1,
	 "The first letter of each word upper case, the others lower case; ASCII letters alone.",
	 "proper('hello WORLD')", "Hello World", proper},
	{"replicate", "TEXT, TIMES", 2, 2, "TEXT so many times.", "replicate('ab', 3)", "ababab", replicate},
	{"reverse", "TEXT", 1, 1, "Its characters, the last one first.", "reverse('abc')", "cba", reverse},
	{"strfilter", "TEXT, KEPT", 2, 2, "TEXT without the characters that are not in KEPT.",
	 "strfilter('a1-b2', '0123456789')", "12", strfilter},
	{0},
};

const struct mw_sql_family mw_family_text = {"Text", functions};

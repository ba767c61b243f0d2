#include "pkg/json.h"

#include <errno.h>
#include <string.h>

void mw_json_begin(struct mw_json *json, char *text, size_t bytes)
{
	*json = (struct mw_json){.at = text, .end = text + bytes, .wants_value = true};
	/* A mark of the byte order, which is not allowed but is there. */
	if (bytes >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		json->at += 3;
}

static int fail(struct mw_json *json)
{
	json->at = json->end;
	json->is_done = false;
	json->wants_value = true;
	return -EPROTO;
}

static void skip_blanks(struct mw_json *json)
{
	while (json->at < json->end &&
	       (*json->at == ' ' || *json->at == '\t' || *json->at == '\n' || *json->at == '\r'))
		json->at++;
}

static bool is_in_object(const struct mw_json *json)
{
	return json->depth && json->objects >> (json->depth - 1) & 1;
}

/* Four hex digits, or -1. */
static int hex4(const char *at, const char *end)
{
	int value = 0;
	if (end - at < 4)
		return -1;
	for (int i = 0; i < 4; i++) {
		char c = at[i];
		int digit = c >= '0' && c <= '9'   ? c - '0'
			    : c >= 'a' && c <= 'f' ? c - 'a' + 10
			    : c >= 'A' && c <= 'F' ? c - 'A' + 10
						   : -1;
		if (digit < 0)
			return -1;
		value = value << 4 | digit;
	}
	return value;
}

/* UTF-8 is never longer than the escape it was written as. */
static char *put_utf8(char *to, unsigned code)
{
	if (code < 0x80) {
		*to++ = (char)code;
		return to;
	}
	if (code < 0x800) {
		*to++ = (char)(0xc0 | code >> 6);
	} else {
		if (code < 0x10000) {
			*to++ = (char)(0xe0 | code >> 12);
		} else {
			*to++ = (char)(0xf0 | code >> 18);
			*to++ = (char)(0x80 | (code >> 12 & 0x3f));
		}
		*to++ = (char)(0x80 | (code >> 6 & 0x3f));
	}
	*to++ = (char)(0x80 | (code & 0x3f));
	return to;
}

/* What follows "\u"; *at is moved behind it. */
static int read_unicode(char **at, const char *end, char **to)
{
	int code = hex4(*at, end);
	if (code < 0)
		return -EPROTO;
	*at += 4;
	/* Two halves of a pair; a half alone is no character. */
	if (code >= 0xd800 && code < 0xdc00 && end - *at >= 6 && (*at)[0] == '\\' && (*at)[1] == 'u') {
		int low = hex4(*at + 2, end);
		if (low >= 0xdc00 && low < 0xe000) {
			code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
			*at += 6;
		}
	}
	if (code >= 0xd800 && code < 0xe000)
		code = 0xfffd;
	*to = put_utf8(*to, (unsigned)code);
	return 0;
}

/* Behind the quote; the closing one gives room for the NUL. */
static int read_string(struct mw_json *json, struct mw_json_token *token)
{
	static const char escapes[] = "\"\\/bfnrt";
	static const char meanings[] = "\"\\/\b\f\n\r\t";
	char *to = json->at;
	char *at = json->at;
	token->text = to;
	while (at < json->end && *at != '"') {
		if (*at != '\\') {
			*to++ = *at++;
			continue;
		}
		at++;
		if (at == json->end)
			return -EPROTO;
		const char *escape = *at ? strchr(escapes, *at) : NULL;
		bool is_unicode = *at++ == 'u';
		if (escape)
			*to++ = meanings[escape - escapes];
		else if (!is_unicode || read_unicode(&at, json->end, &to) < 0)
			return -EPROTO;
	}
	if (at == json->end)
		return -EPROTO;
	*to = '\0';
	token->bytes = (size_t)(to - token->text);
	json->at = at + 1;
	return 0;
}

static int read_number(struct mw_json *json, struct mw_json_token *token)
{
	char *at = json->at;
	bool is_negative = *at == '-';
	bool is_integer = true;
	int64_t value = 0;
	at += is_negative;
	if (at == json->end || *at < '0' || *at > '9')
		return -EPROTO;
	for (; at < json->end && *at && strchr("0123456789+-.eE", *at); at++) {
		if (*at < '0' || *at > '9' || __builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, *at - '0', &value))
			is_integer = false;
	}
	token->type = MW_JSON_NUMBER;
	token->number = !is_integer ? 0 : is_negative ? -value : value;
	json->at = at;
	return 0;
}

static int read_word(struct mw_json *json, struct mw_json_token *token)
{
	static const struct {
		const char *word;
		size_t bytes;
		enum mw_json_type type;
	} words[] = {{"true", 4, MW_JSON_TRUE}, {"false", 5, MW_JSON_FALSE}, {"null", 4, MW_JSON_NULL}};
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if ((size_t)(json->end - json->at) >= words[i].bytes &&
		    memcmp(json->at, words[i].word, words[i].bytes) == 0) {
			json->at += words[i].bytes;
			token->type = words[i].type;
			return 0;
		}
	}
	return -EPROTO;
}

static int open_level(struct mw_json *json, struct mw_json_token *token, bool is_object)
{
	if (json->depth >= MW_JSON_DEPTH)
		return -EPROTO;
	uint64_t bit = UINT64_C(1) << json->depth;
	json->objects = is_object ? json->objects | bit : json->objects & ~bit;
	json->depth++;
	json->at++;
	json->wants_value = !is_object;
	json->wants_more = false;
	token->type = is_object ? MW_JSON_OBJECT : MW_JSON_ARRAY;
	return 0;
}

/* A value has ended: what may follow depends on what it is in. */
static void end_value(struct mw_json *json)
{
	json->is_done = json->depth == 0;
	json->wants_value = false;
	json->wants_more = true;
}

static int read_value(struct mw_json *json, struct mw_json_token *token)
{
	int r;
	switch (*json->at) {
	case '{':
		return open_level(json, token, true);
	case '[':
		return open_level(json, token, false);
	case '"':
		json->at++;
		token->type = MW_JSON_STRING;
		r = read_string(json, token);
		break;
	case 't':
	case 'f':
	case 'n':
		r = read_word(json, token);
		break;
	default:
		r = read_number(json, token);
	}
	if (r == 0)
		end_value(json);
	return r;
}

/* A comma between values; then, in an object, a key. */
static int read_inside(struct mw_json *json, struct mw_json_token *token)
{
	bool is_object = is_in_object(json);
	if (json->wants_more) {
		if (*json->at != ',')
			return -EPROTO;
		json->at++;
		skip_blanks(json);
		if (json->at == json->end)
			return -EPROTO;
		json->wants_more = false;
	}
	if (!is_object)
		return read_value(json, token);
	if (*json->at != '"')
		return -EPROTO;
	json->at++;
	token->type = MW_JSON_KEY;
	if (read_string(json, token) < 0)
		return -EPROTO;
	skip_blanks(json);
	if (json->at == json->end || *json->at != ':')
		return -EPROTO;
	json->at++;
	json->wants_value = true;
	return 0;
}

static int read_close(struct mw_json *json, struct mw_json_token *token)
{
	if ((*json->at == '}') != is_in_object(json))
		return -EPROTO;
	json->at++;
	json->depth--;
	token->type = MW_JSON_CLOSE;
	end_value(json);
	return 0;
}

int mw_json_next(struct mw_json *json, struct mw_json_token *ret_token)
{
	struct mw_json_token token = {.type = MW_JSON_END};
	skip_blanks(json);
	if (json->at == json->end) {
		*ret_token = token;
		return json->is_done ? 0 : fail(json);
	}
	if (json->is_done)
		return fail(json);
	int r;
	/* An array may end where a value may begin, but not behind a comma or a colon: wants_value then has been set by a
	 * key, or wants_more taken away. */
	if (json->depth && (*json->at == '}' || *json->at == ']') && !(is_in_object(json) && json->wants_value))
		r = read_close(json, &token);
	else if (json->depth && !(is_in_object(json) && json->wants_value))
		r = read_inside(json, &token);
	else
		r = read_value(json, &token);
	if (r < 0)
		return fail(json);
	*ret_token = token;
	return 0;
}

int mw_json_skip_rest(struct mw_json *json, const struct mw_json_token *token)
{
	struct mw_json_token inside;
	if (token->type != MW_JSON_OBJECT && token->type != MW_JSON_ARRAY)
		return 0;
	for (unsigned outside = json->depth - 1; json->depth > outside;) {
		int r = mw_json_next(json, &inside);
		if (r < 0)
			return r;
	}
	return 0;
}

int mw_json_skip(struct mw_json *json)
{
	struct mw_json_token token;
	int r = mw_json_next(json, &token);
	return r < 0 ? r : mw_json_skip_rest(json, &token);
}

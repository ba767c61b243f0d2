/* Reading JSON (RFC 8259), a token at a time, in place: strings are unescaped where they stand, and nothing is allocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum mw_json_type {
	MW_JSON_END, /* of the text: one whole value was read */
	MW_JSON_OBJECT,
	MW_JSON_ARRAY,
	MW_JSON_CLOSE, /* of the innermost object or array */
	MW_JSON_KEY,   /* of an object; its value is next */
	MW_JSON_STRING,
	MW_JSON_NUMBER,
	MW_JSON_TRUE,
	MW_JSON_FALSE,
	MW_JSON_NULL,
};

enum {
	MW_JSON_DEPTH = 64, /* a bit each */
};

struct mw_json {
	char *at, *end;
	unsigned depth;   /* of objects and arrays around what is next */
	uint64_t objects; /* bit n: level n is an object, else an array */
	bool is_done, wants_value, wants_more;
};

struct mw_json_token {
	enum mw_json_type type;
	/* KEY, STRING, NUMBER: NUL-terminated, and may hold NULs of its own; borrowed until the text goes.  Of a number, NULL:
	 * use `number`. */
	const char *text;
	size_t bytes;
	int64_t number; /* of an integer that fits, else 0 */
};

/* `text` is `bytes` long and is written to. */
void mw_json_begin(struct mw_json *json, char *text, size_t bytes);
/* 0 or -EPROTO: no JSON, or nested deeper than MW_JSON_DEPTH.  After that, the same again. */
int mw_json_next(struct mw_json *json, struct mw_json_token *ret_token);
/* Pass over the value that is next.  Of one that has begun, `token`, what is left of it: nothing, but for OBJECT and ARRAY. */
int mw_json_skip(struct mw_json *json);
int mw_json_skip_rest(struct mw_json *json, const struct mw_json_token *token);

/* Finding one member of a JSON text (RFC 8259) in place: no copies, so that a secret in it stays where it is.  The whole text is
 * checked on the way. */
#pragma once

#include <stddef.h>

enum mw_json_type {
	MW_JSON_NULL,
	MW_JSON_FALSE,
	MW_JSON_TRUE,
	MW_JSON_NUMBER,
	MW_JSON_STRING,
	MW_JSON_ARRAY,
	MW_JSON_OBJECT,
};

enum {
	/* Objects and lists in one another. */
	MW_JSON_DEPTH = 32
};

struct mw_json_value {
	enum mw_json_type type;
	/* As it is written; of a string, what is between its quotes. */
	const char *start;
	size_t size;
};

/* Member `name` of the object that `text` is; of several the last one, as most readers take it.
 * -ENOENT: there is none; -EPROTO: not JSON; -ENOTDIR: JSON, but not an object. */
int mw_json_member(const char *text, size_t n, const char *name, struct mw_json_value *ret_value);

/* The value of `text` itself, checked: -EPROTO. */
int mw_json_value(const char *text, size_t n, struct mw_json_value *ret_value);

/* The bytes of a string that was found, UTF-8; `out` has room for value->size bytes.  Returns how many. */
size_t mw_json_unescape(const struct mw_json_value *value, char *out);

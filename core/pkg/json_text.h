/* What people write into a JSON file where a text is meant: the text, an object around it, or a list of either. */
#pragma once

struct mw_buf;
struct mw_json;

/* Take the value that is next; append to `out` each text in it (of objects, that of member `key`), with ", " between.  Other
 * values add nothing.  0 or -EPROTO. */
int mw_json_texts(struct mw_json *json, const char *key, struct mw_buf *out);
/* The value that is next if it is a string, into *ret; others are passed over.  Borrowed until the text of `json` goes. */
int mw_json_string_or_skip(struct mw_json *json, const char **ret);

#include "pkg/json_text.h"

#include <string.h>

#include "base/buf.h"
#include "pkg/json.h"

static void add(struct mw_buf *out, const struct mw_json_token *token)
{
	/* What does not fit is left out whole. */
	if (token->bytes == 0 || token->bytes + 2 > out->max - out->size)
		return;
	if (out->size)
		mw_buf_str(out, ", ");
	mw_buf_add(out, token->text, token->bytes);
}

/* As deep as the reader of JSON goes, which is bounded.  Once it has failed it fails again, which ends the loops. */
// NOLINTNEXTLINE(misc-no-recursion): MW_JSON_DEPTH
static int take(struct mw_json *json, const struct mw_json_token *token, const char *key, struct mw_buf *out)
{
	struct mw_json_token inner;
	int r = 0;
	if (token->type == MW_JSON_STRING)
		add(out, token);
	if (token->type == MW_JSON_ARRAY)
		while ((r = mw_json_next(json, &inner)) == 0 && inner.type != MW_JSON_CLOSE)
			(void)take(json, &inner, key, out);
	if (token->type == MW_JSON_OBJECT)
		while ((r = mw_json_next(json, &inner)) == 0 && inner.type == MW_JSON_KEY)
			(void)(strcmp(inner.text, key) == 0 ? mw_json_texts(json, key, out) : mw_json_skip(json));
	return r;
}

// NOLINTNEXTLINE(misc-no-recursion): MW_JSON_DEPTH
int mw_json_texts(struct mw_json *json, const char *key, struct mw_buf *out)
{
	struct mw_json_token token;
	int r = mw_json_next(json, &token);
	return r < 0 ? r : take(json, &token, key, out);
}

int mw_json_string_or_skip(struct mw_json *json, const char **ret)
{
	struct mw_json_token token;
	int r = mw_json_next(json, &token);
	if (r < 0)
		return r;
	if (token.type == MW_JSON_STRING)
		*ret = token.text;
	return mw_json_skip_rest(json, &token);
}

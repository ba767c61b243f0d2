/* JSON, a token at a time. */
#include <stdlib.h>
#include <string.h>

#include "pkg/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_json json;
	struct mw_json_token token = {0};
	char *text = malloc(size + 1);
	int r = 0;
	if (!text)
		return 0;
	memcpy(text, data, size);
	mw_json_begin(&json, text, size);
	/* The first byte says what is passed over. */
	for (size_t n = 0; r == 0 && n <= size; n++) {
		r = mw_json_next(&json, &token);
		if (r == 0 && token.text && strlen(token.text) > token.bytes)
			__builtin_trap();
		if (r == 0 && token.type == MW_JSON_END)
			break;
		if (r == 0 && size && data[n % size] % 5 == 4)
			r = mw_json_skip_rest(&json, &token);
	}
	if (r == 0 && token.type != MW_JSON_END)
		__builtin_trap(); /* more tokens than bytes */
	free(text);
	return 0;
}

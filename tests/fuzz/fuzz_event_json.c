/* Events from JSON: recordings, examples of rules.  What is understood can be written again, and what was written be read. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "rule/decode.h"

enum {
	JSON_BYTES = 16 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_decoded decoded = {0}, again = {0};
	if (mw_decode_event(&decoded, (const char *)data, size, NULL) == 0) {
		struct mw_buf json = MW_BUF(JSON_BYTES);
		mw_shape_json(&json, &mw_event_shape, &decoded.event);
		if (mw_buf_status(&json) == 0 && json.size < MW_DECODE_BYTES &&
		    (mw_decode_event(&again, json.data, json.size, NULL) < 0 || again.event.kind != decoded.event.kind))
			__builtin_trap();
		mw_buf_release(&json);
	}
	mw_decoded_release(&again);
	mw_decoded_release(&decoded);
	return 0;
}

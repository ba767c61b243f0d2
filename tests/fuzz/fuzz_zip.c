/* Zip archives: the list and every member. */
#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/zip.h"

enum {
	MEMBER_BYTES = 1 << 16,
	BUDGET_BYTES = 1 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct mw_bytes bytes = mw_bytes_of_memory(data, size);
	struct mw_inflate_budget budget = {.bytes = BUDGET_BYTES};
	struct mw_zip zip;
	struct mw_zip_member member;
	if (mw_zip_open(&bytes, &zip) < 0)
		return 0;
	while (mw_zip_next(&zip, &member) > 0) {
		MW_AUTO(mw_buf) text = MW_BUF(MEMBER_BYTES);
		struct mw_bytes stored;
		(void)mw_zip_read(&zip, &member, &budget, &text);
		if (text.size > MEMBER_BYTES)
			__builtin_trap();
		if (mw_zip_stored(&zip, &member, &stored) == 0 && stored.base + stored.size > size)
			__builtin_trap();
	}
	return 0;
}

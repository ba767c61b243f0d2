/* What walks for packages remember, from a file; what can be read is written as it was. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/cache.h"
#include "pkg/tree.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mw_tree tree = {.bytes = 0};
	MW_AUTO(mw_buf) again = MW_BUF(MW_PACKAGE_CACHE_BYTES);
	MW_AUTO_FREE char *bytes = malloc(size ? size : 1); /* no larger, so that what is read behind it is seen */
	if (!bytes)
		return 0;
	if (size)
		memcpy(bytes, data, size);
	if (mw_package_cache_parse(bytes, size, &tree) == 0) {
		mw_package_cache_write(&tree, &again);
		if (again.size != size || memcmp(again.data, bytes, size) != 0)
			abort();
	}
	mw_tree_release(&tree);
	if (tree.bytes)
		abort();
	return 0;
}

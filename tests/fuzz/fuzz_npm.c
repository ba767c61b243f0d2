/* package.json of Node.js's packages. */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "pkg/npm.h"
#include "sink.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	MW_AUTO_FREE char *text = malloc(size ? size : 1); /* no larger, so that what is read behind it is seen */
	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	(void)mw_npm_read(text, size, "/a/node_modules/@s/b/package.json", &fuzz_sink);
	return 0;
}

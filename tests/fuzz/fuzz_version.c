/* Versions: whatever they are, the order is the same from both sides. */
#include <string.h>

#include "base/version.h"

static int sign_of(int n)
{
	return (n > 0) - (n < 0);
}

/* Two versions, with a NUL between them. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *left = (const char *)data;
	const char *end = size ? memchr(left, '\0', size) : NULL;
	size_t left_size = end ? (size_t)(end - left) : size;
	const char *right = end ? end + 1 : left + size;
	size_t right_size = size - left_size - (end ? 1 : 0);
	for (int flavour = MW_VERSION_ANY; flavour <= MW_VERSION_ARCH; flavour++) {
		int there = mw_version_compare((enum mw_version_flavour)flavour, left, left_size, right, right_size);
		/* NOLINTNEXTLINE(readability-suspicious-call-argument): the other way round */
		int back = mw_version_compare((enum mw_version_flavour)flavour, right, right_size, left, left_size);
		if (sign_of(there) != -sign_of(back))
			__builtin_trap();
		if (mw_version_compare((enum mw_version_flavour)flavour, left, left_size, left, left_size) != 0)
			__builtin_trap();
	}
	return 0;
}

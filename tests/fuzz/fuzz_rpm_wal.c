/* The write-ahead log of rpm's database in SQLite. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "pkg/rpm_formats.h"

enum {
	IMAGE_BYTES = 1024,
	IMAGE_BYTES_MAX = 1 << 20,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t image_size = IMAGE_BYTES;
	MW_AUTO_FREE uint8_t *image = calloc(1, image_size);
	if (image)
		(void)mw_rpm_wal_apply(&image, &image_size, IMAGE_BYTES_MAX, data, size);
	return 0;
}

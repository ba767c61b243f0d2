#include "pkg/bytes.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int mw_bytes_part(const struct mw_bytes *bytes, uint64_t offset, uint64_t size, struct mw_bytes *ret_part)
{
	if (offset > bytes->size || size > bytes->size - offset)
		return -ENODATA;
	*ret_part = *bytes;
	ret_part->base += offset;
	ret_part->size = size;
	return 0;
}

int mw_bytes_read(const struct mw_bytes *bytes, uint64_t offset, void *ret_data, size_t n)
{
	if (offset > bytes->size || n > bytes->size - offset)
		return -ENODATA;
	if (bytes->fd < 0) {
		if (n)
			memcpy(ret_data, bytes->memory + bytes->base + offset, n);
		return 0;
	}
	char *to = ret_data;
	while (n) {
		ssize_t got = pread(bytes->fd, to, n, (off_t)(bytes->base + offset));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -ENODATA; /* it was cut meanwhile */
		to += got;
		offset += (uint64_t)got;
		n -= (size_t)got;
	}
	return 0;
}

int mw_bytes_read_some(const struct mw_bytes *bytes, uint64_t offset, void *ret_data, size_t n, size_t *ret_n)
{
	if (offset > bytes->size)
		return -ENODATA;
	if (n > bytes->size - offset)
		n = (size_t)(bytes->size - offset);
	int r = mw_bytes_read(bytes, offset, ret_data, n);
	if (r == 0)
		*ret_n = n;
	return r;
}

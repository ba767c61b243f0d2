#include "net/gzip.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <zlib.h>

#include "base/secret.h"

enum {
	/* zlib.h, deflateInit2: the largest window, with gzip's header; and the default of memLevel. */
	WINDOW_BITS = 15 + 16,
	MEMORY_LEVEL = 8,
	CHUNK_BYTES = 16 << 10,
};

static int pack(z_stream *stream, const void *bytes, size_t n, struct mw_secret *packed)
{
	unsigned char chunk[CHUNK_BYTES];
	int state;
	stream->next_in = (unsigned char *)(uintptr_t)bytes; /* only read */
	stream->avail_in = (unsigned)n;
	do {
		stream->next_out = chunk;
		stream->avail_out = sizeof(chunk);
		state = deflate(stream, Z_FINISH);
		if (state == Z_STREAM_ERROR || mw_secret_add(packed, chunk, sizeof(chunk) - stream->avail_out) < 0)
			return -ENOMEM;
	} while (state != Z_STREAM_END);
	return 0;
}

int mw_gzip(const void *bytes, size_t n, struct mw_secret **ret_packed)
{
	z_stream stream = {.zalloc = NULL};
	struct mw_secret *packed;
	if (n > INT_MAX || deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW_BITS, MEMORY_LEVEL,
					Z_DEFAULT_STRATEGY) != Z_OK)
		return -ENOMEM;
	int r = mw_secret_new(deflateBound(&stream, n), &packed);
	if (r == 0 && (r = pack(&stream, bytes, n, packed)) < 0)
		mw_secret_free(packed);
	(void)deflateEnd(&stream);
	if (r == 0)
		*ret_packed = packed;
	return r;
}

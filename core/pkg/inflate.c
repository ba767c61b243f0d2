#include "pkg/inflate.h"

#include <errno.h>
#include <zlib.h>

#include "base/buf.h"

enum {
	CHUNK_BYTES = 16 << 10,
};

/* Take `n` bytes from the budget, as far as there are. */
static size_t spend(struct mw_inflate_budget *budget, size_t n)
{
	if (n > budget->bytes)
		n = (size_t)budget->bytes;
	budget->bytes -= n;
	return n;
}

/* What was inflated; the buffer's own maximum cuts it. */
static int take(struct mw_buf *out, const unsigned char *data, size_t n)
{
	size_t room = out->max - out->size;
	mw_buf_add(out, data, n < room ? n : room);
	if (mw_buf_status(out) < 0)
		return -ENOMEM;
	return n > room ? -EFBIG : 0;
}

static int copy(const struct mw_bytes *data, struct mw_inflate_budget *budget, struct mw_buf *out)
{
	unsigned char room[CHUNK_BYTES];
	int r = 0;
	for (uint64_t at = 0; r == 0 && at < data->size;) {
		size_t n;
		r = mw_bytes_read_some(data, at, room, sizeof(room), &n);
		if (r == 0 && spend(budget, n) < n)
			r = -ENOSPC;
		if (r == 0)
			r = take(out, room, n);
		at += n;
	}
	return r;
}

static int inflate_all(z_stream *stream, const struct mw_bytes *data, struct mw_inflate_budget *budget,
		       struct mw_buf *out)
{
	unsigned char in[CHUNK_BYTES];
	unsigned char unpacked[CHUNK_BYTES];
	uint64_t at = 0;
	for (;;) {
		if (stream->avail_in == 0 && at < data->size) {
			size_t n;
			int r = mw_bytes_read_some(data, at, in, sizeof(in), &n);
			if (r < 0)
				return r;
			at += n;
			stream->next_in = in;
			stream->avail_in = (uInt)n;
		}
		stream->next_out = unpacked;
		stream->avail_out = sizeof(unpacked);
		int code = inflate(stream, Z_NO_FLUSH);
		size_t got = sizeof(unpacked) - stream->avail_out;
		if (spend(budget, got) < got)
			return -ENOSPC;
		int r = take(out, unpacked, got);
		if (r < 0 || code == Z_STREAM_END)
			return r;
		/* Z_BUF_ERROR: it wants more than there is. */
		if (code != Z_OK || (got == 0 && stream->avail_in == 0 && at >= data->size))
			return -EBADMSG;
	}
}

int mw_inflate(const struct mw_bytes *data, enum mw_inflate_format format, struct mw_inflate_budget *budget,
	       struct mw_buf *out)
{
	if (format == MW_INFLATE_COPY)
		return copy(data, budget, out);
	z_stream stream = {0};
	if (inflateInit2(&stream, format == MW_INFLATE_RAW ? -MAX_WBITS : MAX_WBITS) != Z_OK)
		return -ENOMEM;
	int r = inflate_all(&stream, data, budget, out);
	(void)inflateEnd(&stream);
	return r;
}

uint32_t mw_inflate_crc(const void *data, size_t n)
{
	return n ? (uint32_t)crc32_z(0, data, n) : 0;
}

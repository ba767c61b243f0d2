/* Archives: gzip (RFC 1952) around tar (POSIX.1-2017, pax, "ustar interchange format"), as strict as can be: regular files alone,
 * short names, no more than there is. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/err.h"
#include "bundle/private.h"

enum {
	/* zlib.h, inflateInit2: the largest window, with gzip's header. */
	GZIP_BITS = 15 + 16,
	MEMORY_LEVEL = 8,
	CHUNK_BYTES = 16 << 10,
	BLOCK_BYTES = 512,
};

int mw_bundle_unpack(const void *bytes, size_t n, struct mw_buf *out, struct mw_err *err)
{
	unsigned char chunk[CHUNK_BYTES];
	z_stream stream = {.zalloc = NULL};
	int state = Z_OK;
	if (n > INT_MAX || inflateInit2(&stream, GZIP_BITS) != Z_OK)
		return mw_err_set(err, -ENOMEM, "out of memory");
	stream.next_in = (unsigned char *)(uintptr_t)bytes; /* only read */
	stream.avail_in = (unsigned)n;
	do {
		stream.next_out = chunk;
		stream.avail_out = sizeof(chunk);
		state = inflate(&stream, Z_NO_FLUSH);
		mw_buf_add(out, chunk, sizeof(chunk) - stream.avail_out);
	} while (state == Z_OK && mw_buf_status(out) == 0 && (stream.avail_in || !stream.avail_out));
	size_t left = stream.avail_in;
	(void)inflateEnd(&stream);
	if (mw_buf_status(out) < 0)
		return mw_err_set(err, -EFBIG, "unpacked, a bundle has at most %zu bytes", out->max);
	return state == Z_STREAM_END && !left ? 0 : mw_err_set(err, -EPROTO, "a broken bundle: not packed by gzip");
}

int mw_bundle_pack(const void *bytes, size_t n, struct mw_buf *out, struct mw_err *err)
{
	unsigned char chunk[CHUNK_BYTES];
	z_stream stream = {.zalloc = NULL};
	int state;
	if (n > INT_MAX ||
	    deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, GZIP_BITS, MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK)
		return mw_err_set(err, -ENOMEM, "out of memory");
	stream.next_in = (unsigned char *)(uintptr_t)bytes; /* only read */
	stream.avail_in = (unsigned)n;
	do {
		stream.next_out = chunk;
		stream.avail_out = sizeof(chunk);
		state = deflate(&stream, Z_FINISH);
		mw_buf_add(out, chunk, sizeof(chunk) - stream.avail_out);
	} while (state == Z_OK);
	(void)deflateEnd(&stream);
	if (mw_buf_status(out) < 0)
		return mw_err_set(err, -EFBIG, "a bundle has at most %zu bytes", out->max);
	return state == Z_STREAM_END ? 0 : mw_err_set(err, -EIO, "zlib failed");
}

/* The header of a file. */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8], type, link[100], magic[6], version[2],
		user[32], group[32], major[8], minor[8], prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK_BYTES, "a block");

static bool is_zero(const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes[i])
			return false;
	return true;
}

/* Octal digits, and a NUL or blank behind them.  -1: something else. */
static int64_t octal(const char *text, size_t n)
{
	int64_t value = 0;
	size_t i = 0;
	for (; i < n && text[i] >= '0' && text[i] <= '7'; i++)
		value = value * 8 + text[i] - '0';
	return i > 0 && i < n && (text[i] == '\0' || text[i] == ' ') ? value : -1;
}

/* The sum of a header's bytes, those of the sum itself taken for blanks. */
static int64_t sum_of(const struct ustar *head)
{
	const unsigned char *bytes = (const unsigned char *)head;
	int64_t sum = 0;
	for (size_t i = 0; i < sizeof(*head); i++)
		sum += i >= offsetof(struct ustar, sum) && i < offsetof(struct ustar, type) ? ' ' : bytes[i];
	return sum;
}

static size_t padded(size_t n)
{
	return (n + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
}

int mw_bundle_tar_next(const struct mw_buf *archive, size_t *at, struct mw_bundle_file *ret, struct mw_err *err)
{
	size_t left = archive->size - *at;
	if (left < 2 * (size_t)BLOCK_BYTES || left % BLOCK_BYTES)
		return mw_err_set(err, -EPROTO, "a broken bundle: the archive is cut");
	const struct ustar *head = (const struct ustar *)(const void *)(archive->data + *at);
	if (is_zero((const char *)head, BLOCK_BYTES)) {
		if (!is_zero((const char *)head, left))
			return mw_err_set(err, -EPROTO, "a broken bundle: there is something behind the archive's end");
		*at = archive->size;
		return 0;
	}
	size_t name_bytes = strnlen(head->name, sizeof(head->name));
	int64_t size = octal(head->size, sizeof(head->size));
	if (memcmp(head->magic, "ustar", 6) != 0 || memcmp(head->version, "00", 2) != 0 ||
	    octal(head->sum, sizeof(head->sum)) != sum_of(head))
		return mw_err_set(err, -EPROTO, "a broken bundle: not an archive of tar");
	if (name_bytes == sizeof(head->name) || head->prefix[0] || !mw_bundle_is_path(head->name, name_bytes))
		return mw_err_set(err, -EPROTO, "a name in the bundle is not allowed");
	if (head->type != '0' || !is_zero(head->link, sizeof(head->link)))
		return mw_err_set(err, -EPROTO, "%s: a bundle holds regular files alone", head->name);
	left -= BLOCK_BYTES;
	if (size < 0 || (uint64_t)size > left || padded((size_t)size) > left)
		return mw_err_set(err, -EPROTO, "%s: longer than the bundle", head->name);
	const char *text = archive->data + *at + BLOCK_BYTES;
	if (!is_zero(text + size, padded((size_t)size) - (size_t)size))
		return mw_err_set(err, -EPROTO, "%s: there is something behind its end", head->name);
	*ret = (struct mw_bundle_file){.path = head->name, .text = text, .bytes = (size_t)size};
	*at += BLOCK_BYTES + padded((size_t)size);
	return 1;
}

static void put_octal(char *to, size_t n, uint64_t value)
{
	for (size_t i = n - 1; i-- > 0; value >>= 3)
		to[i] = (char)('0' + (value & 7));
}

static void put_zeros(struct mw_buf *archive, size_t n)
{
	char *room = mw_buf_reserve(archive, n);
	if (!room)
		return;
	memset(room, 0, n);
	archive->size += n;
}

/* The same files give the same bytes: no times, no owners. */
void mw_bundle_tar_add(struct mw_buf *archive, const struct mw_bundle_file *file)
{
	struct ustar head = {.type = '0', .magic = "ustar", .version = {'0', '0'}};
	(void)snprintf(head.name, sizeof(head.name), "%s", file->path);
	put_octal(head.mode, sizeof(head.mode), 0644);
	put_octal(head.uid, sizeof(head.uid), 0);
	put_octal(head.gid, sizeof(head.gid), 0);
	put_octal(head.size, sizeof(head.size), file->bytes);
	put_octal(head.mtime, sizeof(head.mtime), 0);
	put_octal(head.major, sizeof(head.major), 0);
	put_octal(head.minor, sizeof(head.minor), 0);
	put_octal(head.sum, sizeof(head.sum), (uint64_t)sum_of(&head));
	mw_buf_add(archive, &head, sizeof(head));
	mw_buf_add(archive, file->text, file->bytes);
	put_zeros(archive, padded(file->bytes) - file->bytes);
}

void mw_bundle_tar_end(struct mw_buf *archive)
{
	put_zeros(archive, 2 * (size_t)BLOCK_BYTES);
}

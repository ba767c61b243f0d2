#include "pkg/zip.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"

/* Sizes and signatures of APPNOTE.TXT, sections 4.3.7 to 4.3.16. */
enum {
	LOCAL_BYTES = 30,
	ENTRY_BYTES = 46,
	END_BYTES = 22,
	END64_BYTES = 56,
	LOCATOR_BYTES = 20,
	COMMENT_BYTES = 0xffff,
	ZIP64_EXTRA = 1,
	STORED = 0,
	DEFLATED = 8,
	ENCRYPTED = 1 << 0,
};

#define LOCAL UINT32_C(0x04034b50)
#define ENTRY UINT32_C(0x02014b50)
#define END UINT32_C(0x06054b50)
#define END64 UINT32_C(0x06064b50)
#define LOCATOR UINT32_C(0x07064b50)

enum {
	MEMBERS = 400000, /* looked at; the JDK's own largest has 30 000 */
	EXTRA_BYTES = 4096,
	WINDOW_BYTES = 16 << 10,
	/* What deflate can do at best is 1032:1 (RFC 1951); what is claimed past that is not worth a look. */
	RATIO = 1100,
};

static uint16_t get16(const unsigned char *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const unsigned char *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

static uint64_t get64(const unsigned char *at)
{
	return get32(at) | (uint64_t)get32(at + 4) << 32;
}

/* The end record is the last thing of the archive but for a comment.  -EPROTO when there is none. */
static int find_end(const struct mw_bytes *bytes, uint64_t *ret_at, unsigned char end[END_BYTES])
{
	unsigned char room[WINDOW_BYTES];
	uint64_t stop = bytes->size > END_BYTES + COMMENT_BYTES ? bytes->size - END_BYTES - COMMENT_BYTES : 0;
	if (bytes->size < END_BYTES)
		return -EPROTO;
	/* Windows from the end, each with END_BYTES - 1 of the one behind it. */
	for (uint64_t last = bytes->size; last >= stop + END_BYTES;) {
		uint64_t first = last > stop + sizeof(room) ? last - sizeof(room) : stop;
		size_t n = (size_t)(last - first);
		int r = mw_bytes_read(bytes, first, room, n);
		if (r < 0)
			return r;
		for (size_t i = n - END_BYTES + 1; i-- > 0;) {
			if (get32(room + i) != END || first + i + END_BYTES + get16(room + i + 20) > bytes->size)
				continue;
			memcpy(end, room + i, END_BYTES);
			*ret_at = first + i;
			return 0;
		}
		if (first == stop)
			break;
		last = first + END_BYTES - 1;
	}
	return -EPROTO;
}

/* Zip64: sizes of 64 bits are in a record of their own, which a locator just before the end record points at. */
static void look_for_end64(struct mw_zip *zip, uint64_t *end, uint64_t *offset)
{
	unsigned char locator[LOCATOR_BYTES];
	unsigned char end64[END64_BYTES];
	if (*end < LOCATOR_BYTES + END64_BYTES ||
	    mw_bytes_read(&zip->bytes, *end - LOCATOR_BYTES, locator, sizeof(locator)) < 0 || get32(locator) != LOCATOR)
		return;
	/* Where it says, or just before, when something was put in front of the archive. */
	uint64_t at = get64(locator + 8);
	if (mw_bytes_read(&zip->bytes, at, end64, sizeof(end64)) < 0 || get32(end64) != END64) {
		at = *end - LOCATOR_BYTES - END64_BYTES;
		if (mw_bytes_read(&zip->bytes, at, end64, sizeof(end64)) < 0 || get32(end64) != END64)
			return;
	}
	zip->members = get64(end64 + 32);
	zip->directory_size = get64(end64 + 40);
	*offset = get64(end64 + 48);
	*end = at;
}

static bool is_entry(const struct mw_zip *zip, uint64_t at)
{
	unsigned char signature[4];
	return mw_bytes_read(&zip->bytes, at, signature, sizeof(signature)) == 0 && get32(signature) == ENTRY;
}

int mw_zip_open(const struct mw_bytes *bytes, struct mw_zip *ret_zip)
{
	unsigned char end[END_BYTES];
	uint64_t at;
	struct mw_zip zip = {.bytes = *bytes};
	int r = find_end(bytes, &at, end);
	if (r < 0)
		return r;
	zip.members = get16(end + 10);
	zip.directory_size = get32(end + 12);
	uint64_t offset = get32(end + 16);
	if (zip.members == UINT16_MAX || zip.directory_size == UINT32_MAX || offset == UINT32_MAX)
		look_for_end64(&zip, &at, &offset);
	if (zip.directory_size > at)
		return -EBADMSG;
	/* The list ends where the end record begins; when that is not where it says, something was put in front. */
	zip.directory = at - zip.directory_size;
	zip.shift = zip.directory - offset;
	if (offset > zip.directory || (zip.directory_size && !is_entry(&zip, zip.directory))) {
		zip.directory = offset;
		zip.shift = 0;
		if (offset > at || zip.directory_size > at - offset || (zip.directory_size && !is_entry(&zip, offset)))
			return -EBADMSG;
	}
	zip.at = zip.directory;
	*ret_zip = zip;
	return 0;
}

/* Of the list, which is read in one direction, through a window. */
static int read_list(struct mw_zip *zip, uint64_t at, void *ret_data, size_t n)
{
	if (at < zip->window_at || at - zip->window_at > zip->window_bytes ||
	    n > zip->window_bytes - (size_t)(at - zip->window_at)) {
		zip->window_bytes = 0;
		int r = mw_bytes_read_some(&zip->bytes, at, zip->window, sizeof(zip->window), &zip->window_bytes);
		if (r < 0)
			return r;
		zip->window_at = at;
	}
	if (n > zip->window_bytes)
		return -ENODATA;
	memcpy(ret_data, zip->window + (at - zip->window_at), n);
	return 0;
}

/* Values that do not fit are 0xffffffff, and in this extra field, in this order. */
static int read_zip64(struct mw_zip *zip, uint64_t at, size_t n, struct mw_zip_member *member)
{
	unsigned char extra[EXTRA_BYTES];
	uint64_t *values[] = {&member->unpacked, &member->packed, &member->header};
	if (n > sizeof(extra))
		n = sizeof(extra);
	int r = read_list(zip, at, extra, n);
	for (size_t i = 0; r == 0 && i + 4 <= n;) {
		size_t size = get16(extra + i + 2);
		const unsigned char *field = extra + i + 4;
		bool is_wanted = get16(extra + i) == ZIP64_EXTRA;
		i += 4 + size;
		if (!is_wanted || i > n)
			continue;
		for (size_t v = 0; v < 3; v++) {
			if (*values[v] != UINT32_MAX)
				continue;
			if (size < 8)
				return -EBADMSG;
			*values[v] = get64(field);
			field += 8;
			size -= 8;
		}
		return 0;
	}
	return r;
}

int mw_zip_next(struct mw_zip *zip, struct mw_zip_member *ret_member)
{
	unsigned char entry[ENTRY_BYTES];
	uint64_t end = zip->directory + zip->directory_size;
	for (;;) {
		if (zip->at >= end || end - zip->at < ENTRY_BYTES)
			return zip->at == end ? 0 : -EBADMSG;
		if (zip->seen++ >= MEMBERS)
			return -E2BIG;
		int r = read_list(zip, zip->at, entry, sizeof(entry));
		if (r < 0 || get32(entry) != ENTRY)
			return -EBADMSG;
		size_t name = get16(entry + 28);
		size_t extra = get16(entry + 30);
		uint64_t at = zip->at + ENTRY_BYTES;
		zip->at = at + name + extra + get16(entry + 32);
		if (name == 0 || name >= sizeof(zip->name))
			continue;
		struct mw_zip_member member = {
			.name = zip->name,
			.packed = get32(entry + 20),
			.unpacked = get32(entry + 24),
			.header = get32(entry + 42),
			.crc = get32(entry + 16),
			.method = get16(entry + 10),
			.is_encrypted = get16(entry + 8) & ENCRYPTED,
		};
		r = read_list(zip, at, zip->name, name);
		if (r == 0 &&
		    (member.packed == UINT32_MAX || member.unpacked == UINT32_MAX || member.header == UINT32_MAX))
			r = read_zip64(zip, at + name, extra, &member);
		if (r < 0)
			return -EBADMSG;
		zip->name[name] = '\0';
		if (strlen(zip->name) != name)
			continue;
		*ret_member = member;
		return 1;
	}
}

/* The local header says again what the list said, and may say it with another length. */
static int find_data(const struct mw_zip *zip, const struct mw_zip_member *member, struct mw_bytes *ret_data)
{
	unsigned char local[LOCAL_BYTES];
	uint64_t at;
	if (member->is_encrypted)
		return -EOPNOTSUPP;
	if (__builtin_add_overflow(zip->shift, member->header, &at))
		return -EBADMSG;
	int r = mw_bytes_read(&zip->bytes, at, local, sizeof(local));
	if (r == -ENODATA || (r == 0 && get32(local) != LOCAL))
		return -EBADMSG;
	if (r < 0)
		return r;
	at += LOCAL_BYTES + get16(local + 26) + (uint64_t)get16(local + 28);
	return mw_bytes_part(&zip->bytes, at, member->packed, ret_data) < 0 ? -EBADMSG : 0;
}

int mw_zip_stored(const struct mw_zip *zip, const struct mw_zip_member *member, struct mw_bytes *ret_bytes)
{
	if (member->method != STORED || member->packed != member->unpacked)
		return -EOPNOTSUPP;
	return find_data(zip, member, ret_bytes);
}

static uint32_t crc_of(const struct mw_buf *out, size_t from)
{
	return out->size > from ? mw_inflate_crc(out->data + from, out->size - from) : 0;
}

int mw_zip_read(const struct mw_zip *zip, const struct mw_zip_member *member, struct mw_inflate_budget *budget,
		struct mw_buf *out)
{
	struct mw_bytes data;
	size_t before = out->size;
	if (member->method != STORED && member->method != DEFLATED)
		return -EOPNOTSUPP;
	if (member->unpacked / RATIO > member->packed)
		return -ENOSPC;
	int r = find_data(zip, member, &data);
	if (r < 0)
		return r;
	r = mw_inflate(&data, member->method == STORED ? MW_INFLATE_COPY : MW_INFLATE_RAW, budget, out);
	size_t size = out->size - before;
	if (r == 0 && (size != member->unpacked || crc_of(out, before) != member->crc))
		return -EBADMSG;
	return r;
}

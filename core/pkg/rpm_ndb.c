/* rpm's own database, ndb: lib/backend/ndb/rpmpkg.c of rpm 4.18.
 *
 * All numbers are little-endian.  The first pages are slots of 16 bytes, of which the first two are the file's header; a slot
 * says in which blocks of 16 bytes the blob of a package is. */

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/pkg.h"
#include "pkg/rpm_formats.h"

enum {
	FILE_MAGIC = 'R' | 'p' << 8 | 'm' << 16 | 'P' << 24,
	SLOT_MAGIC = 'S' | 'l' << 8 | 'o' << 16 | 't' << 24,
	BLOB_MAGIC = 'B' | 'l' << 8 | 'b' << 16 | 'S' << 24,
	FILE_HEAD_BYTES = 32,
	PAGE_BYTES = 4096,
	SLOT_BYTES = 16,
	BLOCK_BYTES = 16,
	BLOB_HEAD_BYTES = 16,
};

static uint32_t le32(const uint8_t *at)
{
	return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* Slots may not point into each other's blobs: `*left` bytes is what all of them can have. */
static int read_blob(struct mw_rpm_database *database, const uint8_t *slot, uint64_t *left)
{
	uint64_t offset = (uint64_t)le32(slot + 8) * BLOCK_BYTES;
	uint64_t room = (uint64_t)le32(slot + 12) * BLOCK_BYTES;
	uint8_t head[BLOB_HEAD_BYTES];
	int r = mw_rpm_pread(database, head, sizeof(head), offset);
	uint32_t size = r == 0 ? le32(head + 12) : 0;
	if (r == 0 && (le32(head) != BLOB_MAGIC || le32(head + 4) != le32(slot + 4) || size > room ||
		       size > MW_RPM_HEADER_BYTES || size > *left))
		r = -EPROTO;
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_RPM_HEADER_BYTES);
	uint8_t *blob = r == 0 ? (uint8_t *)mw_buf_reserve(&bytes, size) : NULL;
	if (r == 0 && !blob)
		return -ENOMEM;
	if (r == 0)
		r = mw_rpm_pread(database, blob, size, offset + sizeof(head));
	if (r == 0) {
		*left -= size;
		return mw_rpm_header(database, blob, size);
	}
	mw_rpm_warn(database, "a package in it is damaged; left out");
	return mw_package_check_time(database->sink);
}

int mw_rpm_ndb_read(struct mw_rpm_database *database)
{
	uint8_t page[PAGE_BYTES];
	uint64_t left = database->size;
	int r = mw_rpm_pread(database, page, FILE_HEAD_BYTES, 0);
	uint32_t version = r == 0 ? le32(page + 4) : 0;
	if (r < 0 || le32(page) != (uint32_t)FILE_MAGIC || version != 0) {
		mw_rpm_warn(database, "no database of rpm's that is understood");
		return 0;
	}
	uint32_t pages = le32(page + 12);
	for (uint32_t number = 0; number < pages; number++) {
		if (mw_rpm_pread(database, page, sizeof(page), (uint64_t)number * PAGE_BYTES) < 0) {
			mw_rpm_warn(database, "it is truncated; packages may be missing");
			return 0;
		}
		for (size_t at = number ? 0 : FILE_HEAD_BYTES; at < PAGE_BYTES; at += SLOT_BYTES) {
			if (le32(page + at) != (uint32_t)SLOT_MAGIC) {
				mw_rpm_warn(database, "a page of it is damaged; packages may be missing");
				break;
			}
			if (le32(page + at + 4) == 0)
				continue; /* free */
			r = read_blob(database, page + at, &left);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

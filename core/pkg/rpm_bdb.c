/* Berkeley DB's hash table, as rpm 4 before 4.16 keeps its headers: dbinc/db_page.h of Berkeley DB 5.3.
 *
 * Page 0 says how large pages are.  Every page that is of the hash table is looked at, whatever bucket it belongs to; on it
 * are pairs of a key (the number of a header) and a value, which for all but the smallest is on a chain of pages of its own. */

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "pkg/pkg.h"
#include "pkg/rpm_formats.h"

enum {
	HASH_MAGIC = 0x061561,
	PAGE_BYTES_MIN = 512,
	PAGE_BYTES_MAX = 64 << 10,
	PAGE_HEAD_BYTES = 26,
	META_HEAD_BYTES = 72,
	OFFPAGE_BYTES = 12,
};

enum page_type {
	PAGE_HASH_UNSORTED = 2,
	PAGE_OVERFLOW = 7,
	PAGE_HASH_META = 8,
	PAGE_HASH = 13,
};

enum item_type {
	ITEM_DATA = 1,
	ITEM_OFFPAGE = 3,
};

struct bdb {
	struct mw_rpm_database *database;
	bool is_swapped; /* written on a machine of the other byte order */
	uint32_t page_bytes;
	uint32_t pages;
	/* Each page of a chain belongs to one chain only: more reading than this is a loop. */
	uint32_t chain_pages_left;
	uint8_t *page;  /* that is looked at */
	uint8_t *chain; /* a page of a value */
};

static uint32_t u32(const struct bdb *bdb, const uint8_t *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return bdb->is_swapped ? __builtin_bswap32(value) : value;
}

static uint16_t u16(const struct bdb *bdb, const uint8_t *at)
{
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	return bdb->is_swapped ? __builtin_bswap16(value) : value;
}

static int read_page(const struct bdb *bdb, uint32_t number, uint8_t *page)
{
	if (number >= bdb->pages)
		return -EPROTO;
	return mw_rpm_pread(bdb->database, page, bdb->page_bytes, (uint64_t)number * bdb->page_bytes);
}

/* Read the chain of `size` bytes from page `number` on.  -EPROTO for a broken one. */
static int read_chain(struct bdb *bdb, uint32_t number, uint8_t *to, size_t size)
{
	while (size) {
		if (bdb->chain_pages_left == 0)
			return -EPROTO;
		bdb->chain_pages_left--;
		int r = read_page(bdb, number, bdb->chain);
		if (r < 0)
			return r;
		size_t here = u16(bdb, bdb->chain + 22);
		if (bdb->chain[25] != PAGE_OVERFLOW || here == 0 || here > bdb->page_bytes - PAGE_HEAD_BYTES)
			return -EPROTO;
		if (here > size)
			here = size;
		memcpy(to, bdb->chain + PAGE_HEAD_BYTES, here);
		to += here;
		size -= here;
		number = u32(bdb, bdb->chain + 16);
	}
	return 0;
}

static int read_offpage(struct bdb *bdb, const uint8_t *item)
{
	uint32_t number = u32(bdb, item + 4);
	uint32_t size = u32(bdb, item + 8);
	int r = size > MW_RPM_HEADER_BYTES || size > bdb->database->size ? -EPROTO : 0;
	MW_AUTO(mw_buf) value = MW_BUF(MW_RPM_HEADER_BYTES);
	uint8_t *to = r == 0 ? (uint8_t *)mw_buf_reserve(&value, size) : NULL;
	if (r == 0 && !to)
		return -ENOMEM;
	if (r == 0)
		r = read_chain(bdb, number, to, size);
	if (r == 0)
		return mw_rpm_header(bdb->database, to, size);
	mw_rpm_warn(bdb->database, "a package in it is damaged; left out");
	return mw_package_check_time(bdb->database->sink);
}

/* Under key 0 is no header, but the number of the last. */
static bool is_key_zero(const uint8_t *key, size_t size)
{
	static const uint8_t zero[4];
	return size == 1 + sizeof(zero) && key[0] == ITEM_DATA && memcmp(key + 1, zero, sizeof(zero)) == 0;
}

static int read_pairs(struct bdb *bdb)
{
	const uint8_t *page = bdb->page;
	unsigned items = u16(bdb, page + 20);
	size_t floor = PAGE_HEAD_BYTES + 2 * (size_t)items;
	size_t above =
		bdb->page_bytes; /* items are put from the end downwards: each ends where the one before begins */
	size_t key = above;
	size_t key_size = 0;
	for (unsigned i = 0; i < items; i++) {
		size_t offset = u16(bdb, page + PAGE_HEAD_BYTES + 2 * (size_t)i);
		if (floor > bdb->page_bytes || offset < floor || offset >= above) {
			mw_rpm_warn(bdb->database, "a page of it is damaged; packages may be missing");
			return 0;
		}
		size_t size = above - offset;
		above = offset;
		if (i % 2 == 0) {
			key = offset;
			key_size = size;
			continue;
		}
		const uint8_t *item = page + offset;
		int r = 0;
		if (item[0] == ITEM_OFFPAGE && size >= OFFPAGE_BYTES)
			r = read_offpage(bdb, item);
		else if (item[0] == ITEM_DATA && !is_key_zero(page + key, key_size))
			r = mw_rpm_header(bdb->database, item + 1, size - 1);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_pages(struct bdb *bdb)
{
	for (uint32_t number = 1; number < bdb->pages; number++) {
		int r = number % 64 ? 0 : mw_package_check_time(bdb->database->sink);
		if (r == 0 && read_page(bdb, number, bdb->page) < 0) {
			mw_rpm_warn(bdb->database, "it ends early; packages may be missing");
			return 0;
		}
		if (r == 0 && (bdb->page[25] == PAGE_HASH || bdb->page[25] == PAGE_HASH_UNSORTED))
			r = read_pairs(bdb);
		if (r < 0)
			return r;
	}
	return 0;
}

int mw_rpm_bdb_read(struct mw_rpm_database *database)
{
	uint8_t head[META_HEAD_BYTES];
	struct bdb bdb = {.database = database};
	int r = mw_rpm_pread(database, head, sizeof(head), 0);
	if (r == 0 && u32(&bdb, head + 12) != HASH_MAGIC) {
		bdb.is_swapped = true;
		if (u32(&bdb, head + 12) != HASH_MAGIC)
			r = -EPROTO;
	}
	if (r == 0) {
		bdb.page_bytes = u32(&bdb, head + 20);
		uint64_t last = u32(&bdb, head + 32);
		uint32_t size = bdb.page_bytes;
		if (size < PAGE_BYTES_MIN || size > PAGE_BYTES_MAX || size & (size - 1) || head[25] != PAGE_HASH_META)
			r = -EPROTO;
		else if (last + 1 > database->size / size)
			mw_rpm_warn(database, "it is truncated; packages may be missing");
		bdb.pages = r == 0 ? (uint32_t)(database->size / size > last ? last + 1 : database->size / size) : 0;
	}
	if (r < 0) {
		mw_rpm_warn(database, "no database of rpm's that is understood");
		return 0;
	}
	bdb.chain_pages_left = bdb.pages;
	MW_AUTO(mw_buf) pages = MW_BUF(2 * PAGE_BYTES_MAX);
	bdb.page = (uint8_t *)mw_buf_reserve(&pages, (size_t)bdb.page_bytes * 2);
	if (!bdb.page)
		return -ENOMEM;
	bdb.chain = bdb.page + bdb.page_bytes;
	return read_pages(&bdb);
}

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/rpm_formats.h"

enum {
	WAL_HEAD_BYTES = 32,
	FRAME_HEAD_BYTES = 24,
	/* The lowest bit says in which byte order the words are summed. */
	WAL_MAGIC = 0x377f0682,
	WAL_VERSION = 3007000,
	PAGE_BYTES_MIN = 512,
	PAGE_BYTES_MAX = 64 << 10,
	/* Offsets in the database's header: versions for writing and reading, 1 without a log and 2 with one. */
	WRITE_VERSION = 18,
	READ_VERSION = 19,
	DATABASE_HEAD_BYTES = 100,
};

struct wal {
	const uint8_t *data;
	size_t size;
	uint32_t page_bytes;
	bool is_big_endian;
	uint32_t sums[2];
};

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static uint32_t le32(const uint8_t *at)
{
	return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* `n` is a multiple of 8. */
static void sum(struct wal *wal, const uint8_t *at, size_t n)
{
	for (size_t i = 0; i < n; i += 8) {
		wal->sums[0] += (wal->is_big_endian ? be32(at + i) : le32(at + i)) + wal->sums[1];
		wal->sums[1] += (wal->is_big_endian ? be32(at + i + 4) : le32(at + i + 4)) + wal->sums[0];
	}
}

static bool parse_head(struct wal *wal)
{
	if (wal->size < WAL_HEAD_BYTES || (be32(wal->data) & ~1U) != WAL_MAGIC || be32(wal->data + 4) != WAL_VERSION)
		return false;
	wal->is_big_endian = be32(wal->data) & 1;
	wal->page_bytes = be32(wal->data + 8);
	sum(wal, wal->data, WAL_HEAD_BYTES - 8);
	return wal->page_bytes >= PAGE_BYTES_MIN && wal->page_bytes <= PAGE_BYTES_MAX &&
	       (wal->page_bytes & (wal->page_bytes - 1)) == 0 && wal->sums[0] == be32(wal->data + 24) &&
	       wal->sums[1] == be32(wal->data + 28);
}

/* The frame at an offset; NULL when it is not whole, or of a log before this one. */
static const uint8_t *frame_at(struct wal *wal, size_t offset)
{
	if (wal->size - offset < FRAME_HEAD_BYTES + (size_t)wal->page_bytes)
		return NULL;
	const uint8_t *frame = wal->data + offset;
	if (memcmp(frame + 8, wal->data + 16, 8) != 0)
		return NULL;
	sum(wal, frame, 8);
	sum(wal, frame + FRAME_HEAD_BYTES, wal->page_bytes);
	return wal->sums[0] == be32(frame + 16) && wal->sums[1] == be32(frame + 20) && be32(frame) ? frame : NULL;
}

int mw_rpm_wal_apply(uint8_t **image, size_t *size, size_t max, const uint8_t *wal, size_t wal_size)
{
	struct wal log = {.data = wal, .size = wal_size};
	bool is_log = parse_head(&log);
	/* In memory there is no log. */
	if (*size >= DATABASE_HEAD_BYTES)
		(*image)[WRITE_VERSION] = (*image)[READ_VERSION] = 1;
	if (!is_log)
		return 0;
	size_t frame_bytes = FRAME_HEAD_BYTES + (size_t)log.page_bytes;
	size_t end = WAL_HEAD_BYTES; /* behind the last whole transaction */
	uint32_t pages = 0;          /* of the database after it */
	const uint8_t *frame;
	for (size_t at = WAL_HEAD_BYTES; (frame = frame_at(&log, at)); at += frame_bytes) {
		if (be32(frame + 4) == 0)
			continue;
		end = at + frame_bytes;
		pages = be32(frame + 4);
	}
	if (pages == 0)
		return 0;
	if (pages > max / log.page_bytes)
		return -EFBIG;
	size_t bytes = (size_t)pages * log.page_bytes; /* a page at least, so more than the header */
	if (bytes > *size) {
		uint8_t *larger = realloc(*image, bytes);
		if (!larger)
			return -ENOMEM;
		memset(larger + *size, 0, bytes - *size);
		*image = larger;
	}
	*size = bytes;
	for (size_t at = WAL_HEAD_BYTES; at < end; at += frame_bytes) {
		uint32_t page = be32(wal + at);
		if (page <= pages)
			memcpy(*image + (size_t)(page - 1) * log.page_bytes, wal + at + FRAME_HEAD_BYTES,
			       log.page_bytes);
	}
	(*image)[WRITE_VERSION] = (*image)[READ_VERSION] = 1; /* page 1 may have come from the log */
	return 0;
}

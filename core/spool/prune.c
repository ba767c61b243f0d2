/* The limits.  What nobody needs any more goes without being counted: lines that every consumer has read.  Of the rest the lowest
 * value goes first, and each consumer that had not read it yet counts it. */
#include <sqlite3.h>

#include "spool/spool_private.h"
#include "spool/store.h"

enum {
	CHUNK_ROWS = 500,
	/* Dropped by one commit, so that a limit set lower does not stop the writer for long. */
	CHUNKS = 64,
	/* Lines kept of a stream that has no consumer: one may come. */
	UNCLAIMED_ROWS = 10000,
};

static const enum mw_spool_stream by_value[MW_SPOOL_STREAMS] = {
	MW_SPOOL_EVENTS,
	MW_SPOOL_STATUS,
	MW_SPOOL_RESULTS,
	MW_SPOOL_ALERTS,
};

struct extent {
	int64_t first, last; /* of the rows that are there; first > last: none */
};

static int64_t integer_about(struct mw_spool *spool, unsigned which, enum mw_spool_stream stream, int64_t otherwise)
{
	struct sqlite3_stmt *statement = spool->statement[which];
	(void)sqlite3_bind_text(statement, 1, mw_spool_stream_names[stream], -1, SQLITE_STATIC);
	bool is_there = sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
	int64_t value = is_there ? sqlite3_column_int64(statement, 0) : otherwise;
	(void)sqlite3_reset(statement);
	return value;
}

static struct extent extent_of(struct mw_spool *spool, enum mw_spool_stream stream)
{
	struct sqlite3_stmt *first = spool->statement[MW_SPOOL_FIRST + stream];
	struct extent extent = {.last = integer_about(spool, MW_SPOOL_LAST, stream, 0)};
	extent.first = extent.last + 1;
	if (sqlite3_step(first) == SQLITE_ROW && sqlite3_column_type(first, 0) != SQLITE_NULL)
		extent.first = sqlite3_column_int64(first, 0);
	(void)sqlite3_reset(first);
	return extent;
}

/* Drop rows up to number `upto`. */
static int drop(struct mw_spool *spool, enum mw_spool_stream stream, int64_t upto, uint64_t *dropped,
		struct mw_err *err)
{
	struct sqlite3_stmt *missed = spool->statement[MW_SPOOL_MISSED];
	(void)sqlite3_bind_text(missed, 1, mw_spool_stream_names[stream], -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(missed, 2, upto);
	int r = mw_spool_run(spool, MW_SPOOL_MISSED, err);
	if (r < 0)
		return r;
	(void)sqlite3_bind_int64(spool->statement[MW_SPOOL_DROP + stream], 1, upto);
	r = mw_spool_run(spool, MW_SPOOL_DROP + stream, err);
	if (r == 0)
		*dropped += (uint64_t)sqlite3_changes(spool->db);
	return r;
}

static int drop_unclaimed(struct mw_spool *spool, enum mw_spool_stream stream, uint64_t *dropped, struct mw_err *err)
{
	struct extent extent = extent_of(spool, stream);
	if (extent.last - extent.first < UNCLAIMED_ROWS || integer_about(spool, MW_SPOOL_ALL_READ, stream, -1) >= 0)
		return 0;
	return drop(spool, stream, extent.last - UNCLAIMED_ROWS, dropped, err);
}

static int64_t rows_past_limit(struct mw_spool *spool, struct extent extents[MW_SPOOL_STREAMS])
{
	int64_t rows = 0;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		extents[i] = extent_of(spool, (enum mw_spool_stream)i);
		rows += extents[i].last - extents[i].first + 1;
	}
	return spool->limit_rows && rows > spool->limit_rows ? rows - spool->limit_rows : 0;
}

int mw_spool_prune(struct mw_spool *spool, unsigned streams, uint64_t *dropped, struct mw_err *err)
{
	int r = 0;
	for (unsigned i = MW_SPOOL_RESULTS; i < MW_SPOOL_STREAMS && r == 0; i++)
		if (streams >> i & 1)
			r = drop_unclaimed(spool, (enum mw_spool_stream)i, dropped, err);
	struct extent extents[MW_SPOOL_STREAMS];
	int64_t rows = rows_past_limit(spool, extents);
	bool is_full = mw_spool_used_bytes(spool) > spool->limit_bytes;
	for (unsigned i = 0, chunks = 0; r == 0 && i < MW_SPOOL_STREAMS && (is_full || rows > 0);) {
		enum mw_spool_stream stream = by_value[i];
		struct extent *extent = &extents[stream];
		int64_t here = extent->last - extent->first + 1;
		if (here <= 0) {
			i++;
			continue;
		}
		if (chunks++ == CHUNKS)
			break;
		int64_t n = is_full || rows > CHUNK_ROWS ? CHUNK_ROWS : rows;
		n = n > here ? here : n;
		extent->first += n;
		rows -= n;
		r = drop(spool, stream, extent->first - 1, dropped, err);
		is_full = mw_spool_used_bytes(spool) > spool->limit_bytes;
	}
	return r;
}

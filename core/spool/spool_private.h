/* What the files of the spool share.  For core/spool alone. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "spool/queue.h"
#include "spool/spool.h"

struct sqlite3;
struct sqlite3_stmt;

enum mw_spool_statement {
	MW_SPOOL_BEGIN,
	MW_SPOOL_COMMIT,
	MW_SPOOL_ROLLBACK,
	/* One a stream, in its order. */
	MW_SPOOL_ADD,
	MW_SPOOL_DROP = MW_SPOOL_ADD + MW_SPOOL_STREAMS,
	MW_SPOOL_READ = MW_SPOOL_DROP + MW_SPOOL_STREAMS,
	MW_SPOOL_FIRST = MW_SPOOL_READ + MW_SPOOL_STREAMS,
	MW_SPOOL_UNBURN = MW_SPOOL_FIRST + MW_SPOOL_STREAMS,
	MW_SPOOL_ADD_MANY, /* events, MW_SPOOL_MANY at once */
	MW_SPOOL_LAST,
	MW_SPOOL_PAGES,
	MW_SPOOL_FREE_PAGES,
	MW_SPOOL_COUNT,
	MW_SPOOL_PUT_HEALTH,
	MW_SPOOL_DROP_HEALTH,
	MW_SPOOL_PUT_DOCUMENT,
	MW_SPOOL_JOIN,
	MW_SPOOL_FORGET,
	MW_SPOOL_LEAVE,
	MW_SPOOL_MISSED,
	MW_SPOOL_ACK,
	MW_SPOOL_PASS,
	MW_SPOOL_HAND,
	MW_SPOOL_SET_ASIDE,
	MW_SPOOL_DROP_ASIDE,
	MW_SPOOL_CURSOR,
	MW_SPOOL_ALL_READ,
	MW_SPOOL_STATEMENTS,
};

enum {
	MW_SPOOL_MANY = 16
};

struct mw_spool {
	struct sqlite3 *db;
	struct sqlite3_stmt *statement[MW_SPOOL_STATEMENTS];
	char path[MW_PATH_BYTES]; /* "" in memory */
	int64_t page_bytes;
	int64_t limit_bytes; /* of the database, without its log */
	int64_t limit_rows;
	int64_t log_limit_bytes;
	int64_t checkpoint_bytes;
	int64_t log_pages;  /* since the log was last begun anew */
	int64_t restart_ns; /* CLOCK_MONOTONIC, before which a full log is not tried again */
	struct mw_buf batch;
	size_t write_at;    /* bytes in the batch at which mw_spool_add() writes it */
	struct mw_err last; /* why the batch could not be written */
	uint64_t stored[MW_SPOOL_STREAMS];
	uint64_t lost, dropped;
	uint64_t lost_written; /* part of `lost` that is in the file */
	int64_t origin_ns;     /* of the ids that are given here */
	uint64_t given;
	unsigned consumer_count;
	struct mw_spool_consumer consumers[MW_SPOOL_CONSUMERS];
	void (*added)(void *data, const struct mw_spool_news news[MW_SPOOL_STREAMS]);
	void *added_data;
};

/* Run a statement that gives nothing, and reset it. */
int mw_spool_run(struct mw_spool *spool, unsigned which, struct mw_err *err);
/* May the log grow? */
bool mw_spool_has_log_room(struct mw_spool *spool);
/* End a transaction: 0 commits; what went wrong rolls back, and is given on. */
int mw_spool_end(struct mw_spool *spool, int r, struct mw_err *err);
int64_t mw_spool_used_bytes(struct mw_spool *spool);

/* Within the transaction of a commit that added to `streams`: drop what is past the limits. */
int mw_spool_prune(struct mw_spool *spool, unsigned streams, uint64_t *dropped, struct mw_err *err);
/* Of a file that was made anew. */
int mw_spool_join_again(struct mw_spool *spool, struct mw_err *err);

/* Who reads the spool to carry it elsewhere: consumers.  Each has a cursor in every stream it wants, kept in the file, so that
 * what was not acknowledged before a kill is read again (at least once), and what was is not.
 *
 * Rows of a stream are numbered without gaps.  So for each consumer and stream, always:
 *   written = read + dropped + set aside + handed over + waiting
 * where dropped are rows that the limits took before they were read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spool/spool.h"

struct mw_buf;
struct mw_err;

enum {
	MW_SPOOL_CONSUMERS = 24,
	MW_SPOOL_CONSUMER_BYTES = 128,
	/* Of one batch. */
	MW_SPOOL_READ_BYTES = 8 << 20,
	MW_SPOOL_READ_ROWS = 10000,
	/* Rows set aside that are kept, of all consumers; they are counted even when they are not. */
	MW_SPOOL_ASIDE = 200,
};

struct mw_spool_consumer {
	char name[MW_SPOOL_CONSUMER_BYTES];
	unsigned streams; /* bits 1 << enum mw_spool_stream */
};

/* A row as it is read; texts are the batch's. */
struct mw_spool_item {
	enum mw_spool_stream stream;
	int64_t seq;
	int64_t time_ns;
	const char *id, *kind, *rule, *body; /* rule "" for all but alerts */
	size_t body_bytes;
};

struct mw_spool_counts {
	uint64_t written; /* since it joined, and what was there then */
	uint64_t read, dropped, aside, handed, waiting;
	int64_t last; /* number of the last row */
};

/* Make `name` a consumer of `streams`, or find it again; what is in the file already is its to read. */
int mw_spool_join(struct mw_spool *spool, const char *name, unsigned streams, struct mw_err *err);
/* No consumer any more, and its cursors are forgotten. */
int mw_spool_leave(struct mw_spool *spool, const char *name, struct mw_err *err);

/* Append to `batch` rows of `streams` that were committed and that the consumer did not acknowledge: alerts, results, events, status,
 * each in their order.  One row is given even when it has more than `max_bytes`. */
int mw_spool_read(struct mw_spool *spool, const char *name, unsigned streams, size_t max_rows, size_t max_bytes,
		  struct mw_buf *batch, bool *ret_more, struct mw_err *err);
/* The row at *at, which then is the next one's place; false at the end. */
bool mw_spool_batch_next(const struct mw_buf *batch, size_t *at, struct mw_spool_item *ret_item);

/* All rows up to these numbers are delivered; 0: nothing of that stream. */
int mw_spool_ack(struct mw_spool *spool, const char *name, const int64_t upto[MW_SPOOL_STREAMS], struct mw_err *err);
/* A row that nobody will ever take: acknowledged, but counted as set aside, and kept in the table `aside`, with the reason. */
int mw_spool_set_aside(struct mw_spool *spool, const char *name, const struct mw_spool_item *item, const char *why,
		       struct mw_err *err);

int mw_spool_count(struct mw_spool *spool, const char *name, enum mw_spool_stream stream,
		   struct mw_spool_counts *ret_counts, struct mw_err *err);
/* All cursors of the file, whoever's they are: `waiting` rows each. */
int mw_spool_cursors(struct mw_spool *spool, void (*take)(void *data, const char *consumer, uint64_t waiting),
		     void *data, struct mw_err *err);
/* The n-th consumer of this process; NULL at the end. */
const struct mw_spool_consumer *mw_spool_consumer_at(const struct mw_spool *spool, unsigned n);

struct mw_spool_news {
	unsigned rows;
	size_t bytes;
};

/* Call `added` after each commit, with what came of each stream. */
void mw_spool_tell(struct mw_spool *spool, void (*added)(void *data, const struct mw_spool_news news[MW_SPOOL_STREAMS]),
		   void *data);

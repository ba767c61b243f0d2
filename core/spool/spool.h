/* The durable queue of what was seen: one SQLite file (WAL) in the state folder, written by the sensor alone, read by
 * event tables from any process, also after the sensor ended; and by the consumers of queue.h, which carry it elsewhere.
 *
 * Past its limits (bytes, rows) the lowest value goes first: events, status, results, alerts; of each the oldest. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_err;
struct mw_spool;

enum mw_spool_stream {
	MW_SPOOL_EVENTS,
	MW_SPOOL_ALERTS,
	MW_SPOOL_RESULTS, /* lines of scheduled queries */
	MW_SPOOL_STATUS,  /* lines of the sensor's own log */
	MW_SPOOL_STREAMS,
};

enum {
	MW_SPOOL_RUNS = 8
};

struct mw_spool_row {
	const char *id;   /* of the event; NULL: one is given, for results and status */
	int64_t time_ns;  /* wall clock */
	const char *kind; /* of the event; results: the query's name */
	int64_t pid;      /* 0 for none */
	const char *rule; /* alerts: the rule's id; else NULL */
	const char *body; /* JSON object, as mw_shape_json() writes it */
	size_t body_bytes;
};

/* The file inside a state folder. */
#define MW_SPOOL_FILE "spool.db"

extern const char *const mw_spool_stream_names[MW_SPOOL_STREAMS];

/* Open for writing, creating the file.  `dir` "" keeps all in memory.  A file of an older format is brought to this one; one that
 * is no database, or of a newer format, is set aside (renamed to spool.db.bad) and a new one begun.  *ret_note (may be NULL) then
 * says so in a line. */
int mw_spool_open(const char *dir, uint64_t limit_bytes, struct mw_spool **ret_spool, struct mw_err *ret_note,
		  struct mw_err *err);
/* Rows of all streams together; 0: no limit. */
void mw_spool_limit_rows(struct mw_spool *spool, uint64_t rows);
/* Commits. */
void mw_spool_close(struct mw_spool *spool);

/* Add within the current transaction, beginning one when there is none.  -ENOSPC, -EIO, -EBUSY…: the row is lost, and
 * counted in mw_spool_lost(). */
int mw_spool_add(struct mw_spool *spool, enum mw_spool_stream stream, const struct mw_spool_row *row,
		 struct mw_err *err);
/* Make what was added visible to readers, and drop what is past the limits. */
int mw_spool_commit(struct mw_spool *spool, struct mw_err *err);

/* Replace what is known of the sensor's state in this run (the wall-clock time of its start), at once: `body` is a list
 * of rows as JSON, see sensor/health.h.  Of runs the newest MW_SPOOL_RUNS are kept. */
int mw_spool_put_health(struct mw_spool *spool, int64_t run_ns, bool has_ended, const char *body, size_t body_bytes,
			struct mw_err *err);

/* Replace what is known now of `name`, at once: a JSON object.  Tables read it: ecs_task and its like. */
int mw_spool_put_document(struct mw_spool *spool, const char *name, const char *body, size_t body_bytes,
			  struct mw_err *err);

/* Rows of a stream that are in the file. */
uint64_t mw_spool_stored(const struct mw_spool *spool, enum mw_spool_stream stream);
/* Rows that could not be written, and rows dropped because of the limits, whether they had been read or not. */
uint64_t mw_spool_lost(const struct mw_spool *spool);
uint64_t mw_spool_dropped(const struct mw_spool *spool);

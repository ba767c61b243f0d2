/* Tables whose rows are in the spool: columns and, for each, the SQL that reads it there. */
#pragma once

#include "spool/spool.h"
#include "sql/table.h"

struct mw_err;
struct sqlite3;

enum {
	MW_SPOOL_NO_COLUMN = 255,
};

struct mw_spool_source {
	/* Another file of the state folder than the spool; NULL for that.  As mw_spool_reader_open(). */
	int (*open)(const char *dir, struct sqlite3 **ret_db, struct mw_err *ret_note, struct mw_err *err);
	enum mw_spool_stream stream;
	/* Its rows are those of the stream as they came: a window (sql/window.h) holds for it. */
	bool is_events;
	/* Instead of a stream: what stands behind FROM, and its order.  Its columns take no constraints then. */
	const char *from;
	const char *order;
	const char *where; /* which rows of the stream, or NULL for all */
	/* For each column of the table, an expression over the stream's columns (core/spool/store.c); NULL where nothing
	 * is known: the column is always NULL. */
	const char *const *expressions;
	/* Instead of expressions: the columns are members of a JSON document, called as they are behind `member` ("own."). */
	const char *document, *member;
	/* Columns that constraints and order are passed on for. */
	unsigned time; /* in seconds */
	unsigned eid;
	unsigned pid;
};

int mw_spool_table_open(const struct mw_sql_scan *scan, const struct mw_spool_source *source, void **ret_state,
			struct mw_err *err);
int mw_spool_table_next(void *data, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err);
void mw_spool_table_close(void *data);

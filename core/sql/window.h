/* Which rows of the spool a query over event tables is to see: those that came since it ran last, some thousand at a time.  So no
 * event is told twice, and none is left out, however many there are. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "spool/spool.h"

struct mw_err;
struct sqlite3;

enum {
	MW_WINDOW_ID_BYTES = 64,
};

struct mw_sql_position {
	int64_t seq;                 /* the last row that was seen; 0: none */
	char id[MW_WINDOW_ID_BYTES]; /* its event: by it a spool that was begun anew is told from the one of before */
};

struct mw_sql_window {
	struct mw_sql_position since[MW_SPOOL_STREAMS];
	int64_t rows; /* of each stream, at most; 0: no limit */
	/* Set when a query reads the stream first. */
	bool is_used[MW_SPOOL_STREAMS];
	struct mw_sql_position until[MW_SPOOL_STREAMS]; /* where the next window begins */
	bool has_more[MW_SPOOL_STREAMS];
	/* Rows dropped from the spool before they were seen. */
	uint64_t missed[MW_SPOOL_STREAMS];
	bool is_anew[MW_SPOOL_STREAMS]; /* the spool is another one */
};

/* Find out what the window is, once.  SQLite's code. */
int mw_sql_window_use(struct mw_sql_window *window, enum mw_spool_stream stream, struct sqlite3 *spool);

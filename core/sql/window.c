#include "sql/window.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

enum question {
	ENDS,
	ID,
	LAST_BEFORE,
};

#define OF(stream) \
	{ \
		[ENDS] = "SELECT min(seq), (SELECT max(seq) FROM " stream ") FROM " stream, \
		[ID] = "SELECT id FROM " stream " WHERE seq = ?1", \
		[LAST_BEFORE] = "SELECT max(seq) FROM " stream " WHERE seq <= ?1", \
	}

static const char *const questions[MW_SPOOL_STREAMS][3] = {
	[MW_SPOOL_EVENTS] = OF("events"),
	[MW_SPOOL_ALERTS] = OF("alerts"),
};

struct ends {
	int64_t first, last;
	bool is_empty;
};

/* The row is given to `take`. */
static int ask(struct sqlite3 *spool, enum mw_spool_stream stream, enum question question, int64_t seq,
	       void (*take)(struct sqlite3_stmt *row, void *data), void *data)
{
	struct sqlite3_stmt *statement = NULL;
	int r = sqlite3_prepare_v2(spool, questions[stream][question], -1, &statement, NULL);
	if (r == SQLITE_OK) {
		if (question != ENDS)
			(void)sqlite3_bind_int64(statement, 1, seq);
		r = sqlite3_step(statement);
		if (r == SQLITE_ROW)
			take(statement, data);
	}
	(void)sqlite3_finalize(statement);
	return r == SQLITE_ROW || r == SQLITE_DONE ? SQLITE_OK : r;
}

static void take_ends(struct sqlite3_stmt *row, void *data)
{
	struct ends *ends = data;
	ends->is_empty = sqlite3_column_type(row, 0) == SQLITE_NULL;
	ends->first = sqlite3_column_int64(row, 0);
	ends->last = sqlite3_column_int64(row, 1);
}

static void take_id(struct sqlite3_stmt *row, void *data)
{
	const char *id = (const char *)sqlite3_column_text(row, 0);
	(void)snprintf(data, MW_WINDOW_ID_BYTES, "%s", id ? id : "");
}

static void take_number(struct sqlite3_stmt *row, void *data)
{
	*(int64_t *)data = sqlite3_column_int64(row, 0);
}

/* Is the row that was seen last another one now, or not yet written?  Then so is the spool. */
static int is_other_spool(const struct mw_sql_position *since, const struct ends *ends, struct sqlite3 *spool,
			  enum mw_spool_stream stream, bool *ret)
{
	char id[MW_WINDOW_ID_BYTES] = "";
	*ret = since->seq > 0 && !ends->is_empty && since->seq > ends->last;
	if (*ret || since->seq <= 0 || !*since->id)
		return SQLITE_OK;
	int r = ask(spool, stream, ID, since->seq, take_id, id);
	*ret = *id && strcmp(id, since->id) != 0;
	return r;
}

int mw_sql_window_use(struct mw_sql_window *window, enum mw_spool_stream stream, struct sqlite3 *spool)
{
	if (window->is_used[stream])
		return SQLITE_OK;
	struct mw_sql_position *since = &window->since[stream];
	struct mw_sql_position *until = &window->until[stream];
	struct ends ends = {.is_empty = true};
	int r = ask(spool, stream, ENDS, 0, take_ends, &ends);
	if (r == SQLITE_OK)
		r = is_other_spool(since, &ends, spool, stream, &window->is_anew[stream]);
	if (r != SQLITE_OK)
		return r;
	window->is_used[stream] = true;
	if (window->is_anew[stream])
		*since = (struct mw_sql_position){.seq = 0};
	*until = *since;
	if (ends.is_empty)
		return SQLITE_OK;
	/* What was dropped before anybody asked for the first time is nobody's loss. */
	if (since->seq > 0 && ends.first > since->seq + 1)
		window->missed[stream] = (uint64_t)(ends.first - since->seq - 1);
	int64_t from = ends.first > since->seq ? ends.first - 1 : since->seq;
	until->seq = ends.last;
	if (window->rows > 0 && ends.last - from > window->rows) {
		until->seq = from + window->rows;
		r = ask(spool, stream, LAST_BEFORE, until->seq, take_number, &until->seq);
		window->has_more[stream] = true;
	}
	return r == SQLITE_OK ? ask(spool, stream, ID, until->seq, take_id, until->id) : r;
}

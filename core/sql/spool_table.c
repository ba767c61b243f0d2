/* A scan is one statement over a read-only connection to the spool, which asks for no more than the outer query uses. */
#include "sql/spool_table.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "proc/procfs.h"
#include "spool/reader.h"
#include "spool/state_dir.h"
#include "sql/interrupt.h"
#include "sql/window.h"
#include "sql/world.h"

enum {
	STATEMENT_BYTES = 1 << 14,
	CLOCK_STEPS = 1000, /* as in db.c */
};

struct state {
	struct sqlite3 *db;
	struct sqlite3_stmt *statement; /* NULL when there is no spool */
	int64_t deadline_ns;
};

/* sqlite3_progress_handler() */
static int is_late(void *data)
{
	const struct state *state = data;
	return mw_sql_is_interrupted() || mw_clock_mono_ns() > state->deadline_ns;
}

/* Seconds as the first nanosecond of theirs. */
static int64_t nanoseconds(int64_t seconds)
{
	int64_t most = INT64_MAX / MW_NS_PER_S;
	return (seconds > most ? most : seconds < -most ? -most : seconds) * MW_NS_PER_S;
}

/* A second spans time_ns from its first nanosecond to before that of the next. */
static void add_time(struct mw_buf *sql, const struct mw_sql_constraint *time)
{
	if (!time->is_integer)
		return; /* SQLite compares by itself */
	int64_t from = nanoseconds(time->integer);
	int64_t after = time->integer < INT64_MAX ? nanoseconds(time->integer + 1) : INT64_MAX;
	if (time->op == MW_SQL_EQ || time->op == MW_SQL_GE)
		mw_buf_printf(sql, " AND time_ns >= %lld", (long long)from);
	if (time->op == MW_SQL_EQ || time->op == MW_SQL_LE)
		mw_buf_printf(sql, " AND time_ns < %lld", (long long)after);
	if (time->op == MW_SQL_GT)
		mw_buf_printf(sql, " AND time_ns >= %lld", (long long)after);
	if (time->op == MW_SQL_LT)
		mw_buf_printf(sql, " AND time_ns < %lld", (long long)from);
}

static void build(struct mw_buf *sql, const struct mw_sql_scan *scan, const struct mw_spool_source *source)
{
	const char *separator = "SELECT ";
	for (unsigned i = 0; scan->table->columns[i].name; i++) {
		const char *name = scan->table->columns[i].name;
		if (source->document && mw_sql_wants(scan, i)) {
			mw_buf_printf(sql, "%sjson_extract(%s, '$.%s%s')", separator, source->document, source->member,
				      name);
		} else {
			bool is_read = source->expressions && source->expressions[i] && mw_sql_wants(scan, i);
			mw_buf_printf(sql, "%s%s", separator, is_read ? source->expressions[i] : "NULL");
		}
		separator = ", ";
	}
	const char *stream = source->stream == MW_SPOOL_ALERTS ? "alerts" : "events";
	mw_buf_printf(sql, " FROM %s WHERE %s", source->from ? source->from : stream,
		      source->where ? source->where : "1");
	const struct mw_sql_window *window = source->is_events ? scan->world->window : NULL;
	if (window)
		mw_buf_printf(sql, " AND seq > %lld AND seq <= %lld", (long long)window->since[source->stream].seq,
			      (long long)window->until[source->stream].seq);
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		const struct mw_sql_constraint *constraint = &scan->constraints[i];
		if (constraint->column == source->time)
			add_time(sql, constraint);
		else if (constraint->op == MW_SQL_EQ && constraint->column == source->eid)
			mw_buf_printf(sql, " AND id = ?%u", i + 1);
		else if (constraint->op == MW_SQL_EQ && constraint->column == source->pid && constraint->is_integer)
			mw_buf_printf(sql, " AND pid = %lld", (long long)constraint->integer);
	}
	/* By time_ns the rows are in order of the seconds too.  Unordered they come as they arrived, unless an index finds
	 * them sooner. */
	if (scan->order)
		mw_buf_printf(sql, " ORDER BY time_ns%s", scan->order < 0 ? " DESC" : "");
	else if (scan->constraint_count == 0)
		mw_buf_printf(sql, " ORDER BY %s", source->order ? source->order : "seq");
}

static int fail(struct state *state, struct mw_err *err)
{
	switch (sqlite3_errcode(state->db) & 0xFF) {
	case SQLITE_INTERRUPT:
		return -ETIME;
	case SQLITE_NOMEM:
		return -ENOMEM;
	default:
		return mw_err_set(err, -EIO, "the spool cannot be read: %s", sqlite3_errmsg(state->db));
	}
}

/* uptime_at(time_ns): seconds from the machine's start to then; NULL when that was later. */
static void uptime_at(sqlite3_context *context, int count, sqlite3_value **values)
{
	(void)count;
	int64_t ns = sqlite3_value_int64(values[0]) - mw_procfs_boot_real_ns();
	if (ns >= 0)
		sqlite3_result_int64(context, ns / MW_NS_PER_S);
}

static int start(struct state *state, const struct mw_sql_scan *scan, const struct mw_spool_source *source,
		 struct mw_err *err)
{
	MW_AUTO(mw_buf) sql = MW_BUF(STATEMENT_BYTES);
	state->deadline_ns = scan->world->deadline_ns;
	sqlite3_progress_handler(state->db, CLOCK_STEPS, is_late, state);
	if (source->is_events && scan->world->window &&
	    mw_sql_window_use(scan->world->window, source->stream, state->db) != SQLITE_OK)
		return fail(state, err);
	build(&sql, scan, source);
	if (mw_buf_status(&sql) < 0)
		return -ENOMEM;
	(void)sqlite3_create_function(state->db, "uptime_at", 1, SQLITE_UTF8, NULL, uptime_at, NULL, NULL);
	if (sqlite3_prepare_v2(state->db, sql.data, (int)sql.size, &state->statement, NULL) != SQLITE_OK)
		return fail(state, err);
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		const struct mw_sql_constraint *constraint = &scan->constraints[i];
		if (constraint->op == MW_SQL_EQ && constraint->column == source->eid)
			(void)sqlite3_bind_text(state->statement, (int)i + 1, constraint->text, (int)constraint->bytes,
						SQLITE_TRANSIENT);
	}
	return 0;
}

int mw_spool_table_open(const struct mw_sql_scan *scan, const struct mw_spool_source *source, void **ret_state,
			struct mw_err *err)
{
	char dir[MW_PATH_BYTES];
	struct mw_err note = {""};
	struct mw_err why = {""};
	struct state *state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	int r = mw_state_dir_find(scan->world->state_dir, dir, &why);
	if (r == 0)
		r = (source->open ? source->open : mw_spool_reader_open)(dir, &state->db, &note, &why);
	if (r == 0 && *note.text)
		mw_sql_warn(scan->world, "%s", note.text);
	if (r == 0) {
		r = start(state, scan, source, err);
		if (r < 0) {
			mw_spool_table_close(state);
			return r;
		}
	} else if (r == -ENOMEM) {
		free(state);
		return r;
	} else { /* nothing was ever seen here: no rows, and it is said why */
		mw_sql_warn(scan->world, "%s: %s", scan->table->name, why.text);
	}
	*ret_state = state;
	return 0;
}

static void copy(struct sqlite3_stmt *from, unsigned column, struct mw_rows *rows)
{
	int n = (int)column;
	switch (sqlite3_column_type(from, n)) {
	case SQLITE_NULL:
		break;
	case SQLITE_INTEGER:
		mw_rows_int(rows, column, sqlite3_column_int64(from, n));
		break;
	case SQLITE_FLOAT:
		mw_rows_double(rows, column, sqlite3_column_double(from, n));
		break;
	default: {
		const char *text = (const char *)sqlite3_column_text(from, n);
		if (text)
			mw_rows_text(rows, column, text, (size_t)sqlite3_column_bytes(from, n));
	}
	}
}

int mw_spool_table_next(void *data, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct state *state = data;
	if (!state->statement)
		return 0;
	int r = sqlite3_step(state->statement);
	if (r == SQLITE_DONE)
		return 0;
	if (r != SQLITE_ROW)
		return fail(state, err);
	r = mw_rows_add(rows);
	for (unsigned i = 0; r == 0 && scan->table->columns[i].name; i++)
		copy(state->statement, i, rows);
	return r;
}

void mw_spool_table_close(void *data)
{
	struct state *state = data;
	if (!state)
		return;
	(void)sqlite3_finalize(state->statement);
	(void)sqlite3_close(state->db);
	free(state);
}

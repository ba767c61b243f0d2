/* SQL over the tables: a connection that can only read, with limits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_buf;
struct mw_err;
struct mw_flags;
struct mw_sql;
struct mw_sql_query;
struct mw_sql_table;
struct mw_sql_window;
struct mw_sql_world;

struct mw_sql_options {
	const char *state_dir;        /* where event tables look first; NULL or "" for the usual places alone */
	const char *proc;             /* NULL: "/proc" */
	const char *root;             /* NULL: "", the folder that holds etc/ */
	const struct mw_flags *flags; /* borrowed; NULL: as the environment sets them */
	/* Limits of one query; 0 for the default, which is in db.c. */
	int64_t time_ms;
	uint64_t rows;
	uint64_t memory_bytes; /* of SQLite, beyond what was in use when the query began */
	/* Of all of SQLite in this process, whoever uses it; 0 for none.  For programs that do nothing else. */
	uint64_t process_memory_bytes;
	/* Most threads that tables may take beside the one that asks: no more than there are other CPUs.  0: none. */
	unsigned helpers;
};

int mw_sql_open(const struct mw_sql_options *options, struct mw_sql **ret_sql, struct mw_err *err);
/* Queries must be gone. */
void mw_sql_close(struct mw_sql *sql);

/* For the queries that are prepared from now on; 0 for the default. */
void mw_sql_set_limits(struct mw_sql *sql, int64_t time_ms, uint64_t rows, uint64_t memory_bytes);
/* Of event tables, only what is in the window is read (sql/window.h); borrowed.  NULL: all. */
void mw_sql_set_window(struct mw_sql *sql, struct mw_sql_window *window);

/* Make a view, of this connection alone.  -EINVAL when the name is none, or taken, or `text` is not one SELECT that SQLite
 * understands; -EPERM for what is not reading. */
int mw_sql_add_view(struct mw_sql *sql, const char *name, const char *text, size_t bytes, struct mw_err *err);

/* The first statement of `text`.  *ret_query is NULL when there is none (blanks, a comment); *ret_rest is where the next
 * may begin.  -EINVAL for what SQLite does not understand, -EPERM for what is not reading. */
int mw_sql_prepare(struct mw_sql *sql, const char *text, size_t bytes, struct mw_sql_query **ret_query,
		   const char **ret_rest, struct mw_err *err);
void mw_sql_finish(struct mw_sql_query *query);

/* Names of the tables, each with its NUL, that the statement prepared last reads; also those behind its views.  NULL when there is
 * none, or memory is exhausted.  Borrowed until the next one is prepared. */
const char *mw_sql_tables_read(const struct mw_sql *sql, size_t *ret_bytes);

unsigned mw_sql_columns(const struct mw_sql_query *query);
const char *mw_sql_column_name(const struct mw_sql_query *query, unsigned column);
/* As the table declares it; "" for an expression, which has the type of each value. */
const char *mw_sql_column_type(const struct mw_sql_query *query, unsigned column);

/* 1 with a row, 0 at the end; -ETIME or -ENOBUFS past a limit, -EINTR after mw_sql_interrupt() (sql/interrupt.h), -ENOMEM,
 * -EINVAL for other failures. */
int mw_sql_step(struct mw_sql_query *query, struct mw_err *err);

enum mw_sql_value_type {
	MW_SQL_VALUE_NULL,
	MW_SQL_VALUE_INTEGER,
	MW_SQL_VALUE_REAL,
	MW_SQL_VALUE_BYTES, /* a text or a blob */
};

/* Values of the row; texts are borrowed until the next step. */
enum mw_sql_value_type mw_sql_value_type(const struct mw_sql_query *query, unsigned column);
int64_t mw_sql_value_integer(const struct mw_sql_query *query, unsigned column);
double mw_sql_value_real(const struct mw_sql_query *query, unsigned column);
/* Also of numbers, as SQLite writes them.  NULL for NULL. */
const char *mw_sql_value_bytes(struct mw_sql_query *query, unsigned column, size_t *ret_bytes);

/* Is `text` whole statements, so that nothing more is to be waited for? */
bool mw_sql_is_complete(const char *text);

/* What was noticed since the last call, a line each; NULL when nothing was.  Borrowed until the next call. */
const char *mw_sql_warnings(struct mw_sql *sql);

/* NULL when there is no such table. */
const struct mw_sql_table *mw_sql_table(const char *name);

const char *mw_sql_sqlite_version(void);

/* For tests. */
struct mw_sql_world *mw_sql_world(struct mw_sql *sql);

/* What a table is: one file with one of these, and a line in tables.c.
 *
 * A table says which columns it has and how its rows are found; all that SQLite wants of it is in vtab.c, and the schema,
 * the documentation and the shell's completion are derived from the descriptor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_err;
struct mw_rows;
struct mw_sql_world;

enum mw_sql_type {
	MW_SQL_TEXT,
	MW_SQL_INTEGER,
	MW_SQL_BIGINT,
	MW_SQL_DOUBLE,
	MW_SQL_BLOB,
	MW_SQL_UNSIGNED_BIGINT,
};

/* Options of a column, as in osquery's specifications. */
enum {
	/* `= value` (and IN, one by one) is given to the table, which then reads less.  Part of the primary key. */
	MW_SQL_INDEX = 1 << 0,
	/* Further input the table reacts to: likewise. */
	MW_SQL_ADDITIONAL = 1 << 1,
	/* A scan needs `= value` (or LIKE, with MW_SQL_LIKE) for one of the table's required columns. */
	MW_SQL_REQUIRED = 1 << 2,
	/* Not in SELECT *. */
	MW_SQL_HIDDEN = 1 << 3,
	/* < <= > >= are given to the table too. */
	MW_SQL_RANGE = 1 << 4,
	/* LIKE and GLOB are given to the table too. */
	MW_SQL_LIKE = 1 << 5,
	/* The table can give its rows in the order of this column. */
	MW_SQL_ORDER = 1 << 6,
	/* Of another platform: hidden, always NULL. */
	MW_SQL_FOREIGN = 1 << 7,
	/* Whose rows: without `= value` those of the current user alone.  A join is therefore planned so that it gives one. */
	MW_SQL_USER = 1 << 8,
	/* `IN (…)` is given whole, for mw_sql_one_of(), not in a scan for each value. */
	MW_SQL_SET = 1 << 9,
};

struct mw_sql_column {
	const char *name;
	enum mw_sql_type type;
	unsigned options;
	const char *doc;     /* NULL in tables that are declared only */
	const char *collate; /* NULL: as SQLite compares; else a name of collations.c */
};

enum mw_sql_operator {
	MW_SQL_EQ,
	MW_SQL_LT,
	MW_SQL_LE,
	MW_SQL_GT,
	MW_SQL_GE,
	MW_SQL_MATCH_LIKE,
	MW_SQL_MATCH_GLOB,
	MW_SQL_ANY_OF,
};

/* SQLite checks every row again, so a table may use a constraint as far as it can. */
struct mw_sql_constraint {
	unsigned column;
	enum mw_sql_operator op;
	bool is_integer; /* else a text */
	int64_t integer;
	const char *text; /* also of integers */
	size_t bytes;
	/* MW_SQL_ANY_OF: instead of a value some, each as by MW_SQL_EQ. */
	struct mw_sql_constraint *values;
	size_t value_count;
};

enum {
	MW_SQL_CONSTRAINTS = 16,
	/* Columns of one table; the widest of osquery's on Linux has 39. */
	MW_SQL_COLUMNS = 64,
};

/* One pass over a table. */
struct mw_sql_scan {
	const struct mw_sql_table *table;
	struct mw_sql_world *world;
	uint64_t wanted; /* columns whose values are used: bit n for column n */
	unsigned constraint_count;
	struct mw_sql_constraint constraints[MW_SQL_CONSTRAINTS];
	/* MW_SQL_ORDER: 1 up, -1 down, 0 as it comes; by `order_column`. */
	int order;
	unsigned order_column;
};

struct mw_sql_table {
	const char *name;
	const char *alias; /* another name, or NULL */
	const char *doc;
	const char *source;                  /* where its rows come from, for the documentation */
	const char *example;                 /* a query, or NULL */
	const struct mw_sql_column *columns; /* ended by one without a name */
	unsigned rows_per_key;               /* how many one value of an index gives, roughly; 0: one */

	/* Either: all rows at once.  0 or a negative errno. */
	int (*fill)(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err);

	/* Or: some at a time.  `open` makes a state; `next` adds rows, and is called again until it adds none; `close`
	 * frees the state, which is NULL when open failed. */
	int (*open)(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err);
	int (*next)(void *state, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err);
	void (*close)(void *state);
};

/* Tables that are implemented, ended by NULL; see empty.h for all. */
extern const struct mw_sql_table *const mw_sql_tables[];

static inline bool mw_sql_wants(const struct mw_sql_scan *scan, unsigned column)
{
	return scan->wanted >> column & 1;
}

/* The value `column` must be equal to; NULL when the query does not say. */
const struct mw_sql_constraint *mw_sql_equal(const struct mw_sql_scan *scan, unsigned column);

/* The values of which `column` must have one, by = or IN; NULL when the query does not say. */
const struct mw_sql_constraint *mw_sql_one_of(const struct mw_sql_scan *scan, unsigned column, size_t *ret_count);

/* Begin a row, all NULL.  -ENOBUFS past the limits of rows.c, -ETIME when the query has taken too long: the table then
 * returns that. */
int mw_rows_add(struct mw_rows *rows);
/* Set a value of the last row; texts are copied.  A text that does not fit makes the next mw_rows_add() fail. */
void mw_rows_text(struct mw_rows *rows, unsigned column, const char *text, size_t bytes);
void mw_rows_string(struct mw_rows *rows, unsigned column, const char *string);
void mw_rows_int(struct mw_rows *rows, unsigned column, int64_t value);
/* The number that `text` is; NULL when it is none. */
void mw_rows_number(struct mw_rows *rows, unsigned column, const char *text);
void mw_rows_double(struct mw_rows *rows, unsigned column, double value);
/* Take the last row back. */
void mw_rows_undo(struct mw_rows *rows);

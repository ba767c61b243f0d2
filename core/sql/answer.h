/* All that a query gives, in one buffer, so that one thread can make it and another take it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "sql/window.h"

struct mw_sql;

enum mw_answer_form {
	MW_ANSWER_VALUES, /* each value with its type */
	MW_ANSWER_JSON,   /* each row as a JSON object */
};

struct mw_ask {
	const char *text; /* one statement or several */
	size_t bytes;
	/* Limits; 0 for the default. */
	int64_t time_ms;
	uint64_t rows;
	uint64_t memory_bytes;
	uint64_t answer_bytes;
	bool is_plan; /* only find out which tables would be read */
	enum mw_answer_form form;
	/* Of JSON. */
	bool has_numbers; /* integers and doubles as numbers, else as texts */
	bool is_sorted;   /* keys in the order of their bytes, else as they are selected */
	bool is_escaped;  /* control bytes, and bytes that are no UTF-8, as \xHH */
	char null_text[32];
	/* Event tables: what is new since `window.since`. */
	bool has_window;
	struct mw_sql_window window;
};

/* What `data` is made of: a tag, then
 *   MW_ANSWER_COLUMNS  u32 count; name and type of each, with their NULs.  Holds for the rows behind it.
 *   MW_ANSWER_ROW      of each column a tag, then nothing (NULL), int64_t, double, or u32 length and bytes
 *   MW_ANSWER_OBJECT   u32 length and bytes */
enum {
	MW_ANSWER_COLUMNS = 'C',
	MW_ANSWER_ROW = 'R',
	MW_ANSWER_OBJECT = 'O',
	MW_ANSWER_NULL = 'n',
	MW_ANSWER_INTEGER = 'i',
	MW_ANSWER_REAL = 'r',
	MW_ANSWER_BYTES = 'b',
};

struct mw_answer {
	int code;          /* 0 or a negative errno; then what came before it is in `data` */
	struct mw_err err; /* why */
	struct mw_buf data;
	uint64_t rows;
	struct mw_buf tables;   /* that were read, each with its NUL */
	struct mw_buf warnings; /* lines */
	struct mw_sql_window window;
	int64_t wall_ns, user_ns, system_ns;
	int64_t memory_bytes; /* the most that SQLite and the answer took */
};

/* Runs all statements.  `answer` is zeroed by the caller, and released by mw_answer_release(). */
void mw_answer_make(struct mw_sql *sql, const struct mw_ask *ask, struct mw_answer *answer);
void mw_answer_release(struct mw_answer *answer);

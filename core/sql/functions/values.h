/* Arguments and results of functions.  For core/sql/functions alone. */
#pragma once

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	/* Of one result; SQLITE_LIMIT_LENGTH in db.c is the same. */
	MW_VALUE_BYTES = 16 << 20
};

/* A text or blob as it is, a number as SQLite writes it.  Borrowed; not NULL, but for want of memory, which is reported. */
struct mw_value {
	const char *data;
	size_t size;
};

static inline bool mw_is_null(sqlite3_value *value)
{
	return sqlite3_value_type(value) == SQLITE_NULL;
}

static inline bool mw_any_null(int count, sqlite3_value **values)
{
	for (int i = 0; i < count; i++)
		if (mw_is_null(values[i]))
			return true;
	return false;
}

static inline struct mw_value mw_value_of(sqlite3_value *value)
{
	const char *data = sqlite3_value_type(value) == SQLITE_BLOB ? sqlite3_value_blob(value)
								    : (const char *)sqlite3_value_text(value);
	return (struct mw_value){data ? data : "", data ? (size_t)sqlite3_value_bytes(value) : 0};
}

static inline void mw_result_bytes(sqlite3_context *context, const char *bytes, size_t size)
{
	sqlite3_result_text64(context, bytes ? bytes : "", size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

/* What `buf` holds, or that it was too much. */
static inline void mw_result_buf(sqlite3_context *context, const struct mw_buf *buf)
{
	if (mw_buf_status(buf) < 0)
		sqlite3_result_error_toobig(context);
	else
		mw_result_bytes(context, buf->data, buf->size);
}

/* Functions of SQL, with any arguments: patterns of regular expressions, addresses, Base64. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "sql/db.h"
#include "sql/function.h"

enum {
	QUERY_BYTES = 1 << 16,
	TIME_MS = 200,
};

static const struct mw_sql_function *pick(unsigned n)
{
	unsigned count = 0;
	for (;;)
		for (const struct mw_sql_family *const *family = mw_sql_families; *family; family++)
			for (const struct mw_sql_function *function = (*family)->functions; function->name; function++)
				if (count++ == n)
					return function;
}

/* A text that holds these bytes, as an expression. */
static void add_text(struct mw_buf *query, const uint8_t *bytes, size_t size)
{
	mw_buf_str(query, "CAST(x'");
	for (size_t i = 0; i < size; i++)
		mw_buf_printf(query, "%02x", bytes[i]);
	mw_buf_str(query, "' AS TEXT)");
}

static void run(struct mw_sql *sql, const char *text)
{
	struct mw_sql_query *query = NULL;
	const char *rest;
	struct mw_err err;
	if (mw_sql_prepare(sql, text, strlen(text), &query, &rest, &err) == 0 && query &&
	    mw_sql_step(query, &err) > 0) {
		size_t bytes;
		(void)mw_sql_value_bytes(query, 0, &bytes);
	}
	mw_sql_finish(query);
	(void)mw_sql_warnings(sql);
}

/* The first byte says which function, the second how many arguments beyond the least; then come those, with NULs between. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct mw_sql *sql;
	struct mw_sql_options options = {.state_dir = "/nowhere", .time_ms = TIME_MS};
	struct mw_err err;
	if (size < 2 || (!sql && mw_sql_open(&options, &sql, &err) < 0))
		return 0;
	const struct mw_sql_function *function = pick(data[0]);
	int count = function->least;
	if (count < function->most && data[1] % 2)
		count++;
	struct mw_buf query = MW_BUF(QUERY_BYTES);
	mw_buf_printf(&query, "SELECT %s(", function->name);
	const uint8_t *at = data + 2;
	const uint8_t *end = data + size;
	for (int i = 0; i < count; i++) {
		const uint8_t *stop = at < end ? memchr(at, '\0', (size_t)(end - at)) : NULL;
		stop = stop && i + 1 < count ? stop : end;
		if (i)
			mw_buf_str(&query, ", ");
		add_text(&query, at, (size_t)(stop - at));
		at = stop < end ? stop + 1 : end;
	}
	mw_buf_str(&query, ")");
	if (mw_buf_status(&query) == 0)
		run(sql, query.data);
	mw_buf_release(&query);
	return 0;
}

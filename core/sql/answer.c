#include "sql/answer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/json.h"
#include "sql/db.h"
#include "sql/memory.h"

enum {
	ANSWER_BYTES = 16 << 20,
	TABLES_BYTES = 64 << 10,
	WARNINGS_BYTES = 16 << 10,
	COLUMNS = 2000, /* that SQLite allows */
};

struct making {
	struct mw_sql *sql;
	const struct mw_ask *ask;
	struct mw_answer *answer;
	unsigned columns;
	unsigned order[COLUMNS]; /* of keys in JSON */
	unsigned keys;
};

static void add_u32(struct mw_buf *data, size_t n)
{
	uint32_t value = (uint32_t)n;
	mw_buf_add(data, &value, sizeof(value));
}

static void add_columns(const struct mw_sql_query *query, struct making *making)
{
	struct mw_buf *data = &making->answer->data;
	mw_buf_char(data, MW_ANSWER_COLUMNS);
	add_u32(data, making->columns);
	for (unsigned i = 0; i < making->columns; i++) {
		const char *name = mw_sql_column_name(query, i);
		const char *type = mw_sql_column_type(query, i);
		mw_buf_add(data, name, strlen(name) + 1);
		mw_buf_add(data, type, strlen(type) + 1);
	}
}

/* Of columns of one name the last one counts, as in osquery. */
static void order_keys(const struct mw_sql_query *query, struct making *making)
{
	making->keys = 0;
	for (unsigned i = 0; i < making->columns; i++) {
		const char *name = mw_sql_column_name(query, i);
		bool is_last = true;
		for (unsigned k = i + 1; k < making->columns && is_last; k++)
			is_last = strcmp(name, mw_sql_column_name(query, k)) != 0;
		if (!is_last)
			continue;
		unsigned at = making->keys++;
		for (;
		     making->ask->is_sorted && at && strcmp(mw_sql_column_name(query, making->order[at - 1]), name) > 0;
		     at--)
			making->order[at] = making->order[at - 1];
		making->order[at] = i;
	}
}

static void add_value(struct mw_sql_query *query, unsigned column, struct mw_buf *data)
{
	switch (mw_sql_value_type(query, column)) {
	case MW_SQL_VALUE_NULL:
		mw_buf_char(data, MW_ANSWER_NULL);
		break;
	case MW_SQL_VALUE_INTEGER: {
		int64_t value = mw_sql_value_integer(query, column);
		mw_buf_char(data, MW_ANSWER_INTEGER);
		mw_buf_add(data, &value, sizeof(value));
		break;
	}
	case MW_SQL_VALUE_REAL: {
		double value = mw_sql_value_real(query, column);
		mw_buf_char(data, MW_ANSWER_REAL);
		mw_buf_add(data, &value, sizeof(value));
		break;
	}
	case MW_SQL_VALUE_BYTES: {
		size_t bytes;
		const char *text = mw_sql_value_bytes(query, column, &bytes);
		mw_buf_char(data, MW_ANSWER_BYTES);
		add_u32(data, bytes);
		mw_buf_add(data, text, bytes);
		break;
	}
	}
}

static void add_text(struct making *making, const char *text, size_t bytes)
{
	struct mw_buf *data = &making->answer->data;
	if (making->ask->is_escaped)
		mw_json_escaped_string(data, text, bytes);
	else
		mw_json_string(data, text, bytes);
}

static void add_key_and_value(struct mw_sql_query *query, struct making *making, unsigned column)
{
	struct mw_buf *data = &making->answer->data;
	const char *name = mw_sql_column_name(query, column);
	enum mw_sql_value_type type = mw_sql_value_type(query, column);
	size_t bytes;
	const char *text = mw_sql_value_bytes(query, column, &bytes);
	mw_json_string(data, name, strlen(name));
	mw_buf_char(data, ':');
	bool is_number = (type == MW_SQL_VALUE_INTEGER || type == MW_SQL_VALUE_REAL) && making->ask->has_numbers;
	if (!text)
		add_text(making, making->ask->null_text, strlen(making->ask->null_text));
	else if (is_number && strspn(text, "+-.0123456789eE") == bytes) /* not Inf */
		mw_buf_add(data, text, bytes);
	else
		add_text(making, text, bytes);
}

static void add_row(struct mw_sql_query *query, struct making *making)
{
	struct mw_buf *data = &making->answer->data;
	if (making->ask->form == MW_ANSWER_VALUES) {
		mw_buf_char(data, MW_ANSWER_ROW);
		for (unsigned i = 0; i < making->columns; i++)
			add_value(query, i, data);
		return;
	}
	mw_buf_char(data, MW_ANSWER_OBJECT);
	add_u32(data, 0);
	size_t begin = data->size;
	for (unsigned i = 0; i < making->keys; i++) {
		mw_buf_char(data, i ? ',' : '{');
		add_key_and_value(query, making, making->order[i]);
	}
	mw_buf_str(data, making->keys ? "}" : "{}");
	uint32_t length = (uint32_t)(data->size - begin);
	if (mw_buf_status(data) == 0)
		memcpy(data->data + begin - sizeof(length), &length, sizeof(length));
}

static void note_tables(struct making *making)
{
	size_t bytes = 0;
	const char *names = mw_sql_tables_read(making->sql, &bytes);
	if (names)
		mw_buf_add(&making->answer->tables, names, bytes);
}

static int run_statement(struct mw_sql_query *query, struct making *making)
{
	struct mw_answer *answer = making->answer;
	making->columns = mw_sql_columns(query);
	if (making->columns > COLUMNS)
		return mw_err_set(&answer->err, -E2BIG, "more than %d columns", COLUMNS);
	note_tables(making);
	if (making->ask->is_plan)
		return 0;
	add_columns(query, making);
	order_keys(query, making);
	int r;
	while ((r = mw_sql_step(query, &answer->err)) > 0) {
		if (making->ask->rows && answer->rows >= making->ask->rows)
			return mw_err_set(&answer->err, -ENOBUFS, "stopped after %llu rows: ask for less",
					  (unsigned long long)making->ask->rows);
		size_t whole = answer->data.size;
		add_row(query, making);
		if (mw_buf_status(&answer->data) < 0) {
			answer->data.size = whole;
			return mw_err_set(&answer->err, -ENOBUFS, "stopped after %llu rows, of %zu bytes: ask for less",
					  (unsigned long long)answer->rows, whole);
		}
		answer->rows++;
	}
	return r;
}

static int run_all(struct making *making)
{
	const char *at = making->ask->text;
	const char *end = at + making->ask->bytes;
	struct mw_answer *answer = making->answer;
	unsigned statements = 0;
	while (at < end) {
		struct mw_sql_query *query;
		int r = mw_sql_prepare(making->sql, at, (size_t)(end - at), &query, &at, &answer->err);
		if (r < 0)
			return r;
		if (!query)
			break;
		statements++;
		r = run_statement(query, making);
		mw_sql_finish(query);
		if (r < 0)
			return r;
	}
	return statements ? 0 : mw_err_set(&answer->err, -EINVAL, "there is no statement");
}

static int64_t nanoseconds(const struct timeval *time)
{
	return (int64_t)time->tv_sec * MW_NS_PER_S + (int64_t)time->tv_usec * 1000;
}

void mw_answer_make(struct mw_sql *sql, const struct mw_ask *ask, struct mw_answer *answer)
{
	size_t most = ask->answer_bytes ? (size_t)ask->answer_bytes : ANSWER_BYTES;
	struct making *making = calloc(1, sizeof(*making));
	struct rusage before = {0};
	struct rusage after = {0};
	answer->data = (struct mw_buf)MW_BUF(most);
	answer->tables = (struct mw_buf)MW_BUF(TABLES_BYTES);
	answer->warnings = (struct mw_buf)MW_BUF(WARNINGS_BYTES);
	if (!making) {
		answer->code = mw_err_set(&answer->err, -ENOMEM, "out of memory");
		return;
	}
	*making = (struct making){.sql = sql, .ask = ask, .answer = answer};
	answer->window = ask->window;
	mw_sql_set_window(sql, ask->has_window ? &answer->window : NULL);
	mw_sql_set_limits(sql, ask->time_ms, 0, ask->memory_bytes);
	mw_sql_memory_forget_peak();
	int64_t used = mw_sql_memory_used();
	int64_t begin_ns = mw_clock_mono_ns();
	(void)getrusage(RUSAGE_THREAD, &before);

	answer->code = run_all(making);

	(void)getrusage(RUSAGE_THREAD, &after);
	answer->wall_ns = mw_clock_mono_ns() - begin_ns;
	answer->user_ns = nanoseconds(&after.ru_utime) - nanoseconds(&before.ru_utime);
	answer->system_ns = nanoseconds(&after.ru_stime) - nanoseconds(&before.ru_stime);
	answer->memory_bytes = mw_sql_memory_peak() - used + (int64_t)answer->data.capacity;
	const char *warnings = mw_sql_warnings(sql);
	if (warnings)
		mw_buf_str(&answer->warnings, warnings);
	mw_sql_set_window(sql, NULL);
	free(making);
}

void mw_answer_release(struct mw_answer *answer)
{
	mw_buf_release(&answer->data);
	mw_buf_release(&answer->tables);
	mw_buf_release(&answer->warnings);
}

#include "spool/queue.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "spool/spool_private.h"
#include "spool/store.h"

enum {
	/* A consumer that was not heard of for that long does not keep lines from being forgotten. */
	FORGET_DAYS = 7,
	WHY_BYTES = 512,
};

/* What is worth most is read first. */
static const enum mw_spool_stream by_value[MW_SPOOL_STREAMS] = {
	MW_SPOOL_ALERTS,
	MW_SPOOL_RESULTS,
	MW_SPOOL_EVENTS,
	MW_SPOOL_STATUS,
};

/* A row of a batch; behind it stand id, kind, rule and body, each with its NUL. */
struct row {
	int64_t seq, time_ns;
	size_t id_bytes, kind_bytes, rule_bytes, body_bytes; /* with their NULs, the body without */
	unsigned stream;
};

static const struct mw_spool_consumer *find(const struct mw_spool *spool, const char *name)
{
	for (unsigned i = 0; i < spool->consumer_count; i++)
		if (strcmp(spool->consumers[i].name, name) == 0)
			return &spool->consumers[i];
	return NULL;
}

static int check(struct mw_spool *spool, const char *name, struct mw_err *err)
{
	if (!spool->db)
		return mw_err_set(err, -EIO, "the spool cannot be used");
	return find(spool, name) ? 0 : mw_err_set(err, -ENOENT, "no consumer %.64s", name);
}

static struct sqlite3_stmt *bind_names(struct mw_spool *spool, unsigned which, const char *name, unsigned stream)
{
	struct sqlite3_stmt *statement = spool->statement[which];
	(void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(statement, 2, mw_spool_stream_names[stream], -1, SQLITE_STATIC);
	return statement;
}

static int64_t number_of(struct sqlite3_stmt *statement, int64_t otherwise)
{
	bool is_there = sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL;
	int64_t value = is_there ? sqlite3_column_int64(statement, 0) : otherwise;
	(void)sqlite3_reset(statement);
	return value;
}

static int64_t last_of(struct mw_spool *spool, unsigned stream)
{
	struct sqlite3_stmt *last = spool->statement[MW_SPOOL_LAST];
	(void)sqlite3_bind_text(last, 1, mw_spool_stream_names[stream], -1, SQLITE_STATIC);
	return number_of(last, 0);
}

static int join_streams(struct mw_spool *spool, const struct mw_spool_consumer *consumer, struct mw_err *err)
{
	int64_t now_ns = mw_clock_real_ns();
	int r = mw_spool_run(spool, MW_SPOOL_BEGIN, err);
	if (r < 0)
		return r;
	(void)sqlite3_bind_int64(spool->statement[MW_SPOOL_FORGET], 1,
				 now_ns - (int64_t)FORGET_DAYS * 24 * 3600 * MW_NS_PER_S);
	r = mw_spool_run(spool, MW_SPOOL_FORGET, err);
	for (unsigned i = 0; i < MW_SPOOL_STREAMS && r == 0; i++) {
		if (!(consumer->streams >> i & 1))
			continue;
		int64_t first = number_of(spool->statement[MW_SPOOL_FIRST + i], last_of(spool, i) + 1);
		struct sqlite3_stmt *join = bind_names(spool, MW_SPOOL_JOIN, consumer->name, i);
		(void)sqlite3_bind_int64(join, 3, now_ns);
		(void)sqlite3_bind_int64(join, 4, first - 1);
		r = mw_spool_run(spool, MW_SPOOL_JOIN, err);
	}
	return mw_spool_end(spool, r, err);
}

int mw_spool_join(struct mw_spool *spool, const char *name, unsigned streams, struct mw_err *err)
{
	size_t n = strlen(name);
	if (!n || n >= MW_SPOOL_CONSUMER_BYTES)
		return mw_err_set(err, -EINVAL, "the name of a consumer is empty or too long");
	if (!spool->db)
		return mw_err_set(err, -EIO, "the spool cannot be used");
	struct mw_spool_consumer *consumer = (struct mw_spool_consumer *)find(spool, name);
	if (!consumer) {
		if (spool->consumer_count == MW_SPOOL_CONSUMERS)
			return mw_err_set(err, -ENOSPC, "more than %d consumers", MW_SPOOL_CONSUMERS);
		consumer = &spool->consumers[spool->consumer_count];
		memcpy(consumer->name, name, n + 1);
		consumer->streams = 0;
	}
	struct mw_spool_consumer joined = *consumer;
	joined.streams |= streams;
	int r = join_streams(spool, &joined, err);
	if (r < 0)
		return r;
	*consumer = joined;
	spool->consumer_count += consumer == &spool->consumers[spool->consumer_count];
	return 0;
}

int mw_spool_leave(struct mw_spool *spool, const char *name, struct mw_err *err)
{
	int r = check(spool, name, err);
	if (r < 0)
		return r;
	(void)sqlite3_bind_text(spool->statement[MW_SPOOL_LEAVE], 1, name, -1, SQLITE_STATIC);
	r = mw_spool_run(spool, MW_SPOOL_LEAVE, err);
	if (r < 0)
		return r;
	struct mw_spool_consumer *left = (struct mw_spool_consumer *)find(spool, name);
	*left = spool->consumers[--spool->consumer_count];
	return 0;
}

int mw_spool_join_again(struct mw_spool *spool, struct mw_err *err)
{
	int r = 0;
	for (unsigned i = 0; i < spool->consumer_count && r == 0; i++)
		r = join_streams(spool, &spool->consumers[i], err);
	return r;
}

static const char *text_at(struct sqlite3_stmt *statement, int column, size_t *ret_bytes)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);
	*ret_bytes = (size_t)sqlite3_column_bytes(statement, column) + 1;
	return text ? text : "";
}

/* False when there is no room for it. */
static bool add_row(struct mw_buf *batch, struct sqlite3_stmt *statement, unsigned stream)
{
	struct row row = {
		.seq = sqlite3_column_int64(statement, 0),
		.time_ns = sqlite3_column_int64(statement, 2),
		.stream = stream,
	};
	const char *id = text_at(statement, 1, &row.id_bytes);
	const char *kind = text_at(statement, 3, &row.kind_bytes);
	const char *rule = text_at(statement, 4, &row.rule_bytes);
	const char *body = text_at(statement, 5, &row.body_bytes);
	row.body_bytes--;
	if (!mw_buf_reserve(batch, sizeof(row) + row.id_bytes + row.kind_bytes + row.rule_bytes + row.body_bytes + 1)) {
		batch->failed = false; /* nothing was added */
		return false;
	}
	mw_buf_add(batch, &row, sizeof(row));
	mw_buf_add(batch, id, row.id_bytes);
	mw_buf_add(batch, kind, row.kind_bytes);
	mw_buf_add(batch, rule, row.rule_bytes);
	mw_buf_add(batch, body, row.body_bytes + 1);
	return true;
}

int mw_spool_read(struct mw_spool *spool, const char *name, unsigned streams, size_t max_rows, size_t max_bytes,
		  struct mw_buf *batch, bool *ret_more, struct mw_err *err)
{
	int r = check(spool, name, err);
	size_t rows = 0;
	*ret_more = false;
	if (max_rows > MW_SPOOL_READ_ROWS)
		max_rows = MW_SPOOL_READ_ROWS;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS && r == 0 && !*ret_more; i++) {
		unsigned stream = by_value[i];
		if (!(streams >> stream & 1))
			continue;
		struct sqlite3_stmt *read = spool->statement[MW_SPOOL_READ + stream];
		(void)sqlite3_bind_text(read, 1, name, -1, SQLITE_STATIC);
		(void)sqlite3_bind_int64(read, 2, (int64_t)(max_rows - rows + 1));
		int code;
		while ((code = sqlite3_step(read)) == SQLITE_ROW) {
			size_t bytes = (size_t)sqlite3_column_bytes(read, 5);
			bool is_full = rows == max_rows || (rows && batch->size + bytes > max_bytes);
			if (is_full || !add_row(batch, read, stream)) {
				*ret_more = true;
				break;
			}
			rows++;
		}
		if (code != SQLITE_ROW && code != SQLITE_DONE)
			r = mw_store_error(spool->db, err);
		(void)sqlite3_reset(read);
	}
	return r;
}

bool mw_spool_batch_next(const struct mw_buf *batch, size_t *at, struct mw_spool_item *ret_item)
{
	struct row row;
	if (*at >= batch->size)
		return false;
	memcpy(&row, batch->data + *at, sizeof(row));
	const char *id = batch->data + *at + sizeof(row);
	*ret_item = (struct mw_spool_item){
		.stream = (enum mw_spool_stream)row.stream,
		.seq = row.seq,
		.time_ns = row.time_ns,
		.id = id,
		.kind = id + row.id_bytes,
		.rule = id + row.id_bytes + row.kind_bytes,
		.body = id + row.id_bytes + row.kind_bytes + row.rule_bytes,
		.body_bytes = row.body_bytes,
	};
	*at = (size_t)(ret_item->body + row.body_bytes + 1 - batch->data);
	return true;
}

/* Lines that all consumers have are nobody's any more; events and alerts are the tables'. */
static int forget_read(struct mw_spool *spool, unsigned stream, struct mw_err *err)
{
	if (stream != MW_SPOOL_RESULTS && stream != MW_SPOOL_STATUS)
		return 0;
	struct sqlite3_stmt *all = spool->statement[MW_SPOOL_ALL_READ];
	(void)sqlite3_bind_text(all, 1, mw_spool_stream_names[stream], -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(spool->statement[MW_SPOOL_DROP + stream], 1, number_of(all, 0));
	return mw_spool_run(spool, MW_SPOOL_DROP + stream, err);
}

static int begin(struct mw_spool *spool, const char *name, struct mw_err *err)
{
	int r = check(spool, name, err);
	if (r == 0 && !mw_spool_has_log_room(spool))
		r = mw_err_set(err, -ENOSPC, "%s-wal: full", spool->path);
	return r < 0 ? r : mw_spool_run(spool, MW_SPOOL_BEGIN, err);
}

int mw_spool_ack(struct mw_spool *spool, const char *name, const int64_t upto[MW_SPOOL_STREAMS], struct mw_err *err)
{
	int r = begin(spool, name, err);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS && r == 0; i++) {
		if (!upto[i])
			continue;
		(void)sqlite3_bind_int64(bind_names(spool, MW_SPOOL_ACK, name, i), 3, upto[i]);
		r = mw_spool_run(spool, MW_SPOOL_ACK, err);
		if (r == 0)
			r = forget_read(spool, i, err);
	}
	return mw_spool_end(spool, r, err);
}

int mw_spool_set_aside(struct mw_spool *spool, const char *name, const struct mw_spool_item *item, const char *why,
		       struct mw_err *err)
{
	char reason[WHY_BYTES];
	(void)snprintf(reason, sizeof(reason), "%s", why);
	int r = begin(spool, name, err);
	if (r < 0)
		return r;
	struct sqlite3_stmt *aside = bind_names(spool, MW_SPOOL_SET_ASIDE, name, item->stream);
	(void)sqlite3_bind_int64(aside, 3, item->seq);
	(void)sqlite3_bind_text(aside, 4, item->id, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(aside, 5, item->time_ns);
	(void)sqlite3_bind_text(aside, 6, item->kind, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(aside, 7, reason, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(aside, 8, item->body, (int)item->body_bytes, SQLITE_STATIC);
	r = mw_spool_run(spool, MW_SPOOL_SET_ASIDE, err);
	if (r == 0) {
		(void)sqlite3_bind_int(spool->statement[MW_SPOOL_DROP_ASIDE], 1, MW_SPOOL_ASIDE);
		r = mw_spool_run(spool, MW_SPOOL_DROP_ASIDE, err);
	}
	if (r == 0) {
		(void)sqlite3_bind_int64(bind_names(spool, MW_SPOOL_PASS, name, item->stream), 3, item->seq);
		r = mw_spool_run(spool, MW_SPOOL_PASS, err);
	}
	if (r == 0)
		r = forget_read(spool, item->stream, err);
	(void)sqlite3_clear_bindings(aside); /* the texts are the caller's */
	return mw_spool_end(spool, r, err);
}

int mw_spool_count(struct mw_spool *spool, const char *name, enum mw_spool_stream stream,
		   struct mw_spool_counts *ret_counts, struct mw_err *err)
{
	*ret_counts = (struct mw_spool_counts){0};
	int r = check(spool, name, err);
	if (r < 0)
		return r;
	struct sqlite3_stmt *cursor = bind_names(spool, MW_SPOOL_CURSOR, name, stream);
	int code = sqlite3_step(cursor);
	if (code == SQLITE_ROW) {
		int64_t first = sqlite3_column_int64(cursor, 0);
		int64_t seq = sqlite3_column_int64(cursor, 1);
		int64_t last = last_of(spool, stream);
		*ret_counts = (struct mw_spool_counts){
			.written = (uint64_t)(last - first),
			.read = (uint64_t)sqlite3_column_int64(cursor, 2),
			.dropped = (uint64_t)sqlite3_column_int64(cursor, 3),
			.aside = (uint64_t)sqlite3_column_int64(cursor, 4),
			.handed = (uint64_t)sqlite3_column_int64(cursor, 5),
			.waiting = (uint64_t)(last - seq),
			.last = last,
		};
	} else if (code != SQLITE_DONE) {
		r = mw_store_error(spool->db, err);
	}
	(void)sqlite3_reset(cursor);
	return r;
}

int mw_spool_cursors(struct mw_spool *spool, void (*take)(void *data, const char *consumer, uint64_t waiting),
		     void *data, struct mw_err *err)
{
	struct sqlite3_stmt *all = NULL;
	if (!spool->db)
		return mw_err_set(err, -EIO, "the spool cannot be used");
	int r = mw_store_prepare(
		spool->db,
		"SELECT consumer, max(0, ifnull((SELECT seq FROM sqlite_sequence WHERE name = stream), 0) - seq)"
		" FROM cursors",
		&all, err);
	while (r == 0) {
		int code = sqlite3_step(all);
		if (code == SQLITE_DONE)
			break;
		if (code == SQLITE_ROW)
			take(data, (const char *)sqlite3_column_text(all, 0), (uint64_t)sqlite3_column_int64(all, 1));
		else
			r = mw_store_error(spool->db, err);
	}
	(void)sqlite3_finalize(all);
	return r;
}

const struct mw_spool_consumer *mw_spool_consumer_at(const struct mw_spool *spool, unsigned n)
{
	return n < spool->consumer_count ? &spool->consumers[n] : NULL;
}

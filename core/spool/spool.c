/* Rows are kept in a bounded batch in memory and written in one transaction, so that the lock is held shortly (other
 * sensors may share the file), and so that a busy file or a full disk for a while loses nothing: what could not be
 * written stays in the batch for the next commit. */
#include "spool/spool.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "spool/spool_private.h"
#include "spool/store.h"

enum {
	/* One row's body: 16 times the largest event. */
	BODY_BYTES = 1 << 20,
	NAME_BYTES = 256, /* id, kind, rule */
	/* A batch is written when it has this many bytes, whatever the caller does… */
	BATCH_BYTES = 4 << 20,
	/* …and takes no more rows when it could not be written until it had these. */
	BACKLOG_BYTES = 16 << 20,
	/* A smaller limit would not hold the schema's empty pages and one batch. */
	LIMIT_BYTES_MIN = 1 << 20,
	/* Without a folder all is in memory, which belongs to the application. */
	MEMORY_LIMIT_BYTES = 16 << 20,
	/* Size the log is copied into the database at, unless the limit is small. */
	CHECKPOINT_BYTES = 16 << 20,
	/* Shares of the limit: the log, which a stopped reader keeps from being emptied, may take one in LOG_SHARE. */
	LOG_SHARE = 4,
	RESTART_MS = 1000,
};

#define ADD(table) "INSERT INTO " table "(id, time_ns, kind, body) VALUES(?1, ?2, ?3, ?5)"
#define READ(table, rule) \
	"SELECT seq, id, time_ns, kind, " rule ", body FROM " table \
	" WHERE seq > (SELECT seq FROM cursors WHERE stream = '" table "' AND consumer = ?1) ORDER BY seq LIMIT ?2"
#define FIRST(table) "SELECT min(seq) FROM " table
#define ROW "(?, ?, ?, ?, ?)"
#define FOUR_ROWS ROW "," ROW "," ROW "," ROW

_Static_assert(MW_SPOOL_MANY == 16, "rows of MW_SPOOL_ADD_MANY");

const char *const mw_spool_stream_names[MW_SPOOL_STREAMS] = {
	[MW_SPOOL_EVENTS] = "events",
	[MW_SPOOL_ALERTS] = "alerts",
	[MW_SPOOL_RESULTS] = "results",
	[MW_SPOOL_STATUS] = "status",
};

static const char *const texts[MW_SPOOL_STATEMENTS] = {
	[MW_SPOOL_BEGIN] = "BEGIN IMMEDIATE",
	[MW_SPOOL_COMMIT] = "COMMIT",
	[MW_SPOOL_ROLLBACK] = "ROLLBACK",
	[MW_SPOOL_ADD + MW_SPOOL_EVENTS] = "INSERT INTO events(id, time_ns, kind, pid, body) VALUES(?1, ?2, ?3, ?4, ?5)"
					   " ON CONFLICT DO NOTHING",
	/* Half the work for each; IGNORE in place of ON CONFLICT, as else the pages are copied first in case the statement fails. */
	[MW_SPOOL_ADD_MANY] = "INSERT OR IGNORE INTO events(id, time_ns, kind, pid, body) VALUES" FOUR_ROWS
			      "," FOUR_ROWS "," FOUR_ROWS "," FOUR_ROWS,
	[MW_SPOOL_ADD + MW_SPOOL_ALERTS] = "INSERT INTO alerts(id, time_ns, kind, pid, body, rule)"
					   " VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO NOTHING",
	[MW_SPOOL_ADD + MW_SPOOL_RESULTS] = ADD("results"),
	[MW_SPOOL_ADD + MW_SPOOL_STATUS] = ADD("status"),
	[MW_SPOOL_DROP + MW_SPOOL_EVENTS] = "DELETE FROM events WHERE seq <= ?1",
	[MW_SPOOL_DROP + MW_SPOOL_ALERTS] = "DELETE FROM alerts WHERE seq <= ?1",
	[MW_SPOOL_DROP + MW_SPOOL_RESULTS] = "DELETE FROM results WHERE seq <= ?1",
	[MW_SPOOL_DROP + MW_SPOOL_STATUS] = "DELETE FROM status WHERE seq <= ?1",
	[MW_SPOOL_READ + MW_SPOOL_EVENTS] = READ("events", "''"),
	[MW_SPOOL_READ + MW_SPOOL_ALERTS] = READ("alerts", "rule"),
	[MW_SPOOL_READ + MW_SPOOL_RESULTS] = READ("results", "''"),
	[MW_SPOOL_READ + MW_SPOOL_STATUS] = READ("status", "''"),
	[MW_SPOOL_FIRST + MW_SPOOL_EVENTS] = FIRST("events"),
	[MW_SPOOL_FIRST + MW_SPOOL_ALERTS] = FIRST("alerts"),
	[MW_SPOOL_FIRST + MW_SPOOL_RESULTS] = FIRST("results"),
	[MW_SPOOL_FIRST + MW_SPOOL_STATUS] = FIRST("status"),
	/* A row that was there already took a number, and numbers have no gaps. */
	[MW_SPOOL_UNBURN] = "UPDATE sqlite_sequence SET seq = seq - 1 WHERE name = ?1",
	[MW_SPOOL_LAST] = "SELECT seq FROM sqlite_sequence WHERE name = ?1",
	[MW_SPOOL_PAGES] = "PRAGMA page_count",
	[MW_SPOOL_FREE_PAGES] = "PRAGMA freelist_count",
	[MW_SPOOL_COUNT] =
		"INSERT INTO meta VALUES(?1, ?2) ON CONFLICT(key) DO UPDATE SET value = value + excluded.value",
	[MW_SPOOL_PUT_HEALTH] = "INSERT INTO health VALUES(?1, ?2, ?3, ?4) ON CONFLICT(run_ns) DO UPDATE SET"
				" time_ns = excluded.time_ns, has_ended = excluded.has_ended, body = excluded.body",
	[MW_SPOOL_DROP_HEALTH] = "DELETE FROM health WHERE run_ns NOT IN"
				 " (SELECT run_ns FROM health ORDER BY time_ns DESC LIMIT ?1)",
	[MW_SPOOL_PUT_DOCUMENT] = "INSERT INTO documents VALUES(?1, ?2, ?3) ON CONFLICT(name) DO UPDATE SET"
				  " time_ns = excluded.time_ns, body = excluded.body",
	[MW_SPOOL_JOIN] = "INSERT INTO cursors(consumer, stream, seen_ns, first, seq) VALUES(?1, ?2, ?3, ?4, ?4)"
			  " ON CONFLICT DO UPDATE SET seen_ns = excluded.seen_ns",
	[MW_SPOOL_FORGET] = "DELETE FROM cursors WHERE seen_ns < ?1",
	[MW_SPOOL_LEAVE] = "DELETE FROM cursors WHERE consumer = ?1",
	[MW_SPOOL_MISSED] =
		"UPDATE cursors SET dropped = dropped + (?2 - seq), seq = ?2 WHERE stream = ?1 AND seq < ?2",
	[MW_SPOOL_ACK] = "UPDATE cursors SET read = read + (?3 - seq), seq = ?3"
			 " WHERE stream = ?2 AND consumer = ?1 AND seq < ?3",
	/* Rows before it that were not acknowledged one by one are read. */
	[MW_SPOOL_PASS] = "UPDATE cursors SET read = read + (?3 - 1 - seq), aside = aside + 1, seq = ?3"
			  " WHERE stream = ?2 AND consumer = ?1 AND seq < ?3",
	[MW_SPOOL_HAND] = "UPDATE cursors SET handed = handed + (?2 - seq), seq = ?2 WHERE stream = ?1 AND seq < ?2",
	[MW_SPOOL_SET_ASIDE] = "INSERT INTO aside(consumer, stream, seq, id, time_ns, kind, why, body)"
			       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
	[MW_SPOOL_DROP_ASIDE] = "DELETE FROM aside WHERE number <= (SELECT max(number) FROM aside) - ?1",
	[MW_SPOOL_CURSOR] =
		"SELECT first, seq, read, dropped, aside, handed FROM cursors WHERE stream = ?2 AND consumer = ?1",
	[MW_SPOOL_ALL_READ] = "SELECT min(seq) FROM cursors WHERE stream = ?1",
};

/* A row of the batch; behind it stand id, kind, rule and body, each with its NUL. */
struct pending {
	int64_t time_ns;
	int64_t pid;
	size_t bytes; /* to the next row */
	size_t body_bytes;
	uint16_t id_bytes, kind_bytes, rule_bytes; /* with their NULs */
	uint16_t stream;
};

int mw_spool_run(struct mw_spool *spool, unsigned which, struct mw_err *err)
{
	struct sqlite3_stmt *statement = spool->statement[which];
	int r = sqlite3_step(statement);
	r = r == SQLITE_DONE || r == SQLITE_ROW ? 0 : mw_store_error(spool->db, err);
	(void)sqlite3_reset(statement);
	return r;
}

static void detach(struct mw_spool *spool)
{
	for (size_t i = 0; i < MW_SPOOL_STATEMENTS; i++) {
		(void)sqlite3_finalize(spool->statement[i]);
		spool->statement[i] = NULL;
	}
	(void)sqlite3_close(spool->db);
	spool->db = NULL;
}

/* sqlite3_wal_hook() */
static int note_log(void *data, struct sqlite3 *db, const char *name, int pages)
{
	(void)db;
	(void)name;
	((struct mw_spool *)data)->log_pages = pages;
	return SQLITE_OK;
}

static int attach(struct mw_spool *spool, struct mw_err *ret_note, struct mw_err *err)
{
	int was;
	int r = mw_store_open(spool->path, &spool->db, &was, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < MW_SPOOL_STATEMENTS && r == 0; i++)
		r = mw_store_prepare(spool->db, texts[i], &spool->statement[i], err);
	struct sqlite3_stmt *size = NULL;
	if (r == 0)
		r = mw_store_prepare(spool->db, "PRAGMA page_size", &size, err);
	if (r == 0)
		spool->page_bytes = mw_store_integer(size, 4096);
	(void)sqlite3_finalize(size);
	if (r < 0) {
		detach(spool);
		/* What cannot be prepared is not our schema, whatever it says it is. */
		return r == -EBUSY || r == -ENOMEM ? r : -EBADMSG;
	}
	if (was)
		(void)mw_err_set(ret_note, 0, "%s: was of format %d, and is of a newer one now, with all that is in it",
				 spool->path, was);
	spool->log_pages = 0;
	(void)sqlite3_wal_hook(spool->db, note_log, spool);
	return 0;
}

/* Begin anew in place of a file that cannot be used. */
static int replace(struct mw_spool *spool, struct mw_err *ret_note, struct mw_err *err)
{
	struct mw_err why = {""};
	if (err)
		why = *err;
	int r = mw_store_set_aside(spool->path, err);
	if (r == 0)
		r = attach(spool, NULL, err);
	if (r == 0)
		r = mw_spool_join_again(spool, err);
	if (r == 0)
		(void)mw_err_set(ret_note, 0, "%.400s; set aside as %s.bad, a new one begun", why.text, MW_SPOOL_FILE);
	return r;
}

int64_t mw_spool_used_bytes(struct mw_spool *spool)
{
	int64_t pages = mw_store_integer(spool->statement[MW_SPOOL_PAGES], 0);
	return (pages - mw_store_integer(spool->statement[MW_SPOOL_FREE_PAGES], 0)) * spool->page_bytes;
}

/* Copy the log into the database.  PASSIVE: as far as readers let us; when that is all of it the next write begins it anew,
 * and should a reader still stand at its end, the write after that finds out.  RESTART: waits for readers. */
static void checkpoint(struct mw_spool *spool, int mode)
{
	int pages = 0;
	int copied = 0;
	if (sqlite3_wal_checkpoint_v2(spool->db, NULL, mode, &pages, &copied) == SQLITE_OK && pages == copied)
		spool->log_pages = 0;
}

/* Give space back to the folder when the limit was lowered since the file grew. */
static void shrink(struct mw_spool *spool)
{
	if (mw_store_integer(spool->statement[MW_SPOOL_PAGES], 0) * spool->page_bytes <= spool->limit_bytes)
		return;
	while (mw_spool_used_bytes(spool) > spool->limit_bytes) {
		uint64_t before = spool->dropped;
		if (mw_spool_commit(spool, NULL) < 0 || spool->dropped == before)
			break;
	}
	(void)sqlite3_limit(spool->db, SQLITE_LIMIT_ATTACHED, 1); /* VACUUM attaches the copy it makes */
	(void)sqlite3_exec(spool->db, "VACUUM", NULL, NULL, NULL);
	(void)sqlite3_limit(spool->db, SQLITE_LIMIT_ATTACHED, 0);
	(void)sqlite3_wal_checkpoint_v2(spool->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

static void set_limits(struct mw_spool *spool, uint64_t limit_bytes)
{
	if (limit_bytes > INT64_MAX)
		limit_bytes = INT64_MAX;
	if (!*spool->path && limit_bytes > MEMORY_LIMIT_BYTES)
		limit_bytes = MEMORY_LIMIT_BYTES;
	if (limit_bytes < LIMIT_BYTES_MIN)
		limit_bytes = LIMIT_BYTES_MIN;
	int64_t limit = (int64_t)limit_bytes;
	spool->log_limit_bytes = *spool->path ? limit / LOG_SHARE : 0;
	spool->limit_bytes = limit - spool->log_limit_bytes;
	spool->checkpoint_bytes = spool->log_limit_bytes / 2;
	if (spool->checkpoint_bytes > CHECKPOINT_BYTES)
		spool->checkpoint_bytes = CHECKPOINT_BYTES;
}

int mw_spool_open(const char *dir, uint64_t limit_bytes, struct mw_spool **ret_spool, struct mw_err *ret_note,
		  struct mw_err *err)
{
	struct mw_err cause = {""};
	struct mw_spool *spool = calloc(1, sizeof(*spool));
	if (!spool)
		return mw_err_set(err, -ENOMEM, "out of memory");
	spool->batch = (struct mw_buf)MW_BUF(BACKLOG_BYTES);
	spool->write_at = BATCH_BYTES;
	spool->origin_ns = mw_clock_real_ns();
	if (ret_note)
		ret_note->text[0] = '\0';

	int r = *dir ? mw_store_path(dir, spool->path, &cause) : 0;
	if (r == 0) {
		set_limits(spool, limit_bytes);
		r = attach(spool, ret_note, &cause);
		if (r == -EBADMSG)
			r = replace(spool, ret_note, &cause);
	}
	if (r < 0) {
		if (err)
			*err = cause;
		mw_spool_close(spool);
		return r;
	}
	if (*spool->path)
		shrink(spool);
	*ret_spool = spool;
	return 0;
}

void mw_spool_limit_rows(struct mw_spool *spool, uint64_t rows)
{
	spool->limit_rows = rows > INT64_MAX ? INT64_MAX : (int64_t)rows;
}

void mw_spool_tell(struct mw_spool *spool, void (*added)(void *data, const struct mw_spool_news news[MW_SPOOL_STREAMS]),
		   void *data)
{
	spool->added = added;
	spool->added_data = data;
}

void mw_spool_close(struct mw_spool *spool)
{
	if (!spool)
		return;
	if (spool->db) {
		(void)mw_spool_commit(spool, NULL);
		detach(spool); /* the last one to close checkpoints */
	}
	mw_buf_release(&spool->batch);
	free(spool);
}

/* The row's values are the statement's parameters from `first` on. */
static void bind_row(struct sqlite3_stmt *statement, int first, const char *at)
{
	struct pending row;
	memcpy(&row, at, sizeof(row));
	const char *id = at + sizeof(row);
	const char *kind = id + row.id_bytes;
	const char *rule = kind + row.kind_bytes;
	const char *body = rule + row.rule_bytes;

	(void)sqlite3_bind_text(statement, first, id, row.id_bytes - 1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, first + 1, row.time_ns);
	(void)sqlite3_bind_text(statement, first + 2, kind, row.kind_bytes - 1, SQLITE_STATIC);
	if (row.stream <= MW_SPOOL_ALERTS)
		(void)sqlite3_bind_int64(statement, first + 3, row.pid);
	(void)sqlite3_bind_text(statement, first + 4, body, (int)row.body_bytes, SQLITE_STATIC);
	if (row.stream == MW_SPOOL_ALERTS)
		(void)sqlite3_bind_text(statement, first + 5, rule, row.rule_bytes - 1, SQLITE_STATIC);
}

static int insert(struct mw_spool *spool, const char *at, struct mw_err *err)
{
	struct pending row;
	memcpy(&row, at, sizeof(row));
	unsigned which = MW_SPOOL_ADD + row.stream;
	bind_row(spool->statement[which], 1, at);
	int r = mw_spool_run(spool, which, err);
	if (r < 0 || sqlite3_changes(spool->db))
		return r;
	(void)sqlite3_bind_text(spool->statement[MW_SPOOL_UNBURN], 1, mw_spool_stream_names[row.stream], -1,
				SQLITE_STATIC);
	return mw_spool_run(spool, MW_SPOOL_UNBURN, err);
}

static int add_to_counter(struct mw_spool *spool, const char *key, uint64_t n, struct mw_err *err)
{
	if (n == 0)
		return 0;
	struct sqlite3_stmt *statement = spool->statement[MW_SPOOL_COUNT];
	(void)sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(statement, 2, (int64_t)n);
	return mw_spool_run(spool, MW_SPOOL_COUNT, err);
}

int mw_spool_end(struct mw_spool *spool, int r, struct mw_err *err)
{
	if (r == 0)
		r = mw_spool_run(spool, MW_SPOOL_COMMIT, err);
	if (r < 0 && !sqlite3_get_autocommit(spool->db))
		(void)mw_spool_run(spool, MW_SPOOL_ROLLBACK, NULL);
	return r;
}

/* -EEXIST: one of them was there, and took a number. */
static int insert_many(struct mw_spool *spool, const char *const rows[MW_SPOOL_MANY], struct mw_err *err)
{
	for (int i = 0; i < MW_SPOOL_MANY; i++)
		bind_row(spool->statement[MW_SPOOL_ADD_MANY], 1 + 5 * i, rows[i]);
	int r = mw_spool_run(spool, MW_SPOOL_ADD_MANY, err);
	return r == 0 && sqlite3_changes(spool->db) != MW_SPOOL_MANY ? -EEXIST : r;
}

/* `is_apart`: each row by itself, so that the numbers have no gap where one was there. */
static int insert_all(struct mw_spool *spool, bool is_apart, struct mw_spool_news news[MW_SPOOL_STREAMS],
		      struct mw_err *err)
{
	const char *events[MW_SPOOL_MANY];
	size_t count = 0;
	int r = 0;
	memset(news, 0, MW_SPOOL_STREAMS * sizeof(*news));
	for (size_t at = 0; at < spool->batch.size && r == 0;) {
		struct pending row;
		const char *start = spool->batch.data + at;
		memcpy(&row, start, sizeof(row));
		if (is_apart || row.stream != MW_SPOOL_EVENTS) {
			r = insert(spool, start, err);
		} else {
			events[count++] = start;
			if (count == MW_SPOOL_MANY) {
				r = insert_many(spool, events, err);
				count = 0;
			}
		}
		news[row.stream].rows++;
		news[row.stream].bytes += row.body_bytes;
		at += row.bytes;
	}
	for (size_t i = 0; i < count && r == 0; i++)
		r = insert(spool, events[i], err);
	return r;
}

static int write_batch(struct mw_spool *spool, struct mw_err *err)
{
	uint64_t dropped = 0;
	unsigned streams = 0;
	struct mw_spool_news news[MW_SPOOL_STREAMS];
	int r = mw_spool_run(spool, MW_SPOOL_BEGIN, err);
	if (r == 0)
		r = insert_all(spool, false, news, err);
	if (r == -EEXIST) { /* seldom: what was told before is told again */
		r = mw_spool_run(spool, MW_SPOOL_ROLLBACK, err);
		if (r == 0)
			r = mw_spool_run(spool, MW_SPOOL_BEGIN, err);
		if (r == 0)
			r = insert_all(spool, true, news, err);
	}
	for (unsigned i = 0; i < MW_SPOOL_STREAMS && r == 0; i++)
		streams |= news[i].rows ? 1u << i : 0;
	if (r == 0)
		r = mw_spool_prune(spool, streams, &dropped, err);
	if (r == 0)
		r = add_to_counter(spool, "dropped", dropped, err);
	if (r == 0)
		r = add_to_counter(spool, "lost", spool->lost - spool->lost_written, err);
	r = mw_spool_end(spool, r, err);
	if (r < 0)
		return r;
	spool->dropped += dropped;
	spool->lost_written = spool->lost;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++)
		spool->stored[i] += news[i].rows;
	mw_buf_clear(&spool->batch);
	spool->write_at = BATCH_BYTES;
	if (streams && spool->added)
		spool->added(spool->added_data, news);
	return 0;
}

/* Readers keep the log from being begun anew as long as they read.  One that never ends must not fill the disk: then
 * nothing more is written.  To wait for them is left for this case, and not done each time. */
bool mw_spool_has_log_room(struct mw_spool *spool)
{
	if (!*spool->path || spool->log_pages * spool->page_bytes <= spool->log_limit_bytes)
		return true;
	int64_t now_ns = mw_clock_mono_ns();
	if (now_ns < spool->restart_ns)
		return false;
	checkpoint(spool, SQLITE_CHECKPOINT_RESTART);
	spool->restart_ns = now_ns + (int64_t)RESTART_MS * MW_NS_PER_MS;
	return spool->log_pages == 0;
}

static int commit(struct mw_spool *spool, struct mw_err *err)
{
	if (!spool->db) { /* replacing a damaged file failed the last time */
		int r = attach(spool, NULL, err);
		if (r == 0)
			r = mw_spool_join_again(spool, err);
		if (r < 0)
			return r;
	}
	if (!mw_spool_has_log_room(spool))
		return mw_err_set(err, -ENOSPC,
				  "%s-wal: full, because a reader holds it; end the program that reads it",
				  spool->path);
	int r = write_batch(spool, err);
	if (r == -EBADMSG && *spool->path) { /* damaged while we used it */
		detach(spool);
		r = replace(spool, NULL, err);
		if (r == 0)
			r = write_batch(spool, err);
	}
	if (r == 0 && *spool->path && spool->log_pages * spool->page_bytes > spool->checkpoint_bytes)
		checkpoint(spool, SQLITE_CHECKPOINT_PASSIVE);
	return r;
}

int mw_spool_commit(struct mw_spool *spool, struct mw_err *err)
{
	int r = commit(spool, &spool->last);
	if (r < 0) {
		/* Not again for each row that is added: a full batch takes a while to fail. */
		spool->write_at = spool->batch.size + BATCH_BYTES;
		if (err)
			*err = spool->last;
	}
	return r;
}

static int append(struct mw_spool *spool, enum mw_spool_stream stream, const struct mw_spool_row *row)
{
	const char *rule = row->rule ? row->rule : "";
	char given[NAME_BYTES];
	const char *id = row->id;
	if (!id) {
		(void)snprintf(given, sizeof(given), "%016" PRIx64 "-%c%011" PRIu64, (uint64_t)spool->origin_ns,
			       *mw_spool_stream_names[stream], ++spool->given);
		id = given;
	}
	size_t id_bytes = strlen(id) + 1;
	size_t kind_bytes = strlen(row->kind) + 1;
	size_t rule_bytes = strlen(rule) + 1;
	if (id_bytes > NAME_BYTES || kind_bytes > NAME_BYTES || rule_bytes > NAME_BYTES || row->body_bytes > BODY_BYTES)
		return -E2BIG;
	struct pending pending = {
		.time_ns = row->time_ns,
		.pid = row->pid,
		.bytes = sizeof(pending) + id_bytes + kind_bytes + rule_bytes + row->body_bytes,
		.body_bytes = row->body_bytes,
		.id_bytes = (uint16_t)id_bytes,
		.kind_bytes = (uint16_t)kind_bytes,
		.rule_bytes = (uint16_t)rule_bytes,
		.stream = (uint16_t)stream,
	};
	if (!mw_buf_reserve(&spool->batch, pending.bytes)) {
		spool->batch.failed = false; /* nothing was added */
		return -ENOBUFS;
	}
	mw_buf_add(&spool->batch, &pending, sizeof(pending));
	mw_buf_add(&spool->batch, id, id_bytes);
	mw_buf_add(&spool->batch, row->kind, kind_bytes);
	mw_buf_add(&spool->batch, rule, rule_bytes);
	mw_buf_add(&spool->batch, row->body, row->body_bytes);
	return 0;
}

int mw_spool_add(struct mw_spool *spool, enum mw_spool_stream stream, const struct mw_spool_row *row,
		 struct mw_err *err)
{
	if (spool->batch.size >= spool->write_at)
		(void)mw_spool_commit(spool, NULL); /* what fails stays in the batch */
	int r = append(spool, stream, row);
	if (r == 0)
		return 0;
	spool->lost++;
	if (r == -E2BIG)
		return mw_err_set(err, r, "%s %.64s: larger than the %d bytes a row may have",
				  mw_spool_stream_names[stream], row->id ? row->id : row->kind, BODY_BYTES);
	return mw_err_set(err, r, "nothing could be written for long: %.400s", spool->last.text);
}

static int put_health(struct mw_spool *spool, struct mw_err *err)
{
	int r = mw_spool_run(spool, MW_SPOOL_BEGIN, err);
	if (r < 0)
		return r;
	r = mw_spool_run(spool, MW_SPOOL_PUT_HEALTH, err);
	if (r == 0)
		r = mw_spool_run(spool, MW_SPOOL_DROP_HEALTH, err);
	return mw_spool_end(spool, r, err);
}

int mw_spool_put_health(struct mw_spool *spool, int64_t run_ns, bool has_ended, const char *body, size_t body_bytes,
			struct mw_err *err)
{
	if (!spool->db || !mw_spool_has_log_room(spool))
		return mw_err_set(err, -ENOSPC, "the spool cannot be written to");
	struct sqlite3_stmt *put = spool->statement[MW_SPOOL_PUT_HEALTH];
	(void)sqlite3_bind_int64(put, 1, run_ns);
	(void)sqlite3_bind_int64(put, 2, mw_clock_real_ns());
	(void)sqlite3_bind_int(put, 3, has_ended);
	(void)sqlite3_bind_text(put, 4, body, (int)body_bytes, SQLITE_STATIC);
	(void)sqlite3_bind_int(spool->statement[MW_SPOOL_DROP_HEALTH], 1, MW_SPOOL_RUNS);
	int r = put_health(spool, err);
	(void)sqlite3_clear_bindings(put); /* the body is the caller's */
	return r;
}

int mw_spool_put_document(struct mw_spool *spool, const char *name, const char *body, size_t body_bytes,
			  struct mw_err *err)
{
	if (!spool->db || !mw_spool_has_log_room(spool))
		return mw_err_set(err, -ENOSPC, "the spool cannot be written to");
	struct sqlite3_stmt *put = spool->statement[MW_SPOOL_PUT_DOCUMENT];
	(void)sqlite3_bind_text(put, 1, name, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(put, 2, mw_clock_real_ns());
	(void)sqlite3_bind_text(put, 3, body, (int)body_bytes, SQLITE_STATIC);
	int r = mw_spool_run(spool, MW_SPOOL_PUT_DOCUMENT, err);
	(void)sqlite3_clear_bindings(put); /* the texts are the caller's */
	return r;
}

uint64_t mw_spool_stored(const struct mw_spool *spool, enum mw_spool_stream stream)
{
	return spool->stored[stream];
}

uint64_t mw_spool_lost(const struct mw_spool *spool)
{
	return spool->lost;
}

uint64_t mw_spool_dropped(const struct mw_spool *spool)
{
	return spool->dropped;
}

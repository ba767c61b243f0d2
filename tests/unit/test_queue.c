/* Consumers of the spool: what was acknowledged is not read again, what was not is, also after a kill; what the limits take is
 * counted by those that had not read it; and it always adds up. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "spool/handover.h"
#include "spool/queue.h"
#include "spool/reader.h"
#include "spool/spool.h"

enum {
	MIB = 1 << 20,
	ALL = (1 << MW_SPOOL_STREAMS) - 1,
	BODY = 700,
};

static char dir[MW_PATH_BYTES];
static char file[MW_PATH_BYTES + 16];

static int make_dir(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(dir, sizeof(dir), "%s/queue-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/" MW_SPOOL_FILE, dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	static const char *const endings[] = {"", "-wal", "-shm", ".bad", ".bad-wal"};
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		char path[sizeof(file) + 16];
		(void)snprintf(path, sizeof(path), "%s%s", file, endings[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

static struct mw_spool *open_spool(uint64_t limit_bytes)
{
	struct mw_spool *spool = NULL;
	struct mw_err err;
	if (mw_spool_open(dir, limit_bytes, &spool, NULL, &err) < 0)
		fail_msg("mw_spool_open: %s", err.text);
	return spool;
}

static void join(struct mw_spool *spool, const char *name, unsigned streams)
{
	struct mw_err err;
	if (mw_spool_join(spool, name, streams, &err) < 0)
		fail_msg("mw_spool_join: %s", err.text);
}

static void add(struct mw_spool *spool, enum mw_spool_stream stream, unsigned from, unsigned upto)
{
	static char body[BODY + 1];
	(void)snprintf(body, sizeof(body), "{\"a\":\"%0*d\"}", BODY - 8, 0);
	for (unsigned n = from; n < upto; n++) {
		char id[32];
		(void)snprintf(id, sizeof(id), "%s-%u", mw_spool_stream_names[stream], n);
		const struct mw_spool_row row = {.id = stream <= MW_SPOOL_ALERTS ? id : NULL,
						 .time_ns = n,
						 .kind = "kind",
						 .rule = stream == MW_SPOOL_ALERTS ? "rule" : NULL,
						 .body = body,
						 .body_bytes = BODY};
		assert_int_equal(mw_spool_add(spool, stream, &row, NULL), 0);
	}
}

static void commit(struct mw_spool *spool)
{
	struct mw_err err;
	if (mw_spool_commit(spool, &err) < 0)
		fail_msg("commit: %s", err.text);
}

/* Read; returns rows, upto[] as to be acknowledged. */
static unsigned read_some(struct mw_spool *spool, const char *name, size_t rows, size_t bytes, char *order,
			  int64_t upto[MW_SPOOL_STREAMS], bool *more)
{
	struct mw_buf batch = MW_BUF(MW_SPOOL_READ_BYTES);
	struct mw_err err;
	unsigned n = 0;
	memset(upto, 0, sizeof(int64_t) * MW_SPOOL_STREAMS);
	if (mw_spool_read(spool, name, ALL, rows, bytes, &batch, more, &err) < 0)
		fail_msg("mw_spool_read: %s", err.text);
	struct mw_spool_item item;
	for (size_t at = 0; mw_spool_batch_next(&batch, &at, &item); n++) {
		assert_int_equal(item.body_bytes, BODY);
		assert_int_equal(strlen(item.body), BODY);
		assert_string_equal(item.kind, "kind");
		assert_string_equal(item.rule, item.stream == MW_SPOOL_ALERTS ? "rule" : "");
		upto[item.stream] = item.seq;
		if (order)
			order[n] = *mw_spool_stream_names[item.stream];
	}
	if (order)
		order[n] = '\0';
	mw_buf_release(&batch);
	return n;
}

static struct mw_spool_counts count(struct mw_spool *spool, const char *name, enum mw_spool_stream stream)
{
	struct mw_spool_counts counts;
	struct mw_err err;
	if (mw_spool_count(spool, name, stream, &counts, &err) < 0)
		fail_msg("mw_spool_count: %s", err.text);
	assert_int_equal(counts.written, counts.read + counts.dropped + counts.aside + counts.handed + counts.waiting);
	return counts;
}

static int64_t ask(const char *sql)
{
	struct sqlite3 *db;
	struct mw_err err;
	if (mw_spool_reader_open(dir, &db, NULL, &err) < 0)
		fail_msg("mw_spool_reader_open: %s", err.text);
	sqlite3_stmt *statement;
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
	int64_t value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return value;
}

static void what_is_worth_most_comes_first(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB);
	char order[64];
	int64_t upto[MW_SPOOL_STREAMS];
	bool more;
	join(spool, "a", ALL);
	add(spool, MW_SPOOL_STATUS, 0, 2);
	add(spool, MW_SPOOL_EVENTS, 0, 2);
	add(spool, MW_SPOOL_RESULTS, 0, 2);
	add(spool, MW_SPOOL_ALERTS, 0, 2);
	assert_int_equal(read_some(spool, "a", 100, MIB, order, upto, &more), 0); /* not committed */
	commit(spool);
	assert_int_equal(read_some(spool, "a", 100, MIB, order, upto, &more), 8);
	assert_string_equal(order, "aarreess");
	assert_false(more);
	assert_int_equal(read_some(spool, "a", 3, MIB, order, upto, &more), 3);
	assert_string_equal(order, "aar");
	assert_true(more);
	assert_int_equal(mw_spool_ack(spool, "a", upto, NULL), 0);
	assert_int_equal(mw_spool_ack(spool, "a", upto, NULL), 0); /* twice is once */
	assert_int_equal(count(spool, "a", MW_SPOOL_ALERTS).read, 2);
	assert_int_equal(count(spool, "a", MW_SPOOL_RESULTS).waiting, 1);
	assert_int_equal(read_some(spool, "a", 100, MIB, order, upto, &more), 5);
	assert_string_equal(order, "reess");
	/* By bytes: one is given in any case. */
	assert_int_equal(read_some(spool, "a", 100, 10, order, upto, &more), 1);
	assert_true(more);
	/* Lines that all have read go; events and alerts stay, for tables. */
	read_some(spool, "a", 100, MIB, order, upto, &more);
	join(spool, "b", 1 << MW_SPOOL_STATUS);
	assert_int_equal(mw_spool_ack(spool, "a", upto, NULL), 0);
	assert_int_equal(ask("SELECT count(*) FROM results"), 0);
	assert_int_equal(ask("SELECT count(*) FROM status"), 2);
	assert_int_equal(ask("SELECT count(*) FROM events"), 2);
	assert_int_equal(read_some(spool, "b", 100, MIB, order, upto, &more), 2);
	assert_int_equal(mw_spool_ack(spool, "b", upto, NULL), 0);
	assert_int_equal(ask("SELECT count(*) FROM status"), 0);
	/* Their ids are told apart. */
	add(spool, MW_SPOOL_RESULTS, 0, 3);
	add(spool, MW_SPOOL_STATUS, 0, 3);
	commit(spool);
	assert_int_equal(ask("SELECT count(DISTINCT id) FROM (SELECT id FROM results UNION ALL SELECT id FROM status)"),
			 6);
	assert_int_equal(mw_spool_ack(spool, "nobody", upto, NULL), -ENOENT);
	mw_spool_close(spool);
}

static void cursors_survive_a_kill(void **state)
{
	(void)state;
	int64_t upto[MW_SPOOL_STREAMS];
	bool more;
	for (unsigned round = 0; round < 3; round++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			struct mw_spool *spool = open_spool(64 * MIB);
			join(spool, "a", ALL);
			add(spool, MW_SPOOL_EVENTS, round * 100, round * 100 + 100);
			commit(spool);
			unsigned n = read_some(spool, "a", 60, MIB, NULL, upto, &more);
			int r = mw_spool_ack(spool, "a", upto, NULL);
			(void)read_some(spool, "a", 60, MIB, NULL, upto, &more); /* on its way when the kill comes */
			if (n == 60 && r == 0)
				(void)kill(getpid(), SIGKILL);
			_exit(1);
		}
		int status;
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
	}
	struct mw_spool *spool = open_spool(64 * MIB);
	join(spool, "a", ALL);
	struct mw_spool_counts counts = count(spool, "a", MW_SPOOL_EVENTS);
	assert_int_equal(counts.written, 300);
	assert_int_equal(counts.read, 180);
	assert_int_equal(counts.waiting, 120);
	assert_int_equal(read_some(spool, "a", 1000, MIB, NULL, upto, &more), 120);
	assert_int_equal(upto[MW_SPOOL_EVENTS], 300);
	mw_spool_close(spool);
}

static void numbers_have_no_gaps(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB);
	join(spool, "a", ALL);
	for (unsigned i = 0; i < 3; i++) {
		add(spool, MW_SPOOL_EVENTS, 0, 5); /* the same ones again */
		add(spool, MW_SPOOL_EVENTS, 5 + i, 6 + i);
		commit(spool);
	}
	assert_int_equal(count(spool, "a", MW_SPOOL_EVENTS).written, 8);
	assert_int_equal(ask("SELECT max(seq) FROM events"), 8);
	mw_spool_close(spool);
}

static void the_limits_take_the_lowest_value_and_it_adds_up(void **state)
{
	(void)state;
	int64_t upto[MW_SPOOL_STREAMS];
	bool more;
	char order[MW_SPOOL_READ_ROWS + 1];
	struct mw_spool *spool = open_spool(64 * MIB);
	mw_spool_limit_rows(spool, 1000);
	join(spool, "slow", ALL);
	join(spool, "quick", ALL);
	add(spool, MW_SPOOL_ALERTS, 0, 100);
	add(spool, MW_SPOOL_STATUS, 0, 100);
	add(spool, MW_SPOOL_RESULTS, 0, 300);
	add(spool, MW_SPOOL_EVENTS, 0, 500);
	commit(spool);
	assert_int_equal(mw_spool_dropped(spool), 0);
	assert_int_equal(read_some(spool, "quick", 600, MIB, order, upto, &more), 600); /* 200 events of it */
	assert_int_equal(mw_spool_ack(spool, "quick", upto, NULL), 0);

	add(spool, MW_SPOOL_EVENTS, 500, 800); /* 300 too many */
	commit(spool);
	assert_int_equal(ask("SELECT count(*) FROM events"), 500);
	assert_int_equal(ask("SELECT min(seq) FROM events"), 301);
	assert_int_equal(count(spool, "slow", MW_SPOOL_EVENTS).dropped, 300);
	assert_int_equal(count(spool, "quick", MW_SPOOL_EVENTS).dropped, 100);
	assert_int_equal(count(spool, "quick", MW_SPOOL_EVENTS).read, 200);

	/* Now 620 more alerts: all events, all status lines, 20 results. */
	add(spool, MW_SPOOL_ALERTS, 100, 720);
	commit(spool);
	assert_int_equal(ask("SELECT count(*) FROM events"), 0);
	assert_int_equal(ask("SELECT count(*) FROM status"), 0);
	assert_int_equal(ask("SELECT count(*) FROM results"), 280);
	assert_int_equal(ask("SELECT count(*) FROM alerts"), 720);
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		(void)count(spool, "slow", (enum mw_spool_stream)i);
		(void)count(spool, "quick", (enum mw_spool_stream)i);
	}
	assert_int_equal(count(spool, "slow", MW_SPOOL_STATUS).dropped, 100);
	assert_int_equal(count(spool, "slow", MW_SPOOL_RESULTS).dropped, 20);
	assert_int_equal(count(spool, "slow", MW_SPOOL_ALERTS).dropped, 0);

	/* What was on its way when it was dropped stays counted as dropped, once. */
	assert_int_equal(read_some(spool, "quick", 50, MIB, order, upto, &more), 50);
	add(spool, MW_SPOOL_ALERTS, 720, 2000);
	commit(spool);
	assert_int_equal(mw_spool_ack(spool, "quick", upto, NULL), 0);
	assert_int_equal(ask("SELECT count(*) FROM alerts"), 1000);
	assert_int_equal(count(spool, "quick", MW_SPOOL_ALERTS).dropped, 900);
	mw_spool_close(spool);

	/* By bytes, likewise. */
	spool = open_spool(2 * MIB);
	join(spool, "slow", ALL);
	join(spool, "quick", ALL);
	unsigned delivered = 0;
	for (unsigned n = 0; n < 20; n++) {
		add(spool, MW_SPOOL_EVENTS, 10000 + n * 200, 10200 + n * 200);
		add(spool, MW_SPOOL_RESULTS, n, n + 1);
		commit(spool);
		delivered += read_some(spool, "quick", 150, MIB, NULL, upto, &more);
		assert_int_equal(mw_spool_ack(spool, "quick", upto, NULL), 0);
	}
	assert_true(delivered > 2000);
	assert_true(count(spool, "slow", MW_SPOOL_EVENTS).dropped > 1000);
	assert_int_equal(count(spool, "slow", MW_SPOOL_RESULTS).dropped, 300); /* of before */
	(void)count(spool, "quick", MW_SPOOL_EVENTS);
	mw_spool_close(spool);
}

static void a_row_is_set_aside(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB);
	struct mw_buf batch = MW_BUF(MW_SPOOL_READ_BYTES);
	bool more;
	join(spool, "a", ALL);
	add(spool, MW_SPOOL_RESULTS, 0, 5);
	commit(spool);
	assert_int_equal(mw_spool_read(spool, "a", ALL, 5, MIB, &batch, &more, NULL), 0);
	struct mw_spool_item item;
	size_t at = 0;
	for (unsigned i = 0; i < 3; i++)
		assert_true(mw_spool_batch_next(&batch, &at, &item));
	assert_int_equal(mw_spool_set_aside(spool, "a", &item, "HTTP 400", NULL), 0);
	mw_buf_release(&batch);
	struct mw_spool_counts counts = count(spool, "a", MW_SPOOL_RESULTS);
	assert_int_equal(counts.aside, 1);
	assert_int_equal(counts.read, 2);
	assert_int_equal(counts.waiting, 2);
	assert_int_equal(ask("SELECT count(*) FROM aside WHERE why = 'HTTP 400' AND stream = 'results' AND seq = 3"),
			 1);
	mw_spool_close(spool);
}

static void who_leaves_is_forgotten_and_its_place_is_free(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(8 * MIB);
	struct mw_err err;
	join(spool, "stays", ALL);
	join(spool, "leaves", ALL);
	add(spool, MW_SPOOL_RESULTS, 0, 10);
	commit(spool);
	int64_t upto[MW_SPOOL_STREAMS];
	bool more;
	assert_int_equal(read_some(spool, "stays", 100, MIB, NULL, upto, &more), 10);
	assert_int_equal(mw_spool_ack(spool, "stays", upto, &err), 0);
	assert_int_equal(count(spool, "leaves", MW_SPOOL_RESULTS).waiting, 10);
	assert_int_equal(mw_spool_leave(spool, "leaves", &err), 0);
	assert_int_equal(mw_spool_leave(spool, "leaves", &err), -ENOENT);
	assert_int_equal(ask("SELECT count(*) FROM cursors WHERE consumer = 'leaves'"), 0);
	assert_int_equal(count(spool, "stays", MW_SPOOL_RESULTS).read, 10);
	/* As often as it likes: there is room for each. */
	for (unsigned i = 0; i < 2 * MW_SPOOL_CONSUMERS; i++) {
		char name[32];
		(void)snprintf(name, sizeof(name), "guest-%u", i);
		join(spool, name, ALL);
		assert_int_equal(mw_spool_leave(spool, name, &err), 0);
	}
	add(spool, MW_SPOOL_RESULTS, 10, 12);
	commit(spool);
	assert_int_equal(read_some(spool, "stays", 100, MIB, NULL, upto, &more), 2);
	mw_spool_close(spool);
}

static void lines_that_nobody_wants_are_bounded(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB);
	for (unsigned n = 0; n < 12; n++) {
		add(spool, MW_SPOOL_RESULTS, 0, 1000);
		commit(spool);
	}
	assert_in_range(ask("SELECT count(*) FROM results"), 9000, 10000);
	join(spool, "a", ALL); /* and it gets what is there */
	assert_int_equal(count(spool, "a", MW_SPOOL_RESULTS).waiting, ask("SELECT count(*) FROM results"));
	mw_spool_close(spool);
}

static void a_file_of_the_first_format_is_kept(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB);
	add(spool, MW_SPOOL_EVENTS, 0, 10);
	add(spool, MW_SPOOL_ALERTS, 0, 3);
	mw_spool_close(spool);
	struct sqlite3 *db;
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
				      "DROP TABLE results; DROP TABLE status; DROP TABLE cursors; DROP TABLE aside;"
				      "PRAGMA user_version = 1",
				      NULL, NULL, NULL),
			 SQLITE_OK);
	sqlite3_close(db);
	struct mw_err note;
	struct mw_err err;
	if (mw_spool_open(dir, 64 * MIB, &spool, &note, &err) < 0)
		fail_msg("mw_spool_open: %s", err.text);
	assert_non_null(strstr(note.text, "format 1"));
	join(spool, "a", ALL);
	assert_int_equal(count(spool, "a", MW_SPOOL_EVENTS).waiting, 10);
	assert_int_equal(count(spool, "a", MW_SPOOL_ALERTS).waiting, 3);
	mw_spool_close(spool);
	assert_int_equal(mw_spool_open(dir, 64 * MIB, &spool, &note, &err), 0);
	assert_string_equal(note.text, "");
	mw_spool_close(spool);
}

static void what_is_left_is_handed_over(void **state)
{
	(void)state;
	char shared[sizeof(dir) + 16];
	char path[sizeof(shared) + 64];
	(void)snprintf(shared, sizeof(shared), "%s/shared", dir);
	int64_t upto[MW_SPOOL_STREAMS];
	bool more;
	struct mw_spool_handed handed;
	struct mw_err err;
	struct mw_spool *spool = open_spool(64 * MIB);
	join(spool, "slow", 1 << MW_SPOOL_ALERTS | 1 << MW_SPOOL_EVENTS);
	join(spool, "quick", ALL);
	assert_int_equal(mw_spool_hand_over(spool, "", shared, "task", MIB, &handed, &err), 0);
	assert_string_equal(handed.path, "");
	add(spool, MW_SPOOL_ALERTS, 0, 5);
	add(spool, MW_SPOOL_EVENTS, 0, 100);
	add(spool, MW_SPOOL_RESULTS, 0, 3);
	commit(spool);
	(void)read_some(spool, "quick", 30, MIB, NULL, upto, &more);
	assert_int_equal(mw_spool_ack(spool, "quick", upto, NULL), 0);
	/* Room for 50 events. */
	if (mw_spool_hand_over(spool, "", shared, "task", 55 * BODY, &handed, &err) < 0)
		fail_msg("hand over: %s", err.text);
	assert_int_equal(handed.rows[MW_SPOOL_ALERTS], 5);
	assert_int_equal(handed.rows[MW_SPOOL_EVENTS], 50);
	assert_int_equal(handed.left[MW_SPOOL_EVENTS], 50);
	assert_int_equal(handed.rows[MW_SPOOL_RESULTS], 0);
	assert_int_equal(count(spool, "slow", MW_SPOOL_ALERTS).handed, 5);
	assert_int_equal(count(spool, "slow", MW_SPOOL_EVENTS).handed, 50);
	assert_int_equal(count(spool, "slow", MW_SPOOL_EVENTS).waiting, 50);
	assert_int_equal(count(spool, "quick", MW_SPOOL_EVENTS).handed, 28);
	/* Again: what is left, by another name. */
	if (mw_spool_hand_over(spool, "", shared, "task", MIB, &handed, &err) < 0)
		fail_msg("hand over: %s", err.text);
	assert_int_equal(handed.rows[MW_SPOOL_EVENTS], 50);
	assert_non_null(strstr(handed.path, "/shared/task.2"));
	mw_spool_close(spool);

	(void)snprintf(path, sizeof(path), "%s/task", shared);
	assert_int_equal(mw_spool_open(path, 64 * MIB, &spool, NULL, &err), 0);
	join(spool, "slow", 1 << MW_SPOOL_ALERTS | 1 << MW_SPOOL_EVENTS);
	join(spool, "quick", ALL);
	assert_int_equal(count(spool, "slow", MW_SPOOL_EVENTS).waiting, 50);
	assert_int_equal(count(spool, "slow", MW_SPOOL_ALERTS).waiting, 5);
	assert_int_equal(count(spool, "quick", MW_SPOOL_EVENTS).waiting, 28);
	assert_int_equal(count(spool, "quick", MW_SPOOL_ALERTS).waiting, 0);
	assert_int_equal(count(spool, "quick", MW_SPOOL_RESULTS).waiting, 0);
	assert_int_equal(read_some(spool, "quick", 100, MIB, NULL, upto, &more), 28);
	assert_int_equal(upto[MW_SPOOL_EVENTS], 50);
	mw_spool_close(spool);

	for (unsigned i = 0; i < 2; i++) {
		(void)snprintf(path, sizeof(path), "%s/task%s/" MW_SPOOL_FILE, shared, i ? ".2" : "");
		assert_int_equal(unlink(path), 0);
		*strrchr(path, '/') = '\0';
		assert_int_equal(rmdir(path), 0);
	}
	assert_int_equal(rmdir(shared), 0);

	/* Where nothing can be written nothing is taken away. */
	spool = open_spool(64 * MIB);
	join(spool, "slow", ALL);
	add(spool, MW_SPOOL_RESULTS, 0, 3);
	commit(spool);
	assert_true(mw_spool_hand_over(spool, "", "/proc/nowhere", "task", MIB, &handed, &err) < 0);
	assert_int_equal(count(spool, "slow", MW_SPOOL_RESULTS).handed, 0);
	mw_spool_close(spool);
}

static void news(void *data, const struct mw_spool_news added[MW_SPOOL_STREAMS])
{
	struct mw_spool_news *sum = data;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		sum[i].rows += added[i].rows;
		sum[i].bytes += added[i].bytes;
	}
}

static void what_is_new_is_told(void **state)
{
	(void)state;
	struct mw_spool_news sum[MW_SPOOL_STREAMS] = {{0}};
	struct mw_spool *spool = open_spool(64 * MIB);
	mw_spool_tell(spool, news, sum);
	add(spool, MW_SPOOL_EVENTS, 0, 10);
	assert_int_equal(sum[MW_SPOOL_EVENTS].rows, 0);
	commit(spool);
	commit(spool);
	assert_int_equal(sum[MW_SPOOL_EVENTS].rows, 10);
	assert_int_equal(sum[MW_SPOOL_EVENTS].bytes, 10 * BODY);
	assert_int_equal(sum[MW_SPOOL_ALERTS].rows, 0);
	mw_spool_close(spool);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_worth_most_comes_first),
		TEST(cursors_survive_a_kill),
		TEST(numbers_have_no_gaps),
		TEST(the_limits_take_the_lowest_value_and_it_adds_up),
		TEST(a_row_is_set_aside),
		TEST(who_leaves_is_forgotten_and_its_place_is_free),
		TEST(lines_that_nobody_wants_are_bounded),
		TEST(a_file_of_the_first_format_is_kept),
		TEST(what_is_left_is_handed_over),
		TEST(what_is_new_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Queries in a thread: what is new in event tables, a window at a time; memory counted by thread; the end. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <poll.h>
#include <sqlite3.h>

#include <cmocka.h>

#include "base/thread.h"
#include "base/clock.h"
#include "flag/flag.h"
#include "spool/spool.h"
#include "sql/memory.h"
#include "sql/worker.h"

static char dir[] = "/tmp/mw-worker.XXXXXX";
static struct mw_spool *spool;
static unsigned events;

static int start(void **state)
{
	(void)state;
	/* As the sensor does, before SQLite is first used. */
	mw_sql_memory_begin(false);
	memcpy(dir, "/tmp/mw-worker.XXXXXX", sizeof(dir));
	return mkdtemp(dir) && mw_spool_open(dir, 64 << 20, &spool, NULL, NULL) == 0 ? 0 : -1;
}

static void remove_spool(void)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		char path[64];
		(void)snprintf(path, sizeof(path), "%s/" MW_SPOOL_FILE "%s", dir, ends[i]);
		(void)unlink(path);
	}
}

static int stop(void **state)
{
	(void)state;
	mw_spool_close(spool);
	remove_spool();
	return rmdir(dir);
}

/* So many more; the path of event n is /n. */
static void add(const char *run, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char id[40];
		char body[100];
		(void)snprintf(id, sizeof(id), "%s-%u", run, ++events);
		(void)snprintf(body, sizeof(body), "{\"process\":{\"exe\":\"/%u\"}}", events);
		const struct mw_spool_row row = {
			.id = id,
			.time_ns = 1,
			.kind = "process.exec",
			.pid = 1,
			.body = body,
			.body_bytes = strlen(body),
		};
		assert_int_equal(mw_spool_add(spool, MW_SPOOL_EVENTS, &row, NULL), 0);
	}
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
}

static struct mw_sql_worker *new_worker(void)
{
	const struct mw_sql_worker_options options = {.state_dir = dir};
	struct mw_sql_worker *worker = NULL;
	assert_int_equal(mw_sql_worker_new(&options, &worker), 0);
	return worker;
}

static const struct mw_answer *await(struct mw_sql_worker *worker, struct mw_sql_job *job)
{
	assert_non_null(job);
	const struct mw_answer *answer;
	while (!(answer = mw_sql_job_answer(job))) {
		struct pollfd wake = {.fd = mw_sql_worker_fd(worker), .events = POLLIN};
		assert_int_equal(poll(&wake, 1, 20000), 1);
		uint64_t times;
		assert_int_equal(read(wake.fd, &times, sizeof(times)), sizeof(times));
	}
	return answer;
}

/* The paths of the events in the window, in order; then the next window begins. */
static const char *paths(struct mw_sql_worker *worker, struct mw_sql_window *window)
{
	static char out[4096];
	static const char text[] = "SELECT path FROM process_events";
	const struct mw_ask ask = {
		.text = text, .bytes = strlen(text), .form = MW_ANSWER_JSON, .has_window = true, .window = *window};
	struct mw_err err;
	struct mw_sql_job *job = mw_sql_worker_ask(worker, &ask, &err);
	const struct mw_answer *answer = await(worker, job);
	assert_int_equal(answer->code, 0);
	out[0] = '\0';
	const char *at = answer->data.data;
	const char *end = at + answer->data.size;
	at += 5 + strlen("path") + 1 + strlen("TEXT") + 1; /* the columns */
	while (at < end) {
		uint32_t length;
		assert_int_equal(*at, MW_ANSWER_OBJECT);
		memcpy(&length, at + 1, sizeof(length));
		(void)snprintf(out + strlen(out), sizeof(out) - strlen(out), "%.*s", (int)length - 11, at + 5 + 9);
		at += 5 + length;
	}
	*window = answer->window;
	mw_sql_job_let_go(worker, job);
	return out;
}

/* As whoever keeps the position would: nothing but that goes on to the next. */
static struct mw_sql_window next(const struct mw_sql_window *window)
{
	struct mw_sql_window fresh = {.rows = window->rows};
	memcpy(fresh.since, window->until, sizeof(fresh.since));
	return fresh;
}

static void events_are_told_once_a_window_at_a_time(void **state)
{
	(void)state;
	struct mw_sql_worker *worker = new_worker();
	struct mw_sql_window window = {.rows = 3};
	assert_string_equal(paths(worker, &window), "");
	assert_true(window.is_used[MW_SPOOL_EVENTS]);
	assert_false(window.is_used[MW_SPOOL_ALERTS]);
	window = next(&window);
	add("a", 7);
	assert_string_equal(paths(worker, &window), "/1/2/3");
	assert_true(window.has_more[MW_SPOOL_EVENTS]);
	window = next(&window);
	assert_string_equal(paths(worker, &window), "/4/5/6");
	window = next(&window);
	add("a", 1);
	assert_string_equal(paths(worker, &window), "/7/8");
	assert_false(window.has_more[MW_SPOOL_EVENTS]);
	assert_string_equal(window.until[MW_SPOOL_EVENTS].id, "a-8");
	window = next(&window);
	assert_string_equal(paths(worker, &window), "");
	assert_int_equal(window.until[MW_SPOOL_EVENTS].seq, 8);
	assert_int_equal(window.missed[MW_SPOOL_EVENTS], 0);
	mw_sql_worker_free(worker);
}

static void a_spool_that_was_begun_anew_is_read_from_its_beginning(void **state)
{
	(void)state;
	struct mw_sql_worker *worker = new_worker();
	struct mw_sql_window window = {.rows = 0};
	(void)paths(worker, &window);
	struct mw_sql_window old = next(&window); /* at 8 */
	for (unsigned count = 3; count <= 12; count += 9) {
		mw_spool_close(spool);
		remove_spool();
		events = 0;
		assert_int_equal(mw_spool_open(dir, 64 << 20, &spool, NULL, NULL), 0);
		add("b", count); /* fewer than before, then more */
		window = old;
		assert_string_equal(paths(worker, &window), count == 3 ? "/1/2/3" : "/1/2/3/4/5/6/7/8/9/10/11/12");
		assert_true(window.is_anew[MW_SPOOL_EVENTS]);
	}
	mw_sql_worker_free(worker);
}

static void rows_that_were_dropped_before_are_counted(void **state)
{
	(void)state;
	struct mw_sql_worker *worker = new_worker();
	struct mw_sql_window window = {.rows = 4};
	assert_string_equal(paths(worker, &window), "/1/2/3/4");
	/* As if the spool's limit had taken the first ones. */
	sqlite3 *db = NULL;
	char path[64];
	(void)snprintf(path, sizeof(path), "%s/" MW_SPOOL_FILE, dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "DELETE FROM events WHERE seq <= 9", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
	window = next(&window);
	assert_string_equal(paths(worker, &window), "/10/11/12");
	assert_int_equal(window.missed[MW_SPOOL_EVENTS], 5);
	/* Whoever asks for the first time has lost nothing. */
	window = (struct mw_sql_window){.rows = 0};
	assert_string_equal(paths(worker, &window), "/10/11/12");
	assert_int_equal(window.missed[MW_SPOOL_EVENTS], 0);
	mw_sql_worker_free(worker);
}

static void memory_of_a_query_is_not_that_of_others(void **state)
{
	(void)state;
	static const char bomb[] = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
				   " SELECT randomblob(1000) AS b FROM c ORDER BY b";
	assert_true(mw_sql_memory_is_counted());
	struct mw_sql_worker *worker = new_worker();
	const struct mw_ask ask = {.text = bomb, .bytes = strlen(bomb), .memory_bytes = 8 << 20};
	struct mw_err err;
	struct mw_sql_job *job = mw_sql_worker_ask(worker, &ask, &err);
	/* This thread goes on writing while the other is at its limit. */
	while (!mw_sql_job_answer(job))
		add("c", 100);
	assert_int_equal(mw_sql_job_answer(job)->code, -ENOMEM);
	assert_in_range(mw_sql_job_answer(job)->memory_bytes, 7 << 20, 9 << 20);
	mw_sql_job_let_go(worker, job);
	assert_int_equal(mw_spool_lost(spool), 0);
	mw_sql_worker_free(worker);
}

static void the_end_stops_what_runs(void **state)
{
	(void)state;
	static const char endless[] =
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c";
	atomic_uint births = 0;
	mw_thread_count_in(&births);
	struct mw_sql_worker *worker = new_worker();
	const struct mw_ask ask = {.text = endless, .bytes = strlen(endless), .time_ms = 60000};
	struct mw_err err;
	assert_int_equal(atomic_load(&births), 0);
	struct mw_sql_job *jobs[3];
	for (size_t i = 0; i < 3; i++)
		jobs[i] = mw_sql_worker_ask(worker, &ask, &err);
	assert_int_equal(atomic_load(&births), 1);
	mw_thread_count_in(NULL);
	assert_false(mw_sql_job_is_stuck(worker, jobs[0], 1000));
	for (size_t i = 0; i < 3; i++)
		mw_sql_job_let_go(worker, jobs[i]);
	int64_t begin_ns = mw_clock_mono_ns();
	mw_sql_worker_free(worker);
	assert_in_range(mw_clock_mono_ns() - begin_ns, 0, (int64_t)5 * MW_NS_PER_S);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(events_are_told_once_a_window_at_a_time),
		cmocka_unit_test(a_spool_that_was_begun_anew_is_read_from_its_beginning),
		cmocka_unit_test(rows_that_were_dropped_before_are_counted),
		cmocka_unit_test(memory_of_a_query_is_not_that_of_others),
		cmocka_unit_test(the_end_stops_what_runs),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

/* The spool: what is added can be read, within limits, whatever happens to the file and whoever else uses it. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "spool/reader.h"
#include "spool/spool.h"
#include "spool/state_dir.h"

enum {
	MIB = 1 << 20,
	BODY = 700,
};

static char dir[MW_PATH_BYTES];
static char file[MW_PATH_BYTES + 16];

static int make_dir(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(dir, sizeof(dir), "%s/spool-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(file, sizeof(file), "%s/" MW_SPOOL_FILE, dir);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	static const char *const endings[] = {"", "-wal", "-shm", ".bad", ".bad-wal", ".elsewhere"};
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		char path[sizeof(file) + 16];
		(void)snprintf(path, sizeof(path), "%s%s", file, endings[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

static struct mw_spool *open_spool(uint64_t limit_bytes, struct mw_err *note)
{
	struct mw_spool *spool = NULL;
	struct mw_err err;
	if (mw_spool_open(dir, limit_bytes, &spool, note, &err) < 0)
		fail_msg("mw_spool_open: %s", err.text);
	return spool;
}

static int add_as(struct mw_spool *spool, const char *run, unsigned n, struct mw_err *err)
{
	static char body[BODY + 1];
	char id[64];
	(void)snprintf(body, sizeof(body), "{\"a\":\"%0*d\"}", BODY - 8, 0);
	(void)snprintf(id, sizeof(id), "%s-%012u", run, n);
	struct mw_spool_row row = {.id = id,
				   .time_ns = (int64_t)n * 1000,
				   .kind = "process.exec",
				   .pid = n,
				   .body = body,
				   .body_bytes = BODY};
	return mw_spool_add(spool, MW_SPOOL_EVENTS, &row, err);
}

static int add(struct mw_spool *spool, unsigned n)
{
	return add_as(spool, "a", n, NULL);
}

static int add_alert(struct mw_spool *spool, const char *id, const char *rule)
{
	struct mw_spool_row row = {
		.id = id, .time_ns = 1, .kind = "process.exec", .pid = 1, .rule = rule, .body = "{}", .body_bytes = 2};
	return mw_spool_add(spool, MW_SPOOL_ALERTS, &row, NULL);
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

static int64_t size_of(const char *ending)
{
	char path[sizeof(file) + 16];
	struct stat st;
	(void)snprintf(path, sizeof(path), "%s%s", file, ending);
	return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static void what_is_committed_can_be_read(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB, NULL);
	for (unsigned n = 0; n < 100; n++)
		assert_int_equal(add(spool, n), 0);
	assert_int_equal(ask("SELECT count(*) FROM events"), 0);
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	assert_int_equal(ask("SELECT count(*) FROM events"), 100);
	assert_int_equal(ask("SELECT pid FROM events WHERE id = 'a-000000000042'"), 42);
	assert_int_equal(ask("SELECT time_ns FROM events WHERE pid = 42"), 42000);
	assert_int_equal(ask("SELECT length(body) FROM events WHERE pid = 42"), BODY);

	assert_int_equal(add(spool, 100), 0);
	mw_spool_close(spool); /* commits, too */
	assert_int_equal(size_of("-wal"), -1);
	assert_int_equal(ask("SELECT count(*) FROM events"), 101);
	struct stat st;
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_comes_again_is_stored_once(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB, NULL);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(add(spool, 7), 0);
		assert_int_equal(add_alert(spool, "a-7", "one"), 0);
		assert_int_equal(add_alert(spool, "a-7", "two"), 0);
		assert_int_equal(mw_spool_commit(spool, NULL), 0);
	}
	assert_int_equal(ask("SELECT count(*) FROM events"), 1);
	assert_int_equal(ask("SELECT count(*) FROM alerts"), 2);
	assert_int_equal(mw_spool_lost(spool), 0);
	mw_spool_close(spool);
}

/* Many are written by one statement: in their order, and with numbers that have no gap, also when some were there. */
static void many_keep_their_order(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB, NULL);
	for (unsigned n = 0; n < 100; n++) {
		assert_int_equal(add(spool, n), 0);
		if (n % 10 == 0)
			assert_int_equal(add_alert(spool, "a-7", n == 0 ? "one" : "two"), 0);
	}
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	for (unsigned n = 90; n < 150; n++)
		assert_int_equal(add(spool, n == 120 ? 5 : n), 0);
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	assert_int_equal(ask("SELECT count(*) FROM events"), 149);
	assert_int_equal(ask("SELECT count(*) FROM alerts"), 2);
	assert_int_equal(ask("SELECT count(*) FROM events WHERE pid = seq - 1 + (seq > 120)"), 149);
	assert_int_equal(ask("SELECT seq FROM sqlite_sequence WHERE name = 'events'"), 149);
	mw_spool_close(spool);
}

static void past_the_limit_the_oldest_go_and_are_counted(void **state)
{
	(void)state;
	enum {
		LIMIT = 8 * MIB,
		ROWS = 40000, /* 28 MB */
	};
	struct mw_spool *spool = open_spool(LIMIT, NULL);
	assert_int_equal(add_alert(spool, "first", "rule"), 0);
	int64_t most = 0;
	for (unsigned n = 0; n < ROWS; n++) {
		assert_int_equal(add(spool, n), 0);
		if (n % 500 == 0) {
			assert_int_equal(mw_spool_commit(spool, NULL), 0);
			int64_t size = size_of("") + size_of("-wal");
			most = size > most ? size : most;
		}
	}
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	int64_t kept = ask("SELECT count(*) FROM events");
	assert_true(kept > 2000);
	assert_int_equal(kept + (int64_t)mw_spool_dropped(spool), ROWS);
	assert_int_equal(ask("SELECT max(pid) FROM events"), ROWS - 1);
	assert_int_equal(ask("SELECT min(pid) FROM events"), ROWS - kept);
	assert_int_equal(ask("SELECT value FROM meta WHERE key = 'dropped'"), (int64_t)mw_spool_dropped(spool));
	assert_int_equal(ask("SELECT count(*) FROM alerts"), 1);
	assert_in_range(most, 1, LIMIT + LIMIT / 8); /* a batch beyond it at most */
	mw_spool_close(spool);

	/* A lower limit, at the next start. */
	spool = open_spool(2 * MIB, NULL);
	assert_in_range(size_of(""), 1, 2 * MIB);
	assert_int_equal(ask("SELECT max(pid) FROM events"), ROWS - 1);
	assert_true(mw_spool_dropped(spool) > 0);
	mw_spool_close(spool);
}

static void alerts_go_when_there_is_nothing_else(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(MIB, NULL);
	static char body[2001];
	memset(body, 'x', sizeof(body) - 1);
	for (unsigned n = 0; n < 3000; n++) {
		char id[16];
		(void)snprintf(id, sizeof(id), "%u", n);
		struct mw_spool_row row = {
			.id = id, .kind = "k", .rule = "r", .body = body, .body_bytes = sizeof(body) - 1};
		assert_int_equal(mw_spool_add(spool, MW_SPOOL_ALERTS, &row, NULL), 0);
		if (n % 50 == 0)
			assert_int_equal(mw_spool_commit(spool, NULL), 0);
	}
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	assert_true(mw_spool_dropped(spool) > 0);
	assert_int_equal(ask("SELECT count(*) FROM alerts") + (int64_t)mw_spool_dropped(spool), 3000);
	mw_spool_close(spool);
}

static void write_file(const char *text, size_t n)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

static void expect_set_aside(const char *reason)
{
	struct mw_err note;
	struct mw_spool *spool = open_spool(64 * MIB, &note);
	if (!strstr(note.text, reason) || !strstr(note.text, "spool.db.bad"))
		fail_msg("the note is: %s", note.text);
	assert_true(size_of(".bad") > 0);
	assert_int_equal(add(spool, 1), 0);
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	assert_int_equal(ask("SELECT count(*) FROM events"), 1);
	mw_spool_close(spool);
	assert_int_equal(unlink(file), 0);
}

static void what_is_no_spool_is_set_aside(void **state)
{
	(void)state;
	static char junk[20000];
	memset(junk, 'j', sizeof(junk));
	write_file(junk, sizeof(junk));
	expect_set_aside("not a database");

	struct sqlite3 *db;
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "CREATE TABLE events(a)", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	expect_set_aside("another program");

	mw_spool_close(open_spool(64 * MIB, NULL));
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	expect_set_aside("format is 99");

	mw_spool_close(open_spool(64 * MIB, NULL));
	assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "ALTER TABLE events DROP COLUMN body", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	expect_set_aside("body");
}

static void a_good_file_is_kept(void **state)
{
	(void)state;
	struct mw_err note;
	struct mw_spool *spool = open_spool(64 * MIB, &note);
	assert_string_equal(note.text, "");
	add(spool, 1);
	mw_spool_close(spool);
	spool = open_spool(64 * MIB, &note);
	assert_string_equal(note.text, "");
	add(spool, 2);
	mw_spool_close(spool);
	assert_int_equal(ask("SELECT count(*) FROM events"), 2);
	assert_int_equal(size_of(".bad"), -1);
}

static void damage_while_it_is_used_begins_a_new_file(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB, NULL);
	for (unsigned n = 0; n < 2000; n++)
		assert_int_equal(add(spool, n), 0);
	mw_spool_close(spool);
	spool = open_spool(64 * MIB, NULL);
	/* All but the first page, which the connection has. */
	int fd = open(file, O_WRONLY | O_CLOEXEC);
	static char junk[16384];
	memset(junk, 0xA5, sizeof(junk));
	for (off_t at = sizeof(junk); at < size_of(""); at += (off_t)sizeof(junk))
		assert_int_equal(pwrite(fd, junk, sizeof(junk), at), sizeof(junk));
	close(fd);
	for (unsigned n = 2000; n < 2100; n++)
		assert_int_equal(add(spool, n), 0);
	struct mw_err err = {""};
	if (mw_spool_commit(spool, &err) < 0)
		fail_msg("commit: %s", err.text);
	assert_true(size_of(".bad") > 0);
	assert_int_equal(ask("SELECT count(*) FROM events"), 100);
	mw_spool_close(spool);
}

static void a_busy_file_loses_nothing(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB, NULL);
	struct sqlite3 *other;
	struct mw_err err;
	assert_int_equal(sqlite3_open(file, &other), SQLITE_OK);
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	/* More than a batch, so that adding tries to write too. */
	for (unsigned n = 0; n < 8000; n++)
		assert_int_equal(add_as(spool, "a", n, &err), 0);
	assert_int_equal(mw_spool_commit(spool, &err), -EBUSY);
	assert_non_null(strstr(err.text, "locked"));
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(mw_spool_commit(spool, &err), 0);
	assert_int_equal(ask("SELECT count(*) FROM events"), 8000);
	assert_int_equal(mw_spool_lost(spool), 0);

	/* Busy for ever: what no longer fits is lost, and counted. */
	assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	unsigned refused = 0;
	for (unsigned n = 8000; n < 40000; n++)
		refused += add_as(spool, "a", n, &err) < 0;
	assert_true(refused > 0);
	assert_non_null(strstr(err.text, "locked"));
	assert_int_equal(mw_spool_lost(spool), refused);
	assert_int_equal(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	assert_int_equal(mw_spool_commit(spool, &err), 0);
	assert_int_equal(ask("SELECT count(*) FROM events"), 40000 - refused);
	assert_int_equal(ask("SELECT value FROM meta WHERE key = 'lost'"), refused);
	mw_spool_close(spool);
}

static void a_reader_that_never_ends_does_not_fill_the_disk(void **state)
{
	(void)state;
	enum {
		LIMIT = 8 * MIB
	};
	struct mw_spool *spool = open_spool(LIMIT, NULL);
	struct sqlite3 *reader;
	struct mw_err err = {""};
	add(spool, 0);
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	assert_int_equal(mw_spool_reader_open(dir, &reader, NULL, NULL), 0);
	assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM events", NULL, NULL, NULL), SQLITE_OK);
	int r = 0;
	unsigned n = 1;
	for (; n < 60000 && r == 0; n++) {
		add(spool, n);
		if (n % 200 == 0)
			r = mw_spool_commit(spool, &err);
	}
	assert_int_equal(r, -ENOSPC);
	assert_non_null(strstr(err.text, "reader"));
	assert_in_range(size_of("-wal"), 1, LIMIT / 2);

	sqlite3_close(reader);
	int64_t deadline_ns = mw_clock_mono_ns() + 20LL * MW_NS_PER_S;
	while ((r = mw_spool_commit(spool, &err)) < 0 && mw_clock_mono_ns() < deadline_ns)
		assert_int_equal(r, -ENOSPC); /* it is not tried each time */
	assert_int_equal(r, 0);
	assert_int_equal(ask("SELECT max(pid) FROM events"), n - 1);
	assert_int_equal(mw_spool_lost(spool), 0);
	mw_spool_close(spool);
}

static void several_write_while_others_read(void **state)
{
	(void)state;
	enum {
		WRITERS = 3,
		ROWS = 3000,
	};
	for (unsigned w = 0; w < WRITERS; w++) {
		pid_t pid = fork();
		assert_true(pid >= 0);
		if (pid)
			continue;
		char run[8];
		struct mw_spool *spool = NULL;
		struct mw_err err = {""};
		int status = mw_spool_open(dir, 64 * MIB, &spool, NULL, &err) < 0;
		(void)snprintf(run, sizeof(run), "w%u", w);
		for (unsigned n = 0; n < ROWS && !status; n++) {
			status = add_as(spool, run, n, &err) < 0;
			if (n % 50 == 0) /* may be busy, then later */
				(void)mw_spool_commit(spool, &err);
		}
		int64_t deadline_ns = mw_clock_mono_ns() + 20LL * MW_NS_PER_S;
		while (!status && mw_spool_commit(spool, &err) < 0)
			status = mw_clock_mono_ns() > deadline_ns;
		if (!status)
			status = mw_spool_lost(spool) != 0;
		mw_spool_close(spool);
		if (status)
			(void)fprintf(stderr, "writer %u: %s\n", w, err.text);
		_exit(status);
	}
	int64_t seen = 0;
	unsigned ended = 0;
	while (ended < WRITERS) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0) {
			assert_true(WIFEXITED(status));
			assert_int_equal(WEXITSTATUS(status), 0);
			ended++;
		}
		struct sqlite3 *db;
		if (mw_spool_reader_open(dir, &db, NULL, NULL) < 0)
			continue; /* nothing there yet */
		sqlite3_close(db);
		int64_t now = ask("SELECT count(*) FROM events");
		assert_true(now >= seen);
		seen = now;
	}
	assert_int_equal(ask("SELECT count(*) FROM events"), WRITERS * ROWS);
	assert_int_equal(ask("SELECT count(DISTINCT seq) FROM events"), WRITERS * ROWS);
}

static void a_row_without_measure_is_refused(void **state)
{
	(void)state;
	struct mw_spool *spool = open_spool(64 * MIB, NULL);
	struct mw_err err;
	char *body = calloc(1, 2 * MIB);
	struct mw_spool_row row = {.id = "big", .kind = "k", .body = body, .body_bytes = 2 * MIB};
	assert_int_equal(mw_spool_add(spool, MW_SPOOL_EVENTS, &row, &err), -E2BIG);
	assert_non_null(strstr(err.text, "big"));
	assert_int_equal(mw_spool_lost(spool), 1);
	mw_spool_close(spool);
	assert_int_equal(ask("SELECT value FROM meta WHERE key = 'lost'"), 1);
	free(body);
}

static void without_a_folder_it_is_in_memory(void **state)
{
	(void)state;
	struct mw_spool *spool = NULL;
	struct mw_err err;
	assert_int_equal(mw_spool_open("", 1024ull * MIB, &spool, NULL, &err), 0);
	for (unsigned n = 0; n < 40000; n++)
		assert_int_equal(add(spool, n), 0);
	assert_int_equal(mw_spool_commit(spool, &err), 0);
	assert_true(mw_spool_dropped(spool) > 0); /* of the application's memory only so much is taken */
	mw_spool_close(spool);
}

static void a_link_in_its_place_is_not_followed(void **state)
{
	(void)state;
	char target[sizeof(file) + 16];
	struct mw_spool *spool = NULL;
	struct mw_err err;
	(void)snprintf(target, sizeof(target), "%s.elsewhere", file);
	assert_int_equal(symlink(target, file), 0);
	assert_int_equal(mw_spool_open(dir, MIB, &spool, NULL, &err), -ELOOP);
	assert_non_null(strstr(err.text, "symbolic link"));
	assert_int_equal(access(target, F_OK), -1);
	char found[MW_PATH_BYTES];
	assert_int_equal(mw_state_dir_find(dir, found, &err), -ENOENT);
}

/* Another user, who may only read.  Made before the spool is opened, and then told to look: SQLite must not be taken over
 * a fork(2). */
struct nobody {
	pid_t pid;
	int go;
};

static struct nobody make_nobody(bool expect_note)
{
	int go[2];
	assert_int_equal(pipe(go), 0);
	struct nobody nobody = {.pid = fork(), .go = go[1]};
	assert_true(nobody.pid >= 0);
	if (nobody.pid) {
		close(go[0]);
		return nobody;
	}
	char byte;
	struct sqlite3 *db;
	sqlite3_stmt *statement;
	struct mw_err note = {""};
	struct mw_err err;
	if (read(go[0], &byte, 1) != 1 || setgid(65534) < 0 || setuid(65534) < 0)
		_exit(10);
	if (mw_spool_reader_open(dir, &db, &note, &err) < 0)
		_exit(11);
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM events", -1, &statement, NULL) != SQLITE_OK ||
	    sqlite3_step(statement) != SQLITE_ROW)
		_exit(12);
	int count = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	_exit((*note.text != '\0') != expect_note ? 13 : count == 5 ? 0 : 14);
}

static int let_look(struct nobody nobody)
{
	int status;
	assert_int_equal(write(nobody.go, "g", 1), 1);
	close(nobody.go);
	assert_int_equal(waitpid(nobody.pid, &status, 0), nobody.pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void set_mode(const char *ending, mode_t mode)
{
	char path[sizeof(file) + 16];
	(void)snprintf(path, sizeof(path), "%s%s", file, ending);
	assert_int_equal(chmod(path, mode), 0);
}

static void it_can_be_read_where_nothing_can_be_written(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip(); /* another user is needed */
	const char *above = getenv("TMPDIR");
	if (above)
		assert_int_equal(chmod(above, 0711), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	struct nobody beside = make_nobody(false);
	struct nobody after = make_nobody(false);
	struct nobody without_index = make_nobody(true);

	struct mw_spool *spool = open_spool(MIB, NULL);
	for (unsigned n = 0; n < 5; n++)
		add(spool, n);
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	set_mode("", 0644);
	set_mode("-wal", 0644);
	set_mode("-shm", 0644);
	assert_int_equal(let_look(beside), 0);
	mw_spool_close(spool);
	assert_int_equal(size_of("-wal"), -1);
	assert_int_equal(let_look(after), 0);

	/* Where the log's index cannot be read, what the log holds is missing, and that is said. */
	spool = open_spool(MIB, NULL);
	add(spool, 5);
	assert_int_equal(mw_spool_commit(spool, NULL), 0);
	set_mode("-shm", 0600);
	assert_int_equal(let_look(without_index), 0);
	mw_spool_close(spool);
}

static void a_missing_folder_is_an_error(void **state)
{
	(void)state;
	struct mw_spool *spool = NULL;
	struct mw_err err;
	assert_int_equal(mw_spool_open("/nowhere/at/all", MIB, &spool, NULL, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/nowhere/at/all"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_committed_can_be_read),
		TEST(what_comes_again_is_stored_once),
		TEST(many_keep_their_order),
		TEST(past_the_limit_the_oldest_go_and_are_counted),
		TEST(alerts_go_when_there_is_nothing_else),
		TEST(what_is_no_spool_is_set_aside),
		TEST(a_good_file_is_kept),
		TEST(damage_while_it_is_used_begins_a_new_file),
		TEST(a_busy_file_loses_nothing),
		TEST(a_reader_that_never_ends_does_not_fill_the_disk),
		TEST(several_write_while_others_read),
		TEST(a_row_without_measure_is_refused),
		TEST(without_a_folder_it_is_in_memory),
		TEST(a_link_in_its_place_is_not_followed),
		TEST(it_can_be_read_where_nothing_can_be_written),
		TEST(a_missing_folder_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* One file in WAL mode: readers never wait for the writer nor it for them, and several writers take turns,
 * https://www.sqlite.org/wal.html */
#include "spool/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "spool/spool.h"

enum {
	/* How long a writer waits for another one.  Batches take less than 100 ms. */
	BUSY_TIMEOUT_MS = 250,
	/* How long an opener waits for others that are just making the schema, or recovering. */
	OPEN_TIMEOUT_MS = 3000,
	OPEN_RETRY_MS = 10,
	FORMAT = 2, /* user_version: raised when the schema changes */
	FORMAT_EVENTS_ALONE = 1,
	/* "mwsp": application_id, so that no other program's file is taken for ours. */
	APPLICATION = 0x6d777370,
	VALUE_BYTES = 8 << 20,
};

static const char settings[] = "PRAGMA page_size = 16384;"
			       "PRAGMA synchronous = OFF;" /* while there is nothing in it */
			       "PRAGMA journal_mode = WAL;"
			       "PRAGMA synchronous = NORMAL;"
			       "PRAGMA wal_autocheckpoint = 0;" /* spool.c does it, and bounds the log */
			       "PRAGMA temp_store = MEMORY;"
			       "PRAGMA cache_size = -4096;"
			       "PRAGMA cell_size_check = ON;";

/* seq is the order of arrival and what the oldest rows are dropped by; id keeps a redelivered event from being stored
 * twice; time is what people ask for. */
static const char schema[] =
	"CREATE TABLE events(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, time_ns INTEGER NOT NULL,"
	" kind TEXT NOT NULL, pid INTEGER NOT NULL, body TEXT NOT NULL);"
	"CREATE INDEX events_time ON events(time_ns);"
	"CREATE TABLE alerts(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, time_ns INTEGER NOT NULL,"
	" kind TEXT NOT NULL, pid INTEGER NOT NULL, rule TEXT NOT NULL, body TEXT NOT NULL, UNIQUE(id, rule));"
	"CREATE INDEX alerts_time ON alerts(time_ns);"
	/* Counters, over all runs: dropped, lost. */
	"CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
	"PRAGMA application_id = 1836544880;" /* APPLICATION */
	"PRAGMA user_version = 2;";           /* FORMAT */

/* What came later than the rest is added to files that lack it. */
static const char later_schema[] =
	/* The sensor's own state, one row a run. */
	"CREATE TABLE IF NOT EXISTS health(run_ns INTEGER PRIMARY KEY, time_ns INTEGER NOT NULL,"
	" has_ended INTEGER NOT NULL, body TEXT NOT NULL);"
	/* What is known of something now, as JSON: one row for each such thing. */
	"CREATE TABLE IF NOT EXISTS documents(name TEXT PRIMARY KEY, time_ns INTEGER NOT NULL, body TEXT NOT NULL)"
	" WITHOUT ROWID;"
	/* Lines that wait to be delivered; nobody looks for one of them, so there is no index. */
	"CREATE TABLE IF NOT EXISTS results(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL,"
	" time_ns INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);"
	"CREATE TABLE IF NOT EXISTS status(seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL,"
	" time_ns INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL);"
	/* How far each consumer is in each stream: all up to seq is delivered, dropped or set aside. */
	"CREATE TABLE IF NOT EXISTS cursors(consumer TEXT NOT NULL, stream TEXT NOT NULL, seen_ns INTEGER NOT NULL,"
	" first INTEGER NOT NULL, seq INTEGER NOT NULL, read INTEGER NOT NULL DEFAULT 0,"
	" dropped INTEGER NOT NULL DEFAULT 0, aside INTEGER NOT NULL DEFAULT 0, handed INTEGER NOT NULL DEFAULT 0,"
	" PRIMARY KEY(stream, consumer)) WITHOUT ROWID;"
	/* Rows that a consumer could not be rid of. */
	"CREATE TABLE IF NOT EXISTS aside(number INTEGER PRIMARY KEY, consumer TEXT NOT NULL, stream TEXT NOT NULL,"
	" seq INTEGER NOT NULL, id TEXT NOT NULL, time_ns INTEGER NOT NULL, kind TEXT NOT NULL, why TEXT NOT NULL,"
	" body TEXT NOT NULL);";

_Static_assert(APPLICATION == 1836544880, "the schema sets it as text");
_Static_assert(FORMAT == 2, "the schema sets it as text");

static int errno_of(int code)
{
	switch (code & 0xFF) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EBADMSG;
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return -EACCES;
	case SQLITE_TOOBIG:
		return -E2BIG;
	case SQLITE_INTERRUPT:
		return -ETIME;
	default:
		return -EIO;
	}
}

int mw_store_error(struct sqlite3 *db, struct mw_err *err)
{
	int code = sqlite3_extended_errcode(db);
	int cause = sqlite3_system_errno(db);
	if (cause && (code & 0xFF) != SQLITE_CORRUPT && (code & 0xFF) != SQLITE_NOTADB)
		return mw_err_set(err, errno_of(code), "%s: %s", sqlite3_errmsg(db), strerror(cause));
	return mw_err_set(err, errno_of(code), "%s", sqlite3_errmsg(db));
}

int mw_store_exec(struct sqlite3 *db, const char *sql, struct mw_err *err)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : mw_store_error(db, err);
}

int mw_store_prepare(struct sqlite3 *db, const char *sql, struct sqlite3_stmt **ret_statement, struct mw_err *err)
{
	int r = sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_statement, NULL);
	return r == SQLITE_OK ? 0 : mw_store_error(db, err);
}

int64_t mw_store_integer(struct sqlite3_stmt *statement, int64_t otherwise)
{
	int64_t value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : otherwise;
	(void)sqlite3_reset(statement);
	return value;
}

void mw_store_defend(struct sqlite3 *db, int length_bytes)
{
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, length_bytes);
	(void)sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
}

int mw_store_path(const char *dir, char out[MW_PATH_BYTES], struct mw_err *err)
{
	/* The links above the folder are followed here, so that one put in the file's place never is. */
	char resolved[PATH_MAX];
	if (!realpath(dir, resolved))
		return mw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	int n = snprintf(out, MW_PATH_BYTES, "%s/" MW_SPOOL_FILE, resolved);
	if (n < 0 || n >= MW_PATH_BYTES)
		return mw_err_set(err, -ENAMETOOLONG, "%s: path too long", dir);
	return 0;
}

static int integer_of(struct sqlite3 *db, const char *sql, int64_t *ret, struct mw_err *err)
{
	struct sqlite3_stmt *statement;
	int r = mw_store_prepare(db, sql, &statement, err);
	if (r < 0)
		return r;
	r = sqlite3_step(statement) == SQLITE_ROW ? 0 : mw_store_error(db, err);
	if (r == 0)
		*ret = sqlite3_column_int64(statement, 0);
	(void)sqlite3_finalize(statement);
	return r;
}

/* Within a transaction, so that of several openers one makes the schema and the others find it. */
static int make_schema(struct sqlite3 *db, int *ret_was, struct mw_err *err)
{
	int64_t format = 0;
	int64_t application = 0;
	int64_t objects = 0;
	int r = integer_of(db, "PRAGMA user_version", &format, err);
	if (r == 0)
		r = integer_of(db, "PRAGMA application_id", &application, err);
	if (r == 0)
		r = integer_of(db, "SELECT count(*) FROM sqlite_schema", &objects, err);
	if (r < 0)
		return r;
	if (objects == 0)
		return mw_store_exec(db, schema, err);
	if (application != APPLICATION)
		return mw_err_set(err, -EBADMSG, "a database of another program");
	if (format == FORMAT_EVENTS_ALONE) { /* what it lacks is added by later_schema */
		*ret_was = FORMAT_EVENTS_ALONE;
		return mw_store_exec(db, "PRAGMA user_version = 2", err);
	}
	if (format != FORMAT)
		return mw_err_set(err, -EBADMSG, "its format is %lld, this version knows %d", (long long)format,
				  FORMAT);
	return 0;
}

static int set_up(struct sqlite3 *db, int *ret_was, struct mw_err *err)
{
	int r = mw_store_exec(db, settings, err);
	if (r == 0)
		r = mw_store_exec(db, "BEGIN IMMEDIATE", err);
	if (r < 0)
		return r;
	r = make_schema(db, ret_was, err);
	if (r == 0)
		r = mw_store_exec(db, later_schema, err);
	if (r == 0)
		r = mw_store_exec(db, "COMMIT", err);
	if (r < 0)
		(void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	return r;
}

int mw_store_open(const char *path, struct sqlite3 **ret_db, int *ret_was, struct mw_err *err)
{
	*ret_was = 0;
	if (*path) { /* made here for its mode, which the log and its index then take over */
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
		if (fd < 0)
			return mw_err_set(err, -errno, "%s: %s", path,
					  errno == ELOOP ? "is a symbolic link; remove it" : strerror(errno));
		(void)close(fd);
	}
	struct sqlite3 *db = NULL;
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int r = sqlite3_open_v2(*path ? path : ":memory:", &db, flags, NULL);
	if (r != SQLITE_OK) {
		r = db ? mw_store_error(db, err) : mw_err_set(err, -ENOMEM, "out of memory");
	} else {
		mw_store_defend(db, VALUE_BYTES);
		(void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
		/* The change to WAL does not wait for others by itself. */
		int64_t deadline = mw_clock_mono_ns() + (int64_t)OPEN_TIMEOUT_MS * MW_NS_PER_MS;
		while ((r = set_up(db, ret_was, err)) == -EBUSY && mw_clock_mono_ns() < deadline)
			(void)sqlite3_sleep(OPEN_RETRY_MS);
	}
	if (r < 0) {
		(void)sqlite3_close(db);
		mw_err_prefix(err, "%s", path);
		return r;
	}
	*ret_db = db;
	return 0;
}

int mw_store_set_aside(const char *path, struct mw_err *err)
{
	char from[MW_PATH_BYTES + 16];
	char to[MW_PATH_BYTES + 16];
	/* The log first: without its file nothing takes it for valid. */
	static const char *const suffixes[] = {"-wal", ""};
	(void)snprintf(from, sizeof(from), "%s-shm", path);
	(void)unlink(from);
	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		(void)snprintf(from, sizeof(from), "%s%s", path, suffixes[i]);
		(void)snprintf(to, sizeof(to), "%s.bad%s", path, suffixes[i]);
		(void)unlink(to);
		if (rename(from, to) < 0 && errno != ENOENT)
			return mw_err_set(err, -errno, "%s: cannot be renamed to %s: %s", from, to, strerror(errno));
	}
	return 0;
}

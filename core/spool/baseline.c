#include "spool/baseline.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "spool/store.h"

enum {
	/* Rows of one transaction. */
	SLICE = 500,
	RUNS = 2,
	BUSY_TIMEOUT_MS = 1000,
	VALUE_BYTES = 1 << 20,
	URI_BYTES = 3 * MW_PATH_BYTES + 64,
};

static const char schema[] =
	"PRAGMA journal_mode = TRUNCATE; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY;"
	"CREATE TABLE IF NOT EXISTS runs(run_ns INTEGER PRIMARY KEY, is_whole INTEGER NOT NULL, is_cut INTEGER NOT NULL);"
	"CREATE TABLE IF NOT EXISTS files(run_ns INTEGER NOT NULL, path TEXT NOT NULL, category TEXT NOT NULL,"
	" inode INTEGER NOT NULL, device INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL,"
	" gid INTEGER NOT NULL, size INTEGER NOT NULL, nlink INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,"
	" ctime_ns INTEGER NOT NULL, sha256 TEXT, PRIMARY KEY(run_ns, path)) WITHOUT ROWID;";

struct mw_baseline {
	struct sqlite3 *db;
	struct sqlite3_stmt *add;
	int64_t run_ns;
	unsigned in_slice;
};

static int path_of(const char *dir, char out[MW_PATH_BYTES], struct mw_err *err)
{
	char resolved[PATH_MAX];
	if (!realpath(dir, resolved))
		return mw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	int n = snprintf(out, MW_PATH_BYTES, "%s/" MW_BASELINE_FILE, resolved);
	return n < 0 || n >= MW_PATH_BYTES ? mw_err_set(err, -ENAMETOOLONG, "%s: path too long", dir) : 0;
}

/* A statement whose ?1 is the run. */
static int exec(struct mw_baseline *baseline, const char *sql, struct mw_err *err)
{
	struct sqlite3_stmt *statement;
	int r = mw_store_prepare(baseline->db, sql, &statement, err);
	if (r < 0)
		return r;
	(void)sqlite3_bind_int64(statement, 1, baseline->run_ns);
	r = sqlite3_step(statement) == SQLITE_DONE ? 0 : mw_store_error(baseline->db, err);
	(void)sqlite3_finalize(statement);
	return r;
}

/* Whether this run's is there, whole. */
static int is_there(struct mw_baseline *baseline, struct mw_err *err)
{
	struct sqlite3_stmt *statement;
	int r = mw_store_prepare(baseline->db, "SELECT is_whole FROM runs WHERE run_ns = ?1", &statement, err);
	if (r < 0)
		return r;
	(void)sqlite3_bind_int64(statement, 1, baseline->run_ns);
	int64_t is_whole = mw_store_integer(statement, 0);
	(void)sqlite3_finalize(statement);
	return is_whole ? mw_err_set(err, -EEXIST, "there already") : 0;
}

static int open_file(struct mw_baseline *baseline, const char *path, struct mw_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return mw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	(void)close(fd);
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	if (sqlite3_open_v2(path, &baseline->db, flags, NULL) != SQLITE_OK)
		return baseline->db ? mw_store_error(baseline->db, err) : mw_err_set(err, -ENOMEM, "out of memory");
	mw_store_defend(baseline->db, VALUE_BYTES);
	(void)sqlite3_busy_timeout(baseline->db, BUSY_TIMEOUT_MS);
	int r = mw_store_exec(baseline->db, schema, err);
	if (r == 0)
		r = is_there(baseline, err);
	if (r == 0)
		r = mw_store_exec(baseline->db, "BEGIN IMMEDIATE", err);
	if (r == 0)
		r = exec(baseline, "DELETE FROM files WHERE run_ns = ?1", err);
	if (r == 0)
		r = exec(baseline, "INSERT OR REPLACE INTO runs VALUES(?1, 0, 0)", err);
	if (r == 0)
		r = mw_store_prepare(
			baseline->db,
			"INSERT OR REPLACE INTO files VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
			"?12, ?13)",
			&baseline->add, err);
	return r;
}

static void close_file(struct mw_baseline *baseline)
{
	(void)sqlite3_finalize(baseline->add);
	(void)sqlite3_close(baseline->db);
	baseline->add = NULL;
	baseline->db = NULL;
}

int mw_baseline_begin(const char *dir, int64_t run_ns, struct mw_baseline **ret_baseline, struct mw_err *err)
{
	char path[MW_PATH_BYTES];
	int r = path_of(dir, path, err);
	if (r < 0)
		return r;
	struct mw_baseline *baseline = calloc(1, sizeof(*baseline));
	if (!baseline)
		return mw_err_set(err, -ENOMEM, "out of memory");
	baseline->run_ns = run_ns;
	r = open_file(baseline, path, err);
	if (r == -EBADMSG) { /* no database, or a damaged one: of what was before nothing can be said */
		close_file(baseline);
		r = unlink(path) < 0 ? mw_err_set(err, -errno, "%s: %s", path, strerror(errno))
				     : open_file(baseline, path, err);
	}
	if (r < 0) {
		close_file(baseline);
		free(baseline);
		return r;
	}
	*ret_baseline = baseline;
	return 0;
}

int mw_baseline_add(struct mw_baseline *baseline, const struct mw_baseline_row *row, struct mw_err *err)
{
	struct sqlite3_stmt *add = baseline->add;
	(void)sqlite3_bind_int64(add, 1, baseline->run_ns);
	(void)sqlite3_bind_text(add, 2, row->path, -1, SQLITE_STATIC);
	(void)sqlite3_bind_text(add, 3, row->category, -1, SQLITE_STATIC);
	(void)sqlite3_bind_int64(add, 4, (int64_t)row->inode);
	(void)sqlite3_bind_int64(add, 5, (int64_t)row->device);
	(void)sqlite3_bind_int64(add, 6, row->mode);
	(void)sqlite3_bind_int64(add, 7, row->uid);
	(void)sqlite3_bind_int64(add, 8, row->gid);
	(void)sqlite3_bind_int64(add, 9, (int64_t)row->size);
	(void)sqlite3_bind_int64(add, 10, (int64_t)row->nlink);
	(void)sqlite3_bind_int64(add, 11, row->mtime_ns);
	(void)sqlite3_bind_int64(add, 12, row->ctime_ns);
	(void)sqlite3_bind_text(add, 13, row->sha256, -1, SQLITE_STATIC);
	int r = sqlite3_step(add) == SQLITE_DONE ? 0 : mw_store_error(baseline->db, err);
	(void)sqlite3_reset(add);
	if (r == 0 && ++baseline->in_slice >= SLICE) {
		baseline->in_slice = 0;
		r = mw_store_exec(baseline->db, "COMMIT; BEGIN IMMEDIATE", err);
	}
	return r;
}

int mw_baseline_end(struct mw_baseline *baseline, bool is_whole, bool is_cut, struct mw_err *err)
{
	int r = 0;
	if (is_whole) {
		r = exec(baseline,
			 is_cut ? "UPDATE runs SET is_whole = 1, is_cut = 1 WHERE run_ns = ?1"
				: "UPDATE runs SET is_whole = 1 WHERE run_ns = ?1",
			 err);
		if (r == 0)
			r = mw_store_exec(baseline->db,
					  "DELETE FROM runs WHERE run_ns NOT IN (SELECT run_ns FROM runs WHERE is_whole"
					  " ORDER BY run_ns DESC LIMIT 2);"
					  "DELETE FROM files WHERE run_ns NOT IN (SELECT run_ns FROM runs); COMMIT",
					  err);
	}
	_Static_assert(RUNS == 2, "as the statement says");
	close_file(baseline); /* rolls back what is open */
	free(baseline);
	return r;
}

int mw_baseline_reader_open(const char *dir, struct sqlite3 **ret_db, struct mw_err *ret_note, struct mw_err *err)
{
	char path[MW_PATH_BYTES];
	if (ret_note)
		ret_note->text[0] = '\0';
	int r = path_of(dir, path, err);
	if (r == 0)
		r = access(path, R_OK) < 0 ? mw_err_set(err, -errno, "%s: %s", path, strerror(errno)) : 0;
	if (r < 0)
		return r;
	struct sqlite3 *db = NULL;
	r = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, NULL);
	if (r != SQLITE_OK) {
		r = db ? mw_store_error(db, err) : mw_err_set(err, -ENOMEM, "out of memory");
		(void)sqlite3_close(db);
		return r;
	}
	mw_store_defend(db, VALUE_BYTES);
	(void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
	*ret_db = db;
	return 0;
}

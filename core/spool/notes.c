#include "spool/notes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "spool/store.h"

enum {
	BUSY_TIMEOUT_MS = 250,
	/* Of 4 KiB. */
	PAGES_IN_FILE = 128 << 8,
	PAGES_IN_MEMORY = 32 << 8,
};

enum statement {
	GET,
	PUT,
	REMOVE,
	NAMES,
	STATEMENTS,
};

static const char *const texts[STATEMENTS] = {
	[GET] = "SELECT text FROM notes WHERE name = ?1",
	[PUT] = "INSERT INTO notes VALUES(?1, ?2) ON CONFLICT(name) DO UPDATE SET text = excluded.text",
	[REMOVE] = "DELETE FROM notes WHERE name = ?1",
	[NAMES] = "SELECT name FROM notes WHERE substr(name, 1, length(?1)) = ?1 ORDER BY name",
};

/* Written in one piece by the process, which may be killed at any time, and by the kernel whenever it likes. */
static const char schema[] =
	"PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;"
	"PRAGMA journal_size_limit = 4194304; PRAGMA cell_size_check = ON; PRAGMA cache_size = -1024;"
	"CREATE TABLE IF NOT EXISTS notes(name TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID;";

struct mw_notes {
	struct sqlite3 *db;
	struct sqlite3_stmt *statement[STATEMENTS];
};

static void detach(struct mw_notes *notes)
{
	for (size_t i = 0; i < STATEMENTS; i++) {
		(void)sqlite3_finalize(notes->statement[i]);
		notes->statement[i] = NULL;
	}
	(void)sqlite3_close(notes->db);
	notes->db = NULL;
}

/* So that it is there, and others cannot read it, before SQLite opens it. */
static int make_file(const char *path, struct mw_err *err)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return mw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	(void)close(fd);
	return 0;
}

/* Nothing of it is used by others: a damaged page is found when it is read. */
static int attach(struct mw_notes *notes, const char *path, struct mw_err *err)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
	int r = *path ? make_file(path, err) : 0;
	if (r < 0)
		return r;
	if (!*path)
		flags |= SQLITE_OPEN_CREATE | SQLITE_OPEN_MEMORY;
	if (sqlite3_open_v2(*path ? path : ":memory:", &notes->db, flags, NULL) != SQLITE_OK)
		return notes->db ? mw_store_error(notes->db, err) : mw_err_set(err, -ENOMEM, "out of memory");
	mw_store_defend(notes->db, MW_NOTES_TEXT_BYTES + MW_NOTES_NAME_BYTES);
	(void)sqlite3_busy_timeout(notes->db, BUSY_TIMEOUT_MS);
	r = mw_store_exec(notes->db, schema, err);
	char limit[64];
	(void)snprintf(limit, sizeof(limit), "PRAGMA max_page_count = %d", *path ? PAGES_IN_FILE : PAGES_IN_MEMORY);
	if (r == 0)
		r = mw_store_exec(notes->db, limit, err);
	for (size_t i = 0; i < STATEMENTS && r == 0; i++)
		r = mw_store_prepare(notes->db, texts[i], &notes->statement[i], err);
	return r;
}

static void remove_file(const char *path)
{
	static const char *const ends[] = {"", "-wal", "-shm"};
	char whole[MW_PATH_BYTES + 8];
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		(void)snprintf(whole, sizeof(whole), "%s%s", path, ends[i]);
		(void)unlink(whole);
	}
}

int mw_notes_open(const char *dir, struct mw_notes **ret_notes, struct mw_err *err)
{
	char path[MW_PATH_BYTES] = "";
	char resolved[PATH_MAX];
	if (*dir && !realpath(dir, resolved))
		return mw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	int n = *dir ? snprintf(path, sizeof(path), "%s/" MW_NOTES_FILE, resolved) : 0;
	if (n < 0 || (size_t)n >= sizeof(path))
		return mw_err_set(err, -ENAMETOOLONG, "%s: path too long", dir);
	struct mw_notes *notes = calloc(1, sizeof(*notes));
	if (!notes)
		return mw_err_set(err, -ENOMEM, "out of memory");
	int r = attach(notes, path, err);
	if (r < 0 && r != -ENOMEM && r != -EBUSY && *path) {
		detach(notes);
		remove_file(path);
		r = attach(notes, path, err);
	}
	if (r < 0) {
		mw_notes_close(notes);
		return r;
	}
	*ret_notes = notes;
	return 0;
}

void mw_notes_close(struct mw_notes *notes)
{
	if (!notes)
		return;
	detach(notes);
	free(notes);
}

static struct sqlite3_stmt *bind_name(struct mw_notes *notes, enum statement which, const char *name)
{
	struct sqlite3_stmt *statement = notes->statement[which];
	(void)sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
	return statement;
}

static void done(struct sqlite3_stmt *statement)
{
	(void)sqlite3_reset(statement);
	(void)sqlite3_clear_bindings(statement); /* the texts are the caller's */
}

int mw_notes_get(struct mw_notes *notes, const char *name, struct mw_buf *text, struct mw_err *err)
{
	struct sqlite3_stmt *get = bind_name(notes, GET, name);
	int code = sqlite3_step(get);
	int r = code == SQLITE_DONE ? mw_err_set(err, -ENOENT, "no such note") : 0;
	if (code == SQLITE_ROW) {
		mw_buf_add(text, sqlite3_column_text(get, 0), (size_t)sqlite3_column_bytes(get, 0));
		r = mw_buf_status(text) < 0 ? mw_err_set(err, -E2BIG, "the note is too long") : 0;
	} else if (code != SQLITE_DONE) {
		r = mw_store_error(notes->db, err);
	}
	done(get);
	return r;
}

static int run(struct mw_notes *notes, struct sqlite3_stmt *statement, struct mw_err *err)
{
	int r = sqlite3_step(statement) == SQLITE_DONE ? 0 : mw_store_error(notes->db, err);
	done(statement);
	return r;
}

int mw_notes_put(struct mw_notes *notes, const char *name, const char *text, size_t bytes, struct mw_err *err)
{
	if (strlen(name) >= MW_NOTES_NAME_BYTES || bytes > MW_NOTES_TEXT_BYTES)
		return mw_err_set(err, -E2BIG, "longer than a note may be");
	struct sqlite3_stmt *put = bind_name(notes, PUT, name);
	(void)sqlite3_bind_text(put, 2, text, (int)bytes, SQLITE_STATIC);
	return run(notes, put, err);
}

int mw_notes_remove(struct mw_notes *notes, const char *name, struct mw_err *err)
{
	return run(notes, bind_name(notes, REMOVE, name), err);
}

int mw_notes_names(struct mw_notes *notes, const char *prefix, struct mw_buf *names, struct mw_err *err)
{
	struct sqlite3_stmt *ask = bind_name(notes, NAMES, prefix);
	int code;
	while ((code = sqlite3_step(ask)) == SQLITE_ROW)
		mw_buf_add(names, sqlite3_column_text(ask, 0), (size_t)sqlite3_column_bytes(ask, 0) + 1);
	int r = code == SQLITE_DONE ? 0 : mw_store_error(notes->db, err);
	done(ask);
	return r == 0 && mw_buf_status(names) < 0 ? mw_err_set(err, -E2BIG, "too many notes") : r;
}

/* A database in WAL mode wants its index beside it, even from readers.  Where that can be neither found nor made (a
 * read-only mount, another user's folder), SQLite may still read the file alone, told that nobody changes it:
 * https://www.sqlite.org/wal.html#read_only_databases */
#include "spool/reader.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "spool/store.h"

enum {
	BUSY_TIMEOUT_MS = 500,
	VALUE_BYTES = 8 << 20,
	URI_BYTES = 3 * MW_PATH_BYTES + 64,
};

static int try_open(const char *name, int flags, struct sqlite3 **ret_db, struct mw_err *err)
{
	struct sqlite3 *db = NULL;
	struct sqlite3_stmt *probe = NULL;
	int r = sqlite3_open_v2(name, &db, flags | SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
	if (r != SQLITE_OK) {
		r = db ? mw_store_error(db, err) : mw_err_set(err, -ENOMEM, "out of memory");
	} else {
		mw_store_defend(db, VALUE_BYTES);
		(void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS);
		r = mw_store_prepare(db, "SELECT (SELECT seq FROM events LIMIT 1), (SELECT seq FROM alerts LIMIT 1)",
				     &probe, err);
		if (r == 0 && sqlite3_step(probe) != SQLITE_ROW)
			r = mw_store_error(db, err);
		(void)sqlite3_finalize(probe);
	}
	if (r < 0) {
		(void)sqlite3_close(db);
		return r;
	}
	*ret_db = db;
	return 0;
}

/* "file:…" with all but letters, digits and some marks as %XX. */
static void make_uri(const char *path, struct mw_buf *uri)
{
	mw_buf_str(uri, "file:");
	for (const unsigned char *s = (const unsigned char *)path; *s; s++) {
		bool is_letter = (*s | 32) >= 'a' && (*s | 32) <= 'z';
		if (is_letter || (*s >= '-' && *s <= '9') || *s == '_')
			mw_buf_char(uri, (char)*s);
		else
			mw_buf_printf(uri, "%%%02X", *s);
	}
	mw_buf_str(uri, "?immutable=1");
}

int mw_spool_reader_open(const char *dir, struct sqlite3 **ret_db, struct mw_err *ret_note, struct mw_err *err)
{
	char path[MW_PATH_BYTES];
	if (ret_note)
		ret_note->text[0] = '\0';
	int r = mw_store_path(dir, path, err);
	if (r < 0)
		return r;
	r = try_open(path, SQLITE_OPEN_NOFOLLOW, ret_db, err);
	if (r < 0 && r != -EBADMSG && r != -ENOMEM) {
		MW_AUTO(mw_buf) uri = MW_BUF(URI_BYTES);
		make_uri(path, &uri);
		if (mw_buf_status(&uri) == 0 &&
		    try_open(uri.data, SQLITE_OPEN_URI | SQLITE_OPEN_NOFOLLOW, ret_db, NULL) == 0) {
			char log[MW_PATH_BYTES + 8];
			struct stat st;
			(void)snprintf(log, sizeof(log), "%s-wal", path);
			if (stat(log, &st) == 0 && st.st_size > 0)
				(void)mw_err_set(ret_note, 0,
						 "%.300s: cannot be read (may we write to its folder?), so the newest "
						 "rows may be missing",
						 log);
			return 0;
		}
	}
	if (r < 0)
		mw_err_prefix(err, "%.300s", path);
	return r;
}

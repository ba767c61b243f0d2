/* rpm's database in SQLite: table Packages, whose blobs are headers.
 *
 * SQLite would lock it, make files beside it, and bring what the write-ahead log has into it.  So it is opened as one that
 * cannot change; and when there is something in the log, an image of both is made in memory. */

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"
#include "pkg/pkg.h"
#include "pkg/rpm_formats.h"

enum {
	IMAGE_BYTES = 256 << 20,
	CLOCK_STEPS = 1000, /* instructions of SQLite's between two looks at the clock */
};

/* A database may hold anything, views and triggers too: nothing but reading columns. */
static int authorize(void *data, int action, const char *first, const char *second, const char *database,
		     const char *trigger)
{
	(void)data;
	(void)first;
	(void)second;
	(void)database;
	(void)trigger;
	return action == SQLITE_SELECT || action == SQLITE_READ ? SQLITE_OK : SQLITE_DENY;
}

static int is_late(void *data)
{
	const struct mw_rpm_database *database = data;
	return mw_package_check_time(database->sink) < 0;
}

static int read_rows(struct mw_rpm_database *database, sqlite3 *db)
{
	sqlite3_stmt *statement = NULL;
	int r = 0;
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, MW_RPM_HEADER_BYTES);
	(void)sqlite3_set_authorizer(db, authorize, NULL);
	sqlite3_progress_handler(db, CLOCK_STEPS, is_late, database);
	int code = sqlite3_prepare_v2(db, "SELECT blob FROM Packages", -1, &statement, NULL);
	while (r == 0 && code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
		const uint8_t *blob = sqlite3_column_blob(statement, 0);
		r = mw_rpm_header(database, blob, blob ? (size_t)sqlite3_column_bytes(statement, 0) : 0);
		code = SQLITE_OK;
	}
	if (r == 0 && code == SQLITE_INTERRUPT)
		r = -ETIME;
	else if (r == 0 && code == SQLITE_NOMEM)
		r = -ENOMEM;
	else if (r == 0 && code != SQLITE_DONE)
		mw_rpm_warn(database, "%s; packages may be missing", sqlite3_errmsg(db));
	(void)sqlite3_finalize(statement);
	return r;
}

/* What the log has, in `wal`; empty when there is nothing. */
static int read_wal(struct mw_rpm_database *database, struct mw_buf *wal)
{
	char path[MW_PATH_BYTES];
	(void)snprintf(path, sizeof(path), "%s-wal", database->path);
	int r = mw_package_read_file(database->rootfd, path, wal);
	if (r == -EFBIG)
		mw_rpm_warn(database, "its write-ahead log is too long; packages may be missing");
	else if (r < 0 && r != -ENOENT && r != -ENOMEM)
		mw_rpm_warn(database, "its write-ahead log cannot be read: %s", strerror(-r));
	return r == -ENOMEM ? r : 0;
}

/* `*ret_image` is to live as long as `db`. */
static int read_image(struct mw_rpm_database *database, sqlite3 *db, const struct mw_buf *wal, uint8_t **ret_image)
{
	size_t size = (size_t)database->size;
	if (database->size > IMAGE_BYTES) {
		mw_rpm_warn(database, "too large to be read together with its write-ahead log");
		return 0;
	}
	*ret_image = malloc(size ? size : 1);
	if (!*ret_image)
		return -ENOMEM;
	int r = mw_rpm_pread(database, *ret_image, size, 0);
	if (r == 0)
		r = mw_rpm_wal_apply(ret_image, &size, IMAGE_BYTES, (const uint8_t *)wal->data, wal->size);
	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		mw_rpm_warn(database, "cannot be read together with its write-ahead log: %s", strerror(-r));
		return 0;
	}
	if (sqlite3_deserialize(db, "main", *ret_image, (sqlite3_int64)size, (sqlite3_int64)size,
				SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
		mw_rpm_warn(database, "%s", sqlite3_errmsg(db));
		return 0;
	}
	return read_rows(database, db);
}

int mw_rpm_sqlite_read(struct mw_rpm_database *database)
{
	/* By its descriptor: it is the file that was looked at, and no name of it needs quoting. */
	char name[64];
	MW_AUTO(mw_buf) wal = MW_BUF(IMAGE_BYTES);
	MW_AUTO_FREE uint8_t *image = NULL;
	sqlite3 *db = NULL;
	int r = read_wal(database, &wal);
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "file:/proc/self/fd/%d?immutable=1", database->fd);
	int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
	if (sqlite3_open_v2(wal.size ? "file::memory:" : name, &db, flags, NULL) == SQLITE_OK)
		r = wal.size ? read_image(database, db, &wal, &image) : read_rows(database, db);
	else
		mw_rpm_warn(database, "cannot be opened: %s", db ? sqlite3_errmsg(db) : "out of memory");
	(void)sqlite3_close(db);
	return r;
}

#include "sql/document.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "spool/reader.h"
#include "spool/state_dir.h"
#include "sql/world.h"

static int read_from(struct sqlite3 *db, const char *name, struct mw_buf *json)
{
	struct sqlite3_stmt *query = NULL;
	int r = -ENOENT;
	/* A spool of before has no such table. */
	if (sqlite3_prepare_v2(db, "SELECT body FROM documents WHERE name = ?1", -1, &query, NULL) != SQLITE_OK)
		return r;
	(void)sqlite3_bind_text(query, 1, name, -1, SQLITE_STATIC);
	if (sqlite3_step(query) == SQLITE_ROW) {
		mw_buf_add(json, sqlite3_column_text(query, 0), (size_t)sqlite3_column_bytes(query, 0));
		r = mw_buf_status(json);
	}
	(void)sqlite3_finalize(query);
	return r;
}

int mw_sql_document(const struct mw_sql_world *world, const char *name, struct mw_buf *json)
{
	char dir[MW_PATH_BYTES];
	struct mw_err err;
	struct sqlite3 *db = NULL;
	int r = mw_state_dir_find(world->state_dir, dir, &err);
	if (r == 0)
		r = mw_spool_reader_open(dir, &db, NULL, &err);
	if (r < 0)
		return -ENOENT;
	r = read_from(db, name, json);
	(void)sqlite3_close(db);
	return r;
}

#include "sql/spool_query.h"

#include <errno.h>
#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "spool/reader.h"
#include "spool/state_dir.h"
#include "sql/interrupt.h"
#include "sql/world.h"

enum {
	CLOCK_STEPS = 1000, /* as in db.c */
};

static sqlite3_stmt *statement_of(struct mw_spool_answer *answer)
{
	return (sqlite3_stmt *)answer;
}

const char *mw_spool_answer_text(struct mw_spool_answer *answer, unsigned column)
{
	return (const char *)sqlite3_column_text(statement_of(answer), (int)column);
}

int64_t mw_spool_answer_int(struct mw_spool_answer *answer, unsigned column)
{
	return sqlite3_column_int64(statement_of(answer), (int)column);
}

/* sqlite3_progress_handler() */
static int is_late(void *data)
{
	return mw_sql_is_interrupted() || mw_clock_mono_ns() > ((const struct mw_sql_world *)data)->deadline_ns;
}

int mw_spool_ask(const struct mw_sql_world *world, const char *sql,
		 void (*each)(struct mw_spool_answer *answer, void *data), void *data)
{
	char dir[MW_PATH_BYTES];
	sqlite3 *db = NULL;
	sqlite3_stmt *statement = NULL;
	int r = mw_state_dir_find(world->state_dir, dir, NULL);
	if (r == 0)
		r = mw_spool_reader_open(dir, &db, NULL, NULL);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	sqlite3_progress_handler(db, CLOCK_STEPS, is_late, (void *)(uintptr_t)world);
	int code = sqlite3_prepare_v2(db, sql, -1, &statement, NULL);
	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(statement);
		if (code == SQLITE_ROW)
			each((struct mw_spool_answer *)statement, data);
	}
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(db);
	return code == SQLITE_INTERRUPT ? -ETIME : code == SQLITE_NOMEM ? -ENOMEM : 0;
}

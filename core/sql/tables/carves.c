/* Files sent to the backend at its order.  Asking is a side effect of a query, as osquery has it: a row is given, and a warning, which
 * the sensor's agent takes for the order (lua/moonwatch/osquery/carve.lua); who else asks gets the warning. */

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "flag/flag.h"
#include "sql/spool_table.h"
#include "sql/world.h"

enum {
	TIME,
	SHA256,
	SIZE,
	PATH,
	STATUS,
	CARVE_GUID,
	REQUEST_ID,
	CARVE,
};

static const struct mw_sql_column columns[] = {
	[TIME] = {"time", MW_SQL_BIGINT, 0, "When it was asked for, in seconds since 1970"},
	[SHA256] = {"sha256", MW_SQL_TEXT, 0, "Of the archive that was sent", "nocase"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Bytes of it"},
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_ADDITIONAL | MW_SQL_LIKE, "Of the file, or a pattern with %"},
	[STATUS] = {"status", MW_SQL_TEXT, 0, "SCHEDULED, STARTING, PENDING, SUCCESS, or what failed"},
	[CARVE_GUID] = {"carve_guid", MW_SQL_TEXT, MW_SQL_INDEX, "Its name", "nocase"},
	[REQUEST_ID] = {"request_id", MW_SQL_TEXT, 0, "Name of the request"},
	[CARVE] = {"carve", MW_SQL_INTEGER, MW_SQL_ADDITIONAL, "Ask for it: WHERE path = '…' AND carve = 1"},
	{0},
};

#define OF(field) "json_extract(carve.value, '$." field "')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[TIME] = OF("time"),
	[SHA256] = OF("sha256"),
	[SIZE] = OF("size"),
	[PATH] = OF("path"),
	[STATUS] = OF("status"),
	[CARVE_GUID] = OF("carve_guid"),
	[REQUEST_ID] = OF("request_id"),
	[CARVE] = "0",
};

static const struct mw_spool_source source = {
	.from = "(SELECT body FROM documents WHERE name = 'carves') AS carves, json_each(carves.body) AS carve",
	.order = OF("time"),
	.expressions = expressions,
	.time = MW_SPOOL_NO_COLUMN,
	.eid = MW_SPOOL_NO_COLUMN,
	.pid = MW_SPOOL_NO_COLUMN,
};

struct scan {
	void *rows;
	const struct mw_sql_constraint *asked; /* the path, until its row is given */
};

static const struct mw_sql_constraint *asked_path(const struct mw_sql_scan *scan)
{
	const struct mw_sql_constraint *carve = mw_sql_equal(scan, CARVE);
	if (!carve || !carve->is_integer || carve->integer != 1)
		return NULL;
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		const struct mw_sql_constraint *one = &scan->constraints[i];
		if (one->column == PATH && (one->op == MW_SQL_EQ || one->op == MW_SQL_MATCH_LIKE))
			return one;
	}
	return NULL;
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	struct scan *state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	int r = mw_spool_table_open(scan, &source, &state->rows, err);
	if (r < 0) {
		free(state);
		return r;
	}
	state->asked = asked_path(scan);
	bool is_allowed = scan->world->flags && !mw_flag_bool(scan->world->flags, MW_FLAG_DISABLE_CARVER);
	if (state->asked && !is_allowed) {
		mw_sql_warn(scan->world, "carves: not allowed, see --disable_carver");
		state->asked = NULL;
	} else if (state->asked) {
		mw_sql_warn(scan->world, "carves: asked for %s", state->asked->text);
	}
	*ret_state = state;
	return 0;
}

static int next(void *data, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct scan *state = data;
	if (!state->asked)
		return mw_spool_table_next(state->rows, scan, rows, err);
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, TIME, mw_clock_real_ns() / MW_NS_PER_S);
	mw_rows_string(rows, SHA256, "");
	mw_rows_int(rows, SIZE, 0);
	mw_rows_text(rows, PATH, state->asked->text, state->asked->bytes);
	mw_rows_string(rows, STATUS, "SCHEDULED");
	mw_rows_string(rows, CARVE_GUID, "");
	mw_rows_string(rows, REQUEST_ID, "");
	mw_rows_int(rows, CARVE, 1);
	state->asked = NULL;
	return 0;
}

static void close_scan(void *data)
{
	struct scan *state = data;
	if (!state)
		return;
	mw_spool_table_close(state->rows);
	free(state);
}

const struct mw_sql_table mw_table_carves = {
	.name = "carves",
	.doc = "Files that were sent to the backend, and asking for that.",
	.source = "spool",
	.example = "SELECT time, path, status, size FROM carves",
	.columns = columns,
	.open = open_scan,
	.next = next,
	.close = close_scan,
};

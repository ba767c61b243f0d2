/* What there is to ask, in the words osquery has for it. */

#include "sql/empty.h"
#include "sql/table.h"

enum {
	REGISTRY,
	NAME,
	OWNER_UUID,
	INTERNAL,
	ACTIVE,
};

static const struct mw_sql_column columns[] = {
	[REGISTRY] = {"registry", MW_SQL_TEXT, 0, "Always table"},
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the table"},
	[OWNER_UUID] = {"owner_uuid", MW_SQL_INTEGER, 0, "Always 0: this program"},
	[INTERNAL] = {"internal", MW_SQL_INTEGER, 0, "Always 0"},
	[ACTIVE] = {"active", MW_SQL_INTEGER, 0, "1 when it is implemented, 0 when it is always empty"},
	{0},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)scan;
	(void)err;
	int r = 0;
	for (const struct mw_sql_table *const *table = mw_sql_all_tables(); table && *table; table++) {
		r = mw_rows_add(rows);
		if (r < 0)
			break;
		mw_rows_string(rows, REGISTRY, "table");
		mw_rows_string(rows, NAME, (*table)->name);
		mw_rows_int(rows, OWNER_UUID, 0);
		mw_rows_int(rows, INTERNAL, 0);
		mw_rows_int(rows, ACTIVE, !mw_sql_is_empty(*table));
	}
	return r;
}

const struct mw_sql_table mw_table_osquery_registry = {
	.name = "osquery_registry",
	.doc = "Tables that can be asked.",
	.source = "this program",
	.example = "SELECT name FROM osquery_registry WHERE registry = 'table' AND active = 1",
	.columns = columns,
	.fill = fill,
};

#include "sql/place.h"
#include "sql/table.h"

enum {
	NAME,
	NUMBER,
	ALIAS,
	COMMENT,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the protocol"},
	[NUMBER] = {"number", MW_SQL_INTEGER, 0, "Its number"},
	[ALIAS] = {"alias", MW_SQL_TEXT, 0, "Another name"},
	[COMMENT] = {"comment", MW_SQL_TEXT, 0, "What stands beside it"},
	{0},
};

/* "name number alias  # comment" */
static int add_line(const struct mw_sql_place *place, char *line, struct mw_rows *rows)
{
	(void)place;
	const char *comment = mw_sql_comment(line);
	char *rest = line;
	const char *name = mw_sql_word(&rest);
	const char *number = name ? mw_sql_word(&rest) : NULL;
	int r = number ? mw_rows_add(rows) : 0;
	if (r < 0 || !number)
		return r;
	const char *alias = mw_sql_word(&rest);
	mw_rows_string(rows, NAME, name);
	mw_rows_number(rows, NUMBER, number);
	mw_rows_string(rows, ALIAS, alias ? alias : "");
	mw_rows_string(rows, COMMENT, comment ? comment : "");
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_each_line(scan, MW_SQL_NO_COLUMN, "/etc/protocols", add_line, rows);
}

const struct mw_sql_table mw_table_etc_protocols = {
	.name = "etc_protocols",
	.doc = "Names of protocols above IP.",
	.source = "/etc/protocols",
	.example = "SELECT name, number FROM etc_protocols WHERE number IN (6, 17)",
	.columns = columns,
	.fill = fill,
};

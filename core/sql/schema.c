#include "sql/schema.h"

#include <stdbool.h>

#include "base/buf.h"
#include "sql/table.h"

const char *mw_sql_type_name(unsigned type)
{
	static const char *const names[] = {
		[MW_SQL_TEXT] = "TEXT",     [MW_SQL_INTEGER] = "INTEGER", [MW_SQL_BIGINT] = "BIGINT",
		[MW_SQL_DOUBLE] = "DOUBLE", [MW_SQL_BLOB] = "BLOB",       [MW_SQL_UNSIGNED_BIGINT] = "UNSIGNED BIGINT",
	};
	return names[type];
}

void mw_sql_declaration(const struct mw_sql_table *table, struct mw_buf *out)
{
	const char *separator = "(";
	mw_buf_printf(out, "CREATE TABLE %s", table->name);
	for (const struct mw_sql_column *column = table->columns; column->name; column++) {
		mw_buf_printf(out, "%s`%s` %s", separator, column->name, mw_sql_type_name(column->type));
		if (column->options & (MW_SQL_HIDDEN | MW_SQL_FOREIGN))
			mw_buf_str(out, " HIDDEN"); /* part of the type, for SQLite */
		if (column->collate)
			mw_buf_printf(out, " COLLATE %s", column->collate);
		separator = ", ";
	}
	mw_buf_char(out, ')');
}

void mw_sql_schema(const struct mw_sql_table *table, struct mw_buf *out)
{
	bool has_index = false;
	bool has_additional = false;
	for (const struct mw_sql_column *column = table->columns; column->name; column++) {
		has_index |= (column->options & MW_SQL_INDEX) != 0;
		has_additional |= (column->options & MW_SQL_ADDITIONAL) != 0;
	}
	mw_sql_declaration(table, out);
	if ((!has_index && !has_additional) || mw_buf_status(out) < 0)
		return;
	out->size--; /* the parenthesis */
	/* With additional columns alone the key is every column. */
	const char *separator = ", PRIMARY KEY (";
	for (const struct mw_sql_column *column = table->columns; column->name; column++) {
		if (has_index && !(column->options & (MW_SQL_INDEX | MW_SQL_ADDITIONAL)))
			continue;
		mw_buf_printf(out, "%s`%s`", separator, column->name);
		separator = ", ";
	}
	mw_buf_str(out, ")) WITHOUT ROWID");
}

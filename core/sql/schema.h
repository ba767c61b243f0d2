/* A table's descriptor as SQL. */
#pragma once

struct mw_buf;
struct mw_sql_table;

/* "CREATE TABLE name(`column` TYPE, …, PRIMARY KEY (…)) WITHOUT ROWID", as osquery's shell prints it. */
void mw_sql_schema(const struct mw_sql_table *table, struct mw_buf *out);
/* What SQLite is told: the same without the key.  SQLite would take the key for unique and leave out DISTINCT, but osquery
 * calls a key what a table can be searched by. */
void mw_sql_declaration(const struct mw_sql_table *table, struct mw_buf *out);

const char *mw_sql_type_name(unsigned type);

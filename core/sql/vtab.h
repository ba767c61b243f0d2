/* Tables as SQLite's virtual tables.  For core/sql alone. */
#pragma once

struct mw_sql_table;
struct mw_sql_world;
struct sqlite3;

/* Make `table` known to a connection.  Both are kept: they must outlive it.  Returns SQLite's code. */
int mw_vtab_register(struct sqlite3 *db, const struct mw_sql_table *table, struct mw_sql_world *world);

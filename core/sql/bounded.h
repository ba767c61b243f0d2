/* Functions of SQLite that could run for minutes in a single call, in versions that take time in proportion to their arguments,
 * or look at the clock. */
#pragma once

struct mw_sql_world;
struct sqlite3;

/* like, glob, instr, replace, trim, ltrim, rtrim.  `world` must outlive the connection.  Returns SQLite's code. */
int mw_sql_bounded_register(struct sqlite3 *db, struct mw_sql_world *world);

/* Tables that are declared only, so that a query made for osquery can be prepared wherever it came from: they answer no rows.
 * One that tables.c lists goes before one that is declared here. */
#pragma once

#include <stdbool.h>

struct mw_sql_table;

/* Tables that are empty for the same reason. */
struct mw_sql_empty {
	const char *why;
	const char *tables; /* a line each, see empty_list.c */
};

/* Ended by one without tables. */
extern const struct mw_sql_empty mw_sql_empties[];

/* All tables, implemented or declared, sorted by name and ended by NULL.  Made at the first call and kept; NULL when memory is
 * exhausted. */
const struct mw_sql_table *const *mw_sql_all_tables(void);

/* Is it declared only? */
bool mw_sql_is_empty(const struct mw_sql_table *table);

/* Files that a query names, for the tables file and hash: `path =`, `path LIKE`, `directory =`, `directory LIKE`, in osquery's
 * manner: % is any part of one name, %% at the end everything below.  Symbolic links to folders are not gone through. */
#pragma once

#include "sql/table.h"

/* Call `visit` for each file; stops at the first that is not 0, and returns it.  When the query says something of the path, its
 * directory is left to SQLite.  -ETIME when the query has taken too long. */
int mw_sql_paths_each(const struct mw_sql_scan *scan, unsigned path_column, unsigned directory_column,
		      int (*visit)(void *data, const char *path), void *data);

/* The folder of a path, without its last slash ("/" for the root's); bytes. */
size_t mw_sql_paths_folder(const char *path);

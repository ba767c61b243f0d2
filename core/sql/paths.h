/* Files that a query names, for the tables file and hash: `path =`, `path IN`, `path LIKE`, `directory =`, `directory LIKE`, in
 * osquery's manner: % is any part of one name, %% at the end everything below.  Symbolic links to folders are not gone through by
 * %%.  However many they are, one is known at a time. */
#pragma once

#include "sql/table.h"

struct mw_sql_paths;

/* When the query says something of the path, its directory is left to SQLite.  `scan` must live as long.  0 or -ENOMEM. */
int mw_sql_paths_open(const struct mw_sql_scan *scan, unsigned path_column, unsigned directory_column,
		      struct mw_sql_paths **ret_paths);
/* 1 with a path, borrowed until the next call; 0 after the last one; -ETIME when the query has taken too long; -ENOMEM. */
int mw_sql_paths_next(struct mw_sql_paths *paths, const char **ret_path);
void mw_sql_paths_close(struct mw_sql_paths *paths);

/* The folder of a path, without its last slash ("/" for the root's); bytes. */
size_t mw_sql_paths_folder(const char *path);

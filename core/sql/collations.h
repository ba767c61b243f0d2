/* How versions are ordered in SQL: osquery's collations. */
#pragma once

struct sqlite3;

/* Make "version", "version_arch", "version_dpkg" and "version_rhel" known to a connection.  Returns SQLite's code. */
int mw_sql_collations_register(struct sqlite3 *db);

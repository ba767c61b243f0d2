/* The spool's file: its name, its schema, its errors.  For core/spool alone. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct mw_err;
struct sqlite3;
struct sqlite3_stmt;

/* Full path of the spool in `dir`, with no symbolic link in it.  -ENAMETOOLONG, -ENOENT… */
int mw_store_path(const char *dir, char out[MW_PATH_BYTES], struct mw_err *err);

/* Open `path` for writing, making file and schema; "" is a database in memory.  -EBADMSG when the file is none of ours
 * (no database, damaged, a newer or foreign schema), see mw_store_set_aside().  *ret_was: the format it had, when that
 * was an older one; else 0. */
int mw_store_open(const char *path, struct sqlite3 **ret_db, int *ret_was, struct mw_err *err);

/* Rename the file, and what belongs to it, to PATH.bad; one that is already there is lost. */
int mw_store_set_aside(const char *path, struct mw_err *err);

/* What any connection to a file that others may have written to gets: no triggers, views or schema functions, no
 * more memory than `length_bytes` for a value. */
void mw_store_defend(struct sqlite3 *db, int length_bytes);

/* Run statements without results. */
int mw_store_exec(struct sqlite3 *db, const char *sql, struct mw_err *err);
int mw_store_prepare(struct sqlite3 *db, const char *sql, struct sqlite3_stmt **ret_statement, struct mw_err *err);
/* The integer a statement gives, which is then reset; `otherwise` when it gives none. */
int64_t mw_store_integer(struct sqlite3_stmt *statement, int64_t otherwise);

/* Negative errno of the connection's last error, with its text in err. */
int mw_store_error(struct sqlite3 *db, struct mw_err *err);

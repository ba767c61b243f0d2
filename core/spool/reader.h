/* Reading a spool that another process writes, or has written. */
#pragma once

struct mw_err;
struct sqlite3;

/* A read-only connection to the spool in `dir`, which takes no lock that a writer waits for.  A folder we may only read
 * will do; when then the newest rows cannot be seen, ret_note (may be NULL) says so in a line, else it is "".
 * -EBADMSG when the file is no spool of this version. */
int mw_spool_reader_open(const char *dir, struct sqlite3 **ret_db, struct mw_err *ret_note, struct mw_err *err);

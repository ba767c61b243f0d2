/* A file that holds values: Lua that returns a table, or JSON (.json); as JSON. */
#pragma once

struct mw_buf;
struct mw_err;

/* Appends.  Not trusted files are refused (mw_file_trusted).  Errors: as mw_script_load_file(). */
int mw_values_read(const char *tree, const char *path, struct mw_buf *out, struct mw_err *err);

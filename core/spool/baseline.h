/* What watched files were at the start of a run, kept in the state folder beside the spool, so that a later start can be
 * compared with it: one SQLite file, of which the newest two runs are kept. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_baseline;
struct mw_err;
struct sqlite3;

/* The file inside a state folder. */
#define MW_BASELINE_FILE "baseline.db"

struct mw_baseline_row {
	const char *path;
	const char *category;
	uint64_t inode, device, size, nlink;
	uint32_t mode, uid, gid;
	int64_t mtime_ns, ctime_ns;
	const char *sha256; /* hex digits, or NULL */
};

/* Begin that of a run (the wall-clock time of its start).  -EEXIST when it is there already, whole. */
int mw_baseline_begin(const char *dir, int64_t run_ns, struct mw_baseline **ret_baseline, struct mw_err *err);
/* Add a file; written in slices. */
int mw_baseline_add(struct mw_baseline *baseline, const struct mw_baseline_row *row, struct mw_err *err);
/* Close; when `is_whole`, it counts from now on, and older ones go.  `is_cut`: there were more files than are in it. */
int mw_baseline_end(struct mw_baseline *baseline, bool is_whole, bool is_cut, struct mw_err *err);

/* A read-only connection, as mw_spool_reader_open(). */
int mw_baseline_reader_open(const char *dir, struct sqlite3 **ret_db, struct mw_err *ret_note, struct mw_err *err);

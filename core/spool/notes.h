/* What the agent wants to find again after a restart: texts by name, in one SQLite file of the state folder.  Of what a scheduled
 * query gave last, up to where it has read events, which queries are not to be run.
 *
 * Nothing waits for the disk: what is written survives the end of the process in any way, but not that of the machine. */
#pragma once

#include <stddef.h>

struct mw_buf;
struct mw_err;
struct mw_notes;

/* The file inside a state folder. */
#define MW_NOTES_FILE "notes.db"

enum {
	MW_NOTES_NAME_BYTES = 1024,
	MW_NOTES_TEXT_BYTES = 16 << 20,
};

/* `dir` "" keeps all in memory.  A file that cannot be used is begun anew. */
int mw_notes_open(const char *dir, struct mw_notes **ret_notes, struct mw_err *err);
void mw_notes_close(struct mw_notes *notes);

/* Append the text; -ENOENT when there is none. */
int mw_notes_get(struct mw_notes *notes, const char *name, struct mw_buf *text, struct mw_err *err);
/* -E2BIG; -ENOSPC past the limit of all together. */
int mw_notes_put(struct mw_notes *notes, const char *name, const char *text, size_t bytes, struct mw_err *err);
int mw_notes_remove(struct mw_notes *notes, const char *name, struct mw_err *err);
/* Append the names that begin with `prefix`, each with its NUL. */
int mw_notes_names(struct mw_notes *notes, const char *prefix, struct mw_buf *names, struct mw_err *err);

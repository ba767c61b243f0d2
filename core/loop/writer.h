/* Lines to a descriptor that must never hold us up: what it does not take at once waits in a bounded buffer, and what does
 * not fit there is dropped, whole lines at a time, and counted.
 *
 * The caller ignores SIGPIPE. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_err;
struct mw_writer;

enum {
	/* What may wait for one sink.  The longest line, an alert with sixteen ancestors all of whose bytes are
	 * escaped, must fit. */
	MW_WRITER_BYTES = 1 << 20,
};

/* Write to what `fd` (standard output or error) is now, by a descriptor of our own: `fd` itself is shared with the
 * application and stays as it is, its flags too.  -EBADF when it is closed or not for writing. */
int mw_writer_open_fd(int fd, struct mw_writer **ret_writer, struct mw_err *err);

/* Append to a file, made with mode 0600.  A symbolic link is refused, and so is a file of another user. */
int mw_writer_open_file(const char *path, struct mw_writer **ret_writer, struct mw_err *err);

/* From now on the file at `path`, which the writer was opened with, holds at most `bytes` (whole lines; one that is longer comes
 * alone): what is full becomes PATH.1, which becomes PATH.2, and so on, and `count` of those are kept.  Names are looked up
 * in the folder as it is now.  -EINVAL for what is no regular file. */
int mw_writer_rotate(struct mw_writer *writer, const char *path, uint64_t bytes, unsigned count, struct mw_err *err);

/* What waits still is lost. */
void mw_writer_free(struct mw_writer *writer);

/* Add a line; a newline is added when it has none. */
void mw_writer_line(struct mw_writer *writer, const char *line, size_t n);

/* Write what is taken without waiting.  True when nothing waits any more. */
bool mw_writer_pump(struct mw_writer *writer);

/* Let go of the descriptor; lines that wait, and later ones, are dropped and counted. */
void mw_writer_close(struct mw_writer *writer);

/* For poll(POLLOUT) while something waits; -1 once closed. */
int mw_writer_fd(const struct mw_writer *writer);
/* Is it standard output or standard error? */
bool mw_writer_is_stdio(const struct mw_writer *writer);
uint64_t mw_writer_dropped(const struct mw_writer *writer);

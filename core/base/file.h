/* Reading whole files, bounded. */
#pragma once

#include <sys/types.h>

struct mw_buf;
struct mw_err;

/* Append what can be read from `fd` until its end.  -EFBIG when it passes buf->max: what fits is kept (and buf not
 * marked failed). */
int mw_file_read_fd(int fd, struct mw_buf *buf);

/* Append the file `path`, relative to `dirfd` (AT_FDCWD for the current directory).  -errno; -EFBIG as above. */
int mw_file_read_at(int dirfd, const char *path, struct mw_buf *buf);

/* May this open file or folder decide what we do?  When running as root: owned by root and writable by no other
 * (design, section 10); for others: owned by root or by the effective user, and not writable by everyone.
 * 0, or -EPERM with the reason and the mend in err. */
int mw_file_trusted(int fd, const char *path, struct mw_err *err);

/* Make `path` and its missing parents, each with `mode`. */
int mw_file_make_dirs(const char *path, mode_t mode);

/* What can be read of a stopped thread: its memory, its descriptors, the paths it means. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/limits.h"

struct mw_tracee {
	int procfd; /* an open /proc */
	pid_t tid, tgid;
};

/* The string at `address`, with its NUL, at most `room` bytes.  Its length; *ret_cut when its end was not found: what is
 * there then is its beginning.  -EFAULT when nothing can be read. */
ssize_t mw_tracee_string(const struct mw_tracee *tracee, uint64_t address, char *out, size_t room, bool *ret_cut);

/* `n` bytes.  0, or -EFAULT: not all of them can be read. */
int mw_tracee_bytes(const struct mw_tracee *tracee, uint64_t address, void *out, size_t n);

/* Target of the link `name` ("cwd", "root") or of descriptor `fd`; without NUL.  Its length, 0 when it has none. */
size_t mw_tracee_link(const struct mw_tracee *tracee, const char *name, char out[MW_PATH_BYTES]);
size_t mw_tracee_fd_link(const struct mw_tracee *tracee, int fd, char out[MW_PATH_BYTES]);

/* What descriptor `fd` is; nobody is asked over a network, nor a file system in user space.  False: it is not there. */
bool mw_tracee_fd_stat(const struct mw_tracee *tracee, int fd, struct statx *ret);

/* "Pid:" of what PID/fdinfo says of a pidfd; 0 for something else, or a process that we cannot see. */
pid_t mw_tracee_pidfd_pid(const struct mw_tracee *tracee, int fd);

/* Does it see the same process ids as we do? */
bool mw_tracee_shares_pids(const struct mw_tracee *tracee);

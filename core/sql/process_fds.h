/* Descriptors of processes, PID/fd of proc(5). */
#pragma once

#include <stdint.h>

/* `target` is what the link says: a path, "socket:[N]", "pipe:[N]", "anon_inode:…".  Non-zero ends the walk and is returned. */
typedef int mw_each_fd(void *data, int fd, const char *target);

/* 0, or a negative errno: -ESRCH when the process has gone, -EACCES. */
int mw_process_each_fd(int pidfd, mw_each_fd *each, void *data);

/* N of "kind:[N]"; 0 for any other target. */
uint64_t mw_fd_inode(const char *target, const char *kind);

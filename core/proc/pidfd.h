/* What the kernel tells through a pidfd, pidfd_open(2), in one call and without making a text of it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_pidfd_ids {
	uint32_t uid, gid, euid, egid, suid, sgid;
};

/* A descriptor of process `pid` of our PID namespace: -ESRCH when it has gone, -ENOTTY when there is no such call. */
int mw_pidfd_open(pid_t pid, int *ret_fd);
/* -ENOTTY before Linux 6.13, -ESRCH when the process has gone.  As long as it has not, no other one can have got its number. */
int mw_pidfd_ids(int fd, struct mw_pidfd_ids *ret);

/* Are pids of this /proc those of system calls?  Not of a folder that stands in for it, nor of another PID namespace's. */
bool mw_pidfd_fits(int procfd);

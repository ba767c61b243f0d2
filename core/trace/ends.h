/* Ends of processes that are neither our children nor traced: told at once by pidfd_open(2) (Linux 5.3), and how they ended
 * by PIDFD_GET_INFO (Linux 6.15), which asks for no permission. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mw_ends {
	int epoll; /* readable when a process has ended */
	/* This kernel keeps it for whoever holds a pidfd; asked at the first end, since nobody is to wait for that before. */
	bool tells_status, is_asked;
	unsigned watched, limit;
};

struct mw_end {
	pid_t pid;
	int pidfd;
	/* Its parent has taken notice; only then is its status to be had. */
	bool is_reaped;
};

/* 0 or a negative errno.  Raises the soft limit of descriptors of this process. */
int mw_ends_init(struct mw_ends *ends);
void mw_ends_release(struct mw_ends *ends);

/* A pidfd, or a negative errno: -ENOSYS on an old kernel, -EMFILE when there are as many as may be, -ESRCH. */
int mw_ends_watch(struct mw_ends *ends, pid_t pid);
/* Close what mw_ends_watch() gave. */
void mw_ends_unwatch(struct mw_ends *ends, int pidfd);

/* Wait for ends, timeout_ms at the most; how many.  An end is told once, and once more when it is reaped, if the kernel
 * tells of that and the pidfd is still watched. */
size_t mw_ends_wait(struct mw_ends *ends, int timeout_ms, struct mw_end *out, size_t room);

/* How it ended, as wait(2) says.  False when that is not to be had, or not yet. */
bool mw_ends_status(const struct mw_ends *ends, int pidfd, int *ret_status);

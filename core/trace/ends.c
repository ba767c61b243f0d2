#include "trace/ends.h"

#include <errno.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	/* Descriptors left for everything else. */
	RESERVED_FDS = 64,
	/* More processes than that are not told at once but found missing later. */
	MAX_WATCHED = 65536,
	BATCH = 64,
	PROBE_CODE = 7,
};

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* linux/pidfd.h of Linux 6.15; the headers here may be older. */
struct info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	int32_t exit_code;
};
#define GET_INFO _IOWR(0xFF, 11, struct info)
#define INFO_EXIT 8u

static bool read_status(int pidfd, int *ret_status)
{
	struct info info = {.mask = INFO_EXIT};
	if (ioctl(pidfd, GET_INFO, &info) < 0 || !(info.mask & INFO_EXIT))
		return false;
	*ret_status = info.exit_code;
	return true;
}

/* Only trying tells: an older kernel knows the request, and does not mind being asked for more than it has. */
static bool can_tell_status(void)
{
	pid_t child = fork();
	if (child == 0)
		_exit(PROBE_CODE);
	if (child < 0)
		return false;
	int pidfd = (int)syscall(SYS_pidfd_open, child, 0);
	int waited;
	int told = 0;
	while (waitpid(child, &waited, 0) < 0 && errno == EINTR)
		;
	bool can = pidfd >= 0 && read_status(pidfd, &told) && WIFEXITED(told) && WEXITSTATUS(told) == PROBE_CODE;
	if (pidfd >= 0)
		(void)close(pidfd);
	return can;
}

int mw_ends_init(struct mw_ends *ends)
{
	struct rlimit limit = {.rlim_cur = 1024};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
	*ends = (struct mw_ends){.epoll = epoll_create1(EPOLL_CLOEXEC)};
	if (ends->epoll < 0)
		return -errno;
	uint64_t most = limit.rlim_cur > RESERVED_FDS ? limit.rlim_cur - RESERVED_FDS : 0;
	ends->limit = most < MAX_WATCHED ? (unsigned)most : MAX_WATCHED;
	return 0;
}

void mw_ends_release(struct mw_ends *ends)
{
	if (ends->epoll >= 0)
		(void)close(ends->epoll);
}

int mw_ends_watch(struct mw_ends *ends, pid_t pid)
{
	if (ends->watched >= ends->limit)
		return -EMFILE;
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -errno;
	struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)pid << 32 | (uint32_t)pidfd};
	if (epoll_ctl(ends->epoll, EPOLL_CTL_ADD, pidfd, &event) < 0) {
		int r = -errno;
		(void)close(pidfd);
		return r;
	}
	ends->watched++;
	return pidfd;
}

void mw_ends_unwatch(struct mw_ends *ends, int pidfd)
{
	(void)close(pidfd);
	ends->watched--;
}

size_t mw_ends_wait(struct mw_ends *ends, int timeout_ms, struct mw_end *out, size_t room)
{
	struct epoll_event events[BATCH];
	int n = epoll_wait(ends->epoll, events, room < BATCH ? (int)room : BATCH, timeout_ms);
	if (n > 0 && !ends->is_asked) {
		ends->is_asked = true;
		ends->tells_status = can_tell_status();
	}
	for (int i = 0; i < n; i++) {
		int pidfd = (int)(uint32_t)events[i].data.u64;
		out[i] = (struct mw_end){
			.pid = (pid_t)(events[i].data.u64 >> 32),
			.pidfd = pidfd,
			.is_reaped = events[i].events & EPOLLHUP,
		};
		/* From here on only of its being reaped, and then of nothing. */
		struct epoll_event rest = {.data = events[i].data};
		(void)epoll_ctl(ends->epoll, out[i].is_reaped ? EPOLL_CTL_DEL : EPOLL_CTL_MOD, pidfd, &rest);
	}
	return n < 0 ? 0 : (size_t)n;
}

bool mw_ends_status(const struct mw_ends *ends, int pidfd, int *ret_status)
{
	return ends->tells_status && read_status(pidfd, ret_status);
}

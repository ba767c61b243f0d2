#include "trace/listener.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/board.h"

/* Newer than the headers here may be: linux/seccomp.h of Linux 6.6. */
#define SET_FLAGS _IOW('!', 4, uint64_t)
#define FLAG_SYNC_WAKE_UP 1UL

enum {
	/* Notifications are numbered in their order; of those after the last one known a dead tracer may have taken one. */
	NUMBERS_TRIED = 1024,
};

int mw_listener_take(int listener, struct seccomp_notif *ret)
{
	memset(ret, 0, sizeof(*ret)); /* asked for by the kernel */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, ret) == 0)
		return 1;
	return errno == ENOENT || errno == EINTR || errno == EAGAIN ? 0 : -errno;
}

int mw_listener_continue(int listener, uint64_t id)
{
	struct seccomp_notif_resp answer = {.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) < 0 ? -errno : 0;
}

bool mw_listener_is_valid(int listener, uint64_t id)
{
	return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

void mw_listener_wake_here(int listener)
{
	(void)ioctl(listener, SET_FLAGS, FLAG_SYNC_WAKE_UP);
}

bool mw_listener_is_used(int listener)
{
	struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
	return poll(&poll_fd, 1, 0) <= 0 || !(poll_fd.revents & POLLHUP);
}

void mw_listener_answer_for_dead(int listener, const struct mw_board *board)
{
	uint64_t held = atomic_load(&board->notify_held_id);
	uint64_t last = atomic_load(&board->notify_last_id);
	if (held)
		(void)mw_listener_continue(listener, held);
	/* Those that nobody has taken yet are refused, and stay in the queue. */
	for (uint64_t id = last; last && id < last + NUMBERS_TRIED; id++)
		(void)mw_listener_continue(listener, id);
}

void mw_listener_stand_in(int listener, const sigset_t *signals, const struct timespec *timeout)
{
	int64_t limit_ns = timeout ? mw_clock_mono_ns() + timeout->tv_sec * MW_NS_PER_S + timeout->tv_nsec : INT64_MAX;
	int signal_fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
	struct pollfd fds[] = {{.fd = listener, .events = POLLIN}, {.fd = signal_fd, .events = POLLIN}};
	for (;;) {
		int64_t left_ns = timeout ? limit_ns - mw_clock_mono_ns() : MW_NS_PER_S;
		if (left_ns <= 0)
			break;
		const struct timespec left = {.tv_sec = left_ns / MW_NS_PER_S, .tv_nsec = left_ns % MW_NS_PER_S};
		int n = ppoll(fds, 2, &left, NULL);
		struct seccomp_notif call;
		if (n > 0 && fds[0].revents & POLLIN && mw_listener_take(listener, &call) > 0)
			(void)mw_listener_continue(listener, call.id);
		if (n > 0 && fds[1].revents & POLLIN) {
			struct signalfd_siginfo info;
			ssize_t got = read(signal_fd, &info, sizeof(info));
			(void)got; /* that it came is all there is to know */
			break;
		}
		if (n > 0 && fds[0].revents & POLLHUP && !(fds[0].revents & POLLIN))
			fds[0].fd = -1; /* nobody has the filter any more */
	}
	if (signal_fd >= 0)
		(void)close(signal_fd);
}

/* Watches are kept in a list until the round of calls is over in which they are removed, so that a call may remove any
 * of them.  Timers are a list sorted by time: there are a handful. */

#include "loop/loop.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"

enum {
	EVENTS = 32
};

struct watch {
	int fd; /* -1 once removed */
	void (*ready)(void *data, uint32_t events);
	void *data;
	struct watch *next;
};

struct mw_loop {
	int epoll_fd;
	bool is_stopped;
	struct watch *watches;
	struct mw_timer *timers;
};

int mw_loop_new(struct mw_loop **ret_loop, struct mw_err *err)
{
	struct mw_loop *loop = calloc(1, sizeof(*loop));
	if (!loop)
		return mw_err_set(err, -ENOMEM, "out of memory for the event loop");
	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		int r = mw_err_set(err, -errno, "epoll_create1: %s", strerror(errno));
		free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

void mw_loop_free(struct mw_loop *loop)
{
	if (!loop)
		return;
	while (loop->watches) {
		struct watch *watch = loop->watches;
		loop->watches = watch->next;
		free(watch);
	}
	(void)close(loop->epoll_fd);
	free(loop);
}

int mw_loop_watch(struct mw_loop *loop, int fd, uint32_t events, void (*ready)(void *data, uint32_t events), void *data)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	*watch = (struct watch){.fd = fd, .ready = ready, .data = data, .next = loop->watches};
	struct epoll_event event = {.events = events, .data.ptr = watch};
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int r = -errno;
		free(watch);
		return r;
	}
	loop->watches = watch;
	return 0;
}

void mw_loop_unwatch(struct mw_loop *loop, int fd)
{
	for (struct watch *watch = loop->watches; watch; watch = watch->next)
		if (watch->fd == fd) {
			(void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
			watch->fd = -1;
			return;
		}
}

static void free_removed(struct mw_loop *loop)
{
	for (struct watch **at = &loop->watches; *at;) {
		struct watch *watch = *at;
		if (watch->fd >= 0) {
			at = &watch->next;
			continue;
		}
		*at = watch->next;
		free(watch);
	}
}

void mw_timer_set(struct mw_loop *loop, struct mw_timer *timer, int64_t ms)
{
	mw_timer_clear(loop, timer);
	timer->due_ns = mw_clock_mono_ns() + ms * MW_NS_PER_MS;
	timer->is_set = 1;
	struct mw_timer **at = &loop->timers;
	while (*at && (*at)->due_ns <= timer->due_ns)
		at = &(*at)->next;
	timer->next = *at;
	*at = timer;
}

void mw_timer_clear(struct mw_loop *loop, struct mw_timer *timer)
{
	if (!timer->is_set)
		return;
	timer->is_set = 0;
	for (struct mw_timer **at = &loop->timers; *at; at = &(*at)->next)
		if (*at == timer) {
			*at = timer->next;
			return;
		}
}

/* Milliseconds until the next timer is due, rounded up so that it is due then; -1 for none. */
static int wait_ms(const struct mw_loop *loop)
{
	if (!loop->timers)
		return -1;
	int64_t left_ns = loop->timers->due_ns - mw_clock_mono_ns();
	int64_t ms = (left_ns + MW_NS_PER_MS - 1) / MW_NS_PER_MS;
	return ms < 0 ? 0 : ms > INT32_MAX ? INT32_MAX : (int)ms;
}

static void fire_due(struct mw_loop *loop)
{
	int64_t now = mw_clock_mono_ns();
	while (loop->timers && loop->timers->due_ns <= now) {
		struct mw_timer *timer = loop->timers;
		mw_timer_clear(loop, timer);
		timer->fire(timer->data);
	}
}

int mw_loop_run(struct mw_loop *loop)
{
	struct epoll_event events[EVENTS];
	loop->is_stopped = false;
	while (!loop->is_stopped) {
		int n = epoll_wait(loop->epoll_fd, events, EVENTS, wait_ms(loop));
		if (n < 0 && errno != EINTR)
			return -errno;
		for (int i = 0; i < n; i++) {
			struct watch *watch = events[i].data.ptr;
			if (watch->fd >= 0)
				watch->ready(watch->data, events[i].events);
		}
		free_removed(loop);
		fire_due(loop);
	}
	return 0;
}

void mw_loop_stop(struct mw_loop *loop)
{
	loop->is_stopped = true;
}

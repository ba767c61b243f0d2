/* The event loop: epoll and timers, the only place of the sensor that waits.  One thread. */
#pragma once

#include <stdint.h>

struct mw_err;
struct mw_loop;

int mw_loop_new(struct mw_loop **ret_loop, struct mw_err *err);
/* Descriptors that are watched stay open; timers are forgotten. */
void mw_loop_free(struct mw_loop *loop);

/* Call `ready(data, events)` whenever `fd` shows one of `events` (EPOLLIN, EPOLLOUT…).  One watch for a descriptor.
 * -errno of epoll_ctl(2). */
int mw_loop_watch(struct mw_loop *loop, int fd, uint32_t events, void (*ready)(void *data, uint32_t events),
		  void *data);
/* To be called before `fd` is closed; may be called from within `ready`. */
void mw_loop_unwatch(struct mw_loop *loop, int fd);

/* Owned by the caller and in its memory; zeroed is idle. */
struct mw_timer {
	void (*fire)(void *data);
	void *data;
	int64_t due_ns; /* CLOCK_MONOTONIC; of the loop's use, as is `next` */
	struct mw_timer *next;
	int is_set;
};

/* Fire once after `ms`; set again replaces. */
void mw_timer_set(struct mw_loop *loop, struct mw_timer *timer, int64_t ms);
void mw_timer_clear(struct mw_loop *loop, struct mw_timer *timer);

/* Wait and call, until mw_loop_stop().  0, or the errno of epoll_wait(2). */
int mw_loop_run(struct mw_loop *loop);
void mw_loop_stop(struct mw_loop *loop);

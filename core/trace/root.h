/* The end of the application's first process.  When that is PID 1 the kernel ends everybody, us too, as soon as it is
 * gone; so it is held in its exit stop, for a bounded time, until the sensor has delivered all that went before. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "trace/hold.h"

struct mw_task;
struct mw_tracer;

struct mw_root_end {
	/* Held until the sensor has delivered; 0 for none. */
	pid_t held;
	struct mw_hold hold;
	/* The root's leader, at its exit stop and in doubt; 0 for none. */
	pid_t leaving;
	int64_t leaving_until_ns; /* CLOCK_MONOTONIC */
	/* The root's leader has left its process alone: all its other threads stop at their exit, too. */
	bool leader_left;
};

/* A thread of the root is at its exit stop (PTRACE_O_TRACEEXIT). */
void mw_root_on_exit(struct mw_tracer *tracer, struct mw_task *task);
/* A thread that is perhaps held has ended. */
void mw_root_on_end(struct mw_tracer *tracer, pid_t tid);
/* Is this thread one that is to stop at its exit? */
bool mw_root_wants_exit_stop(const struct mw_tracer *tracer, const struct mw_task *task);
/* Is something held that must be looked after soon? */
bool mw_root_is_waiting(const struct mw_tracer *tracer);
void mw_root_look_after(struct mw_tracer *tracer);

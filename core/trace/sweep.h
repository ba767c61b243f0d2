/* Processes that no event has told of: children made with CLONE_UNTRACED, sessions and health checks that the container's
 * runtime starts, neighbours of a shared PID namespace, those born while no tracer lived.
 *
 * Process ids are given out in order, and the last one stands in /proc/loadavg: when it is ahead of what events explain,
 * /proc is gone through and what belongs to us (belongs.h) is attached to.  What has come and gone in between is only seen
 * as a missing number, and told as a gap. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_tracer;

struct mw_sweep {
	int loadavg_fd;
	bool is_container;  /* not the initial PID namespace: newcomers are ours, too */
	int64_t root_start; /* start_ticks of the root */
	pid_t pid_max;
	pid_t last_pid;      /* at the last look */
	uint64_t explained;  /* until then */
	int64_t unexplained; /* ids given out less ids explained */
	int64_t least;       /* lowest of `unexplained` in so many `looks` */
	unsigned looks;
	int64_t next_ns; /* CLOCK_MONOTONIC: not before */
	int64_t threads_next_ns;
	bool is_due; /* look in any case */
};

void mw_sweep_begin(struct mw_tracer *tracer);
void mw_sweep_end(struct mw_tracer *tracer);
/* Look, if there is reason to; called a few times a second. */
void mw_sweep_tick(struct mw_tracer *tracer);
/* Look at the next tick whatever the numbers say. */
void mw_sweep_soon(struct mw_tracer *tracer);
/* Attach to all that is ours: at the start (takes_older), or after another tracer's death (is_restart), which is then told
 * as a gap. */
void mw_sweep_all(struct mw_tracer *tracer);

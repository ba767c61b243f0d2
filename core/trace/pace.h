/* How the tracer waits for the next stop: at once asleep, or, while stops come thick and fast (storms of threads or signals),
 * looking for it for a moment first.  Waking a process that sleeps on another CPU takes 20 to 100 us (most when that CPU
 * slept, too), which is many times what a stop itself takes; see docs/overhead.md. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_stop;

struct mw_pace {
	bool may_look;        /* there is more than one CPU for us */
	int64_t gap_ns;       /* between stops, smoothed */
	int64_t last_ns;      /* when the last one came, CLOCK_MONOTONIC */
	int64_t off_until_ns; /* others wanted our CPU: asleep at once until then */
	int64_t off_ns;       /* how long the next time */
};

void mw_pace_begin(struct mw_pace *pace);
/* wait4(-1) for any thread, blocking: its id, or -1 with errno (EINTR: a timer or a signal). */
pid_t mw_pace_wait(struct mw_pace *pace, struct mw_stop *stop);

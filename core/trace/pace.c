#include "trace/pace.h"

#include <errno.h>
#include <sched.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "trace/tracer_private.h"

enum {
	/* Longest look before sleeping, in ns: about what it costs to be woken from a sleep. */
	LOOK_NS = 100000,
	/* Stops further apart than this, on the average, are not looked for. */
	GAP_NS = 150000,
	/* When giving up the CPU for a moment takes longer than this, CPU time is short here (a quota is used up, or others
	 * compute); then looking pauses, first for so long, doubled up to the maximum as long as it goes on. */
	YIELD_NS = 8 * 1000000,
};

static const int64_t OFF_MIN_NS = 100 * 1000000LL;
static const int64_t OFF_MAX_NS = 60 * 1000000000LL;

void mw_pace_begin(struct mw_pace *pace)
{
	cpu_set_t set;
	*pace = (struct mw_pace){.off_ns = OFF_MIN_NS, .gap_ns = GAP_NS * 10};
	pace->may_look = sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

static pid_t look(struct mw_pace *pace, struct mw_stop *stop, int64_t now)
{
	int64_t until = now + LOOK_NS;
	pid_t tid;
	for (;;) {
		tid = wait4(-1, &stop->status, __WALL | WNOHANG, &stop->usage);
		if (tid != 0)
			break;
		/* Whoever else wants this CPU comes first; often it is the very thread whose stop is looked for. */
		(void)sched_yield();
		int64_t then = mw_clock_mono_ns();
		if (then - now > YIELD_NS) {
			pace->off_until_ns = then + pace->off_ns;
			pace->off_ns = pace->off_ns * 2 > OFF_MAX_NS ? OFF_MAX_NS : pace->off_ns * 2;
			return 0;
		}
		now = then;
		if (now >= until)
			return 0;
	}
	if (pace->off_ns > OFF_MIN_NS)
		pace->off_ns -= pace->off_ns / 16;
	return tid;
}

pid_t mw_pace_wait(struct mw_pace *pace, struct mw_stop *stop)
{
	pid_t tid = 0;
	int64_t now = mw_clock_mono_ns();
	if (pace->may_look && pace->gap_ns < GAP_NS && now >= pace->off_until_ns)
		tid = look(pace, stop, now);
	if (tid == 0)
		tid = wait4(-1, &stop->status, __WALL, &stop->usage);
	if (tid > 0) {
		now = mw_clock_mono_ns();
		int64_t gap = now - pace->last_ns;
		pace->gap_ns += ((gap > GAP_NS * 10 ? GAP_NS * 10 : gap) - pace->gap_ns) / 8;
		pace->last_ns = now;
	}
	return tid;
}

#include "trace/pace.h"

#include <errno.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "trace/tracer_private.h"

enum {
	/* Longest look before sleeping, in ns; about what waking up costs, so that at worst the price is doubled. */
	SPIN_NS = 50000,
	/* Stops further apart than this are not worth it. */
	GAP_NS = 100000,
	/* First pause after somebody else wanted the CPU, and the longest. */
	OFF_MIN_NS = 5 * 1000000,
	OFF_MAX_NS = 1000 * 1000000,
};

void mw_pace_begin(struct mw_pace *pace)
{
	cpu_set_t set;
	*pace = (struct mw_pace){.off_ns = OFF_MIN_NS, .gap_ns = GAP_NS * 10};
	pace->may_spin = sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) > 1;
}

/* Somebody was waiting for this CPU while we looked: then looking takes from others. */
static bool was_preempted(struct mw_pace *pace)
{
	struct rusage usage;
	if (getrusage(RUSAGE_THREAD, &usage) < 0)
		return true;
	bool was = usage.ru_nivcsw != pace->preemptions;
	pace->preemptions = usage.ru_nivcsw;
	return was;
}

static pid_t look(struct mw_pace *pace, struct mw_stop *stop, int64_t now)
{
	int64_t until = now + SPIN_NS;
	pid_t tid;
	do {
		for (int i = 0; i < 8; i++) {
			tid = wait4(-1, &stop->status, __WALL | WNOHANG, &stop->usage);
			if (tid != 0)
				break;
		}
	} while (tid == 0 && mw_clock_mono_ns() < until);
	if (was_preempted(pace)) {
		pace->off_until_ns = mw_clock_mono_ns() + pace->off_ns;
		pace->off_ns = pace->off_ns * 2 > OFF_MAX_NS ? OFF_MAX_NS : pace->off_ns * 2;
	} else if (tid > 0 && pace->off_ns > OFF_MIN_NS) {
		pace->off_ns -= pace->off_ns / 16;
	}
	return tid;
}

pid_t mw_pace_wait(struct mw_pace *pace, struct mw_stop *stop)
{
	pid_t tid = 0;
	int64_t now = mw_clock_mono_ns();
	if (pace->may_spin && pace->gap_ns < GAP_NS && now >= pace->off_until_ns)
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

#include "trace/root.h"

#include <signal.h>
#include <sys/ptrace.h>

#include "base/clock.h"
#include "trace/tracer_private.h"

enum {
	/* How long the root's leader may be in doubt at its exit stop: whether its process ends, or it leaves alone. */
	LEAVING_MS = 5,
};

/* PF_EXITING of linux/sched.h, in the flags of PID/stat. */
#define PF_EXITING 0x4u

/* Is every other thread of the process dying, so that the exit stop of `tid` is the end of the process?  A thread may
 * also leave alone, by pthread_exit(3) or because another one calls execve(2). */
static bool is_group_ending(const struct mw_tracer *tracer, pid_t pid, pid_t tid)
{
	size_t cursor = 0;
	for (struct mw_task *task; (task = mw_tasks_next(&tracer->tasks, &cursor));) {
		if (task->tgid != pid || task->tid == tid)
			continue;
		struct mw_proc_stat stat;
		struct mw_proc_status status;
		if (!mw_tracer_read(tracer, task->tid, &stat, &status) || stat.flags & PF_EXITING)
			continue;
		/* Each thread of a group that ends has SIGKILL pending until it takes notice. */
		if (!(status.pending_signals & 1ULL << (SIGKILL - 1)))
			return false;
	}
	return true;
}

/* Its leader's exit stop is gone for good: from now on each of the others stops at its exit, so that the last is held. */
static void watch_other_threads(struct mw_tracer *tracer)
{
	size_t cursor = 0;
	tracer->root_end.leader_left = true;
	for (struct mw_task *task; (task = mw_tasks_next(&tracer->tasks, &cursor));)
		if (task->tgid == tracer->options->root && task->tid != task->tgid)
			mw_tracer_request(PTRACE_INTERRUPT, task->tid, 0); /* see mw_tracer_leave_event_stop() */
}

/* The root ends with this thread, which is at its exit stop. */
static void end_root(struct mw_tracer *tracer, struct mw_task *root, pid_t tid)
{
	struct mw_root_end *end = &tracer->root_end;
	unsigned long exit_status = 0;
	(void)ptrace(PTRACE_GETEVENTMSG, tid, 0L, &exit_status);
	struct rusage usage = {0};
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	if (mw_tracer_read(tracer, root->tid, &stat, &status)) {
		int64_t cpu_us = mw_procfs_ticks_ns(stat.utime_ticks + stat.stime_ticks) / 1000;
		usage.ru_utime = (struct timeval){cpu_us / 1000000, cpu_us % 1000000};
		usage.ru_maxrss = (long)(status.peak_rss_bytes / 1024);
	}
	mw_tracer_record_exit(tracer, root->tid, (int)exit_status, &usage);
	root->end_recorded = true;
	if (tracer->options->shutdown_flush_ms == 0) {
		mw_tracer_request(PTRACE_CONT, tid, 0);
		return;
	}
	end->held = tid;
	mw_hold_begin(&end->hold, tracer->board, tracer->options->shutdown_flush_ms);
}

void mw_root_on_exit(struct mw_tracer *tracer, struct mw_task *task)
{
	struct mw_task *root = mw_tasks_get(&tracer->tasks, tracer->options->root);
	if (root && !root->end_recorded) {
		if (is_group_ending(tracer, root->tid, task->tid)) {
			end_root(tracer, root, task->tid);
			return;
		}
		if (task == root) {
			/* A thread that has taken notice of the group's end but is not marked as exiting yet looks
			 * alive for a moment. */
			tracer->root_end.leaving = root->tid;
			tracer->root_end.leaving_until_ns = mw_clock_mono_ns() + (int64_t)LEAVING_MS * MW_NS_PER_MS;
			return;
		}
	}
	mw_tracer_request(PTRACE_CONT, task->tid, 0);
}

static void look_after_leaving(struct mw_tracer *tracer)
{
	struct mw_root_end *end = &tracer->root_end;
	struct mw_task *root = mw_tasks_get(&tracer->tasks, end->leaving);
	bool is_ending = root && is_group_ending(tracer, root->tid, root->tid);
	if (root && !is_ending && mw_clock_mono_ns() < end->leaving_until_ns)
		return;
	end->leaving = 0;
	if (is_ending) {
		end_root(tracer, root, root->tid);
	} else if (root) {
		watch_other_threads(tracer);
		mw_tracer_request(PTRACE_CONT, root->tid, 0);
	}
}

static void look_after_held(struct mw_tracer *tracer)
{
	struct mw_root_end *end = &tracer->root_end;
	if (!mw_hold_is_over(&end->hold, tracer->board))
		return;
	mw_tracer_request(PTRACE_CONT, end->held, 0);
	end->held = 0;
}

void mw_root_on_end(struct mw_tracer *tracer, pid_t tid)
{
	if (tid == tracer->root_end.held)
		tracer->root_end.held = 0;
	if (tid == tracer->root_end.leaving)
		tracer->root_end.leaving = 0;
}

bool mw_root_wants_exit_stop(const struct mw_tracer *tracer, const struct mw_task *task)
{
	pid_t root = tracer->options->root;
	return task->tid == root || (tracer->root_end.leader_left && task->tgid == root);
}

bool mw_root_is_waiting(const struct mw_tracer *tracer)
{
	return tracer->root_end.held || tracer->root_end.leaving;
}

void mw_root_look_after(struct mw_tracer *tracer)
{
	if (tracer->root_end.leaving)
		look_after_leaving(tracer);
	if (tracer->root_end.held)
		look_after_held(tracer);
}

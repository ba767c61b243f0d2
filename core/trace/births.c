/* How threads and processes come to be traced: the kernel attaches to a new one by itself, and tells of it twice, in an
 * event of its parent and in its own first stop, in either order. */

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "trace/tracer_private.h"

enum {
	/* A thread whose parent's event does not come (the parent was killed in between) is let go after this. */
	PARKED_MS = 20,
};

/* Is `tid` a thread of process `tgid`?  tgkill(2) answers for less than a tenth of what reading /proc takes. */
static bool is_thread_of(pid_t tgid, pid_t tid)
{
	return syscall(SYS_tgkill, tgid, tid, 0) == 0 || errno == EPERM;
}

static void unpark(struct mw_tracer *tracer, struct mw_task *task)
{
	task->is_parked = false;
	tracer->tasks.parked--;
	if (task->level == MW_LEVEL_OFF)
		mw_tracer_detach(tracer, task, 0);
	else
		mw_tracer_leave_event_stop(tracer, task, task->parked_status);
}

/* What a child has of its parent. */
static void inherit(struct mw_tracer *tracer, struct mw_task *task, const struct mw_task *parent,
		    const struct mw_task *process, bool is_thread)
{
	task->tgid = is_thread ? parent->tgid : task->tid;
	task->stops_at_exit = parent->stops_at_exit;
	task->level = parent->is_debugger && !is_thread ? MW_LEVEL_OFF : parent->level;
	task->is_debugger = parent->is_debugger && is_thread;
	if (is_thread || !process)
		return;
	task->ppid = parent->tgid;
	mw_board_set_level(tracer->board, task->tid, (enum mw_level)task->level);
	task->session = process->session;
	task->tty_nr = process->tty_nr;
	task->marks = process->marks;
}

void mw_tracer_on_birth(struct mw_tracer *tracer, struct mw_task *parent)
{
	unsigned long message = 0;
	if (ptrace(PTRACE_GETEVENTMSG, parent->tid, 0L, &message) < 0)
		return; /* the parent was killed: its child is parked, and found by look_after_parked() */
	pid_t child = (pid_t)message;
	bool is_thread = is_thread_of(parent->tgid, child);

	struct mw_task *task = mw_tasks_get(&tracer->tasks, child);
	if (task && task->is_adopted && (is_thread ? task->tgid : task->ppid) == parent->tgid) {
		/* On a busy machine the parent may not run for long between its child's start and its own event. */
		task->is_adopted = false;
		return;
	}
	tracer->births++;
	atomic_store_explicit(&tracer->board->last_pid, child, memory_order_relaxed);
	bool came_before = task && task->is_parked;
	if (!came_before)
		task = mw_tasks_add(&tracer->tasks, child, 0);
	if (!is_thread)
		mw_tracer_record_fork(tracer, child, parent->tgid);
	if (!task)
		return; /* out of memory: its first stop will find it unknown, and park it */
	inherit(tracer, task, parent, mw_tasks_get(&tracer->tasks, parent->tgid), is_thread);
	if (came_before)
		unpark(tracer, task);
}

void mw_tracer_park(struct mw_tracer *tracer, pid_t tid, int status)
{
	struct mw_task *task = mw_tasks_add(&tracer->tasks, tid, 0);
	if (!task) {
		mw_tracer_request(PTRACE_CONT, tid, 0); /* out of memory: better unseen than stopped */
		return;
	}
	task->is_parked = true;
	task->parked_status = status;
	task->parked_ns = mw_clock_mono_ns();
	tracer->tasks.parked++;
}

/* A thread that no event has told of. */
static void adopt(struct mw_tracer *tracer, struct mw_task *task)
{
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	tracer->births++;
	task->is_adopted = true;
	task->tgid = task->tid;
	if (mw_tracer_read(tracer, task->tid, &stat, &status)) {
		task->tgid = status.tgid;
		task->ppid = stat.ppid;
		const struct mw_task *process =
			mw_tasks_get(&tracer->tasks, task->tgid == task->tid ? stat.ppid : status.tgid);
		if (process) {
			task->level = process->level;
			task->marks = process->marks;
		}
		if (task->tgid == task->tid)
			mw_tracer_record_fork(tracer, task->tid, stat.ppid);
	}
	unpark(tracer, task);
}

void mw_tracer_look_after_parked(struct mw_tracer *tracer)
{
	int64_t limit = mw_clock_mono_ns() - (int64_t)PARKED_MS * MW_NS_PER_MS;
	bool found;
	do {
		/* adopt() may remove the task (detached), so the walk begins anew. */
		size_t cursor = 0;
		found = false;
		for (struct mw_task *task; tracer->tasks.parked && (task = mw_tasks_next(&tracer->tasks, &cursor));)
			if (task->is_parked && task->parked_ns <= limit) {
				adopt(tracer, task);
				found = true;
				break;
			}
	} while (found);
}

/* The main loop, in four lines: wait for a stop; take all other stops that are pending too; handle each; each handled
 * thread is restarted at once.  Taking all before restarting any is what keeps a storm of stops in some threads from
 * starving the others.
 *
 * What a stop means is in ptrace(2) under "Stopped states" and PTRACE_SEIZE.  The wait status is the only truth about a
 * thread: every request may fail with ESRCH because the thread was killed meanwhile, which is no error; its end will be
 * told by a later wait. */

#include "trace/tracer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/board.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "trace/facts.h"
#include "trace/tasks.h"

enum {
	/* Stops taken before any is restarted.  A bound, not a tuning knob: more wait for the next round. */
	BATCH = 256,
	/* While something must be looked after in time (a parked thread, the held root), how long to wait at once. */
	TICK_MS = 1,
	/* A thread whose parent's event does not come (the parent was killed in between) is let go after this. */
	PARKED_MS = 20,
	/* How long the root's leader may be in doubt at its exit stop: whether its process ends, or it leaves alone. */
	LEAVING_MS = 5,
};

#define OPTIONS (PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC)
#define ROOT_OPTIONS (OPTIONS | PTRACE_O_TRACEEXIT)

/* PF_EXITING of linux/sched.h, in the flags of PID/stat. */
#define PF_EXITING 0x4u

struct stop {
	pid_t tid;
	int status;
	struct rusage usage;
};

struct tracer {
	const struct mw_tracer_options *options;
	struct mw_board *board;
	int procfd;
	struct mw_tasks tasks;
	/* The root, held in its exit stop until the sensor has delivered; 0 for none. */
	pid_t held;
	int64_t held_until_ns; /* CLOCK_MONOTONIC */
	unsigned flush_ticket;
	/* The root's leader, at its exit stop and in doubt; 0 for none. */
	pid_t leaving;
	int64_t leaving_until_ns; /* CLOCK_MONOTONIC */
	/* The root's leader has left its process alone: all its other threads stop at their exit, too. */
	bool root_leader_left;
	struct stop stops[BATCH];
};

static void request(enum __ptrace_request what, pid_t tid, long data)
{
	/* Fails only with ESRCH, see above. */
	(void)ptrace(what, tid, 0L, data);
}

static void *begin_record(struct tracer *tracer, size_t bytes)
{
	return mw_ring_reserve(tracer->board->ring, bytes);
}

static void end_record(struct tracer *tracer, size_t bytes)
{
	struct mw_board *board = tracer->board;
	mw_ring_commit(board->ring, bytes);
	if (mw_ring_must_wake(board->ring))
		mw_board_wake_sensor(board);
}

static void count(atomic_uint_least64_t *counter)
{
	(void)atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void record_exec(struct tracer *tracer, pid_t pid)
{
	count(&tracer->board->trace.records[MW_PROCESS_EXEC]);
	struct mw_record_exec *record = begin_record(tracer, MW_RECORD_BYTES);
	if (!record)
		return;
	int64_t now = mw_clock_real_ns();
	size_t bytes = mw_facts_exec(tracer->procfd, pid, record);
	record->head.kind = MW_RECORD_EXEC;
	record->head.time_ns = now;
	end_record(tracer, bytes);
}

static void record_fork(struct tracer *tracer, pid_t pid, pid_t ppid)
{
	count(&tracer->board->trace.records[MW_PROCESS_FORK]);
	struct mw_record_fork *record = begin_record(tracer, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_fork){
		.head = {.kind = MW_RECORD_FORK, .pid = pid, .time_ns = mw_clock_real_ns()},
		.ppid = ppid,
	};
	end_record(tracer, sizeof(*record));
}

static int64_t timeval_ns(struct timeval time)
{
	return (int64_t)time.tv_sec * MW_NS_PER_S + (int64_t)time.tv_usec * 1000;
}

static void record_exit(struct tracer *tracer, pid_t pid, int status, const struct rusage *usage)
{
	count(&tracer->board->trace.records[MW_PROCESS_EXIT]);
	struct mw_record_exit *record = begin_record(tracer, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_exit){
		.head = {.kind = MW_RECORD_EXIT, .pid = pid, .time_ns = mw_clock_real_ns()},
		.status = status,
		.cpu_ns = timeval_ns(usage->ru_utime) + timeval_ns(usage->ru_stime),
		.max_rss_bytes = usage->ru_maxrss * 1024L,
	};
	end_record(tracer, sizeof(*record));
}

/* Is `tid` a thread of process `tgid`?  tgkill(2) answers for less than a tenth of what reading /proc takes. */
static bool is_thread_of(pid_t tgid, pid_t tid)
{
	return syscall(SYS_tgkill, tgid, tid, 0) == 0 || errno == EPERM;
}

/* Let a thread go on from an event stop that is no event of its own: its birth, a group stop, or the end of one.  A group
 * stop carries the signal that stopped the group, and is to last until SIGCONT; anything else is SIGTRAP. */
static void leave_event_stop(const struct tracer *tracer, struct mw_task *task, int status)
{
	pid_t root = tracer->options->root;
	bool must_stop_at_exit = task->tid == root || (tracer->root_leader_left && task->tgid == root);
	if (task->stops_at_exit != must_stop_at_exit) {
		request(PTRACE_SETOPTIONS, task->tid, must_stop_at_exit ? ROOT_OPTIONS : OPTIONS);
		task->stops_at_exit = must_stop_at_exit;
	}
	request(WSTOPSIG(status) == SIGTRAP ? PTRACE_CONT : PTRACE_LISTEN, task->tid, 0);
}

static void unpark(struct tracer *tracer, struct mw_task *task)
{
	task->is_parked = false;
	tracer->tasks.parked--;
	leave_event_stop(tracer, task, task->parked_status);
}

/* The parent's event names its child, whose own first stop comes after this or came before. */
static void on_birth(struct tracer *tracer, struct mw_task *parent)
{
	unsigned long message = 0;
	if (ptrace(PTRACE_GETEVENTMSG, parent->tid, 0L, &message) < 0)
		return; /* the parent was killed: its child is parked, and found by look_after_parked() */
	pid_t child = (pid_t)message;
	bool is_thread = is_thread_of(parent->tgid, child);

	struct mw_task *task = mw_tasks_get(&tracer->tasks, child);
	bool came_before = task && task->is_parked;
	if (!came_before)
		task = mw_tasks_add(&tracer->tasks, child, 0);
	if (!is_thread)
		record_fork(tracer, child, parent->tgid);
	if (!task)
		return; /* out of memory: its first stop will find it unknown, and park it */
	task->tgid = is_thread ? parent->tgid : child;
	task->stops_at_exit = parent->stops_at_exit;
	if (came_before)
		unpark(tracer, task);
}

static void park(struct tracer *tracer, pid_t tid, int status)
{
	struct mw_task *task = mw_tasks_add(&tracer->tasks, tid, 0);
	if (!task) {
		request(PTRACE_CONT, tid, 0); /* out of memory: better unseen than stopped */
		return;
	}
	task->is_parked = true;
	task->parked_status = status;
	task->parked_ns = mw_clock_mono_ns();
	tracer->tasks.parked++;
}

static bool read_process(const struct tracer *tracer, pid_t tid, struct mw_proc_stat *ret_stat,
			 struct mw_proc_status *ret_status)
{
	MW_AUTO_FD pidfd = -1;
	return mw_procfs_open_pid(tracer->procfd, tid, &pidfd) == 0 && mw_procfs_stat(pidfd, ret_stat) == 0 &&
	       mw_procfs_status(pidfd, ret_status) == 0;
}

/* A thread that no event has told of. */
static void adopt(struct tracer *tracer, struct mw_task *task)
{
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	task->tgid = task->tid;
	if (read_process(tracer, task->tid, &stat, &status)) {
		task->tgid = status.tgid;
		if (task->tgid == task->tid)
			record_fork(tracer, task->tid, stat.ppid);
	}
	unpark(tracer, task);
}

static void look_after_parked(struct tracer *tracer)
{
	int64_t limit = mw_clock_mono_ns() - (int64_t)PARKED_MS * MW_NS_PER_MS;
	size_t cursor = 0;
	for (struct mw_task *task; tracer->tasks.parked && (task = mw_pidmap_next(&tracer->tasks.map, &cursor));)
		if (task->is_parked && task->parked_ns <= limit)
			adopt(tracer, task);
}

/* Is every other thread of the process dying, so that the exit stop of `tid` is the end of the process?  A thread may
 * also leave alone, by pthread_exit(3) or because another one calls execve(2). */
static bool is_group_ending(struct tracer *tracer, pid_t pid, pid_t tid)
{
	size_t cursor = 0;
	for (struct mw_task *task; (task = mw_pidmap_next(&tracer->tasks.map, &cursor));) {
		if (task->tgid != pid || task->tid == tid)
			continue;
		struct mw_proc_stat stat;
		struct mw_proc_status status;
		if (!read_process(tracer, task->tid, &stat, &status) || stat.flags & PF_EXITING)
			continue;
		/* Each thread of a group that ends has SIGKILL pending until it takes notice. */
		if (!(status.pending_signals & 1ULL << (SIGKILL - 1)))
			return false;
	}
	return true;
}

/* Its leader's exit stop is gone for good: from now on each of the others stops at its exit, so that the last is held. */
static void watch_other_threads(struct tracer *tracer)
{
	size_t cursor = 0;
	tracer->root_leader_left = true;
	for (struct mw_task *task; (task = mw_pidmap_next(&tracer->tasks.map, &cursor));)
		if (task->tgid == tracer->options->root && task->tid != task->tgid)
			request(PTRACE_INTERRUPT, task->tid, 0); /* see leave_event_stop() */
}

/* The root ends with this thread, which is at its exit stop.  When the root is PID 1 the kernel ends us, too, as soon as it
 * goes on: so hold it, for a bounded time, until the sensor has delivered all that went before. */
static void end_root(struct tracer *tracer, struct mw_task *root, pid_t tid)
{
	unsigned long exit_status = 0;
	(void)ptrace(PTRACE_GETEVENTMSG, tid, 0L, &exit_status);
	struct rusage usage = {0};
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	if (read_process(tracer, root->tid, &stat, &status)) {
		int64_t cpu_us = mw_procfs_ticks_ns(stat.utime_ticks + stat.stime_ticks) / 1000;
		usage.ru_utime = (struct timeval){cpu_us / 1000000, cpu_us % 1000000};
		usage.ru_maxrss = (long)(status.peak_rss_bytes / 1024);
	}
	record_exit(tracer, root->tid, (int)exit_status, &usage);
	root->end_recorded = true;
	if (tracer->options->shutdown_flush_ms == 0) {
		request(PTRACE_CONT, tid, 0);
		return;
	}
	tracer->held = tid;
	tracer->held_until_ns = mw_clock_mono_ns() + tracer->options->shutdown_flush_ms * MW_NS_PER_MS;
	tracer->flush_ticket = atomic_fetch_add(&tracer->board->flush_wanted, 1) + 1;
	mw_board_wake_sensor(tracer->board);
}

static void on_root_exit(struct tracer *tracer, struct mw_task *task)
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
			tracer->leaving = root->tid;
			tracer->leaving_until_ns = mw_clock_mono_ns() + (int64_t)LEAVING_MS * MW_NS_PER_MS;
			return;
		}
	}
	request(PTRACE_CONT, task->tid, 0);
}

static void look_after_leaving(struct tracer *tracer)
{
	struct mw_task *root = mw_tasks_get(&tracer->tasks, tracer->leaving);
	bool is_ending = root && is_group_ending(tracer, root->tid, root->tid);
	if (root && !is_ending && mw_clock_mono_ns() < tracer->leaving_until_ns)
		return;
	tracer->leaving = 0;
	if (is_ending) {
		end_root(tracer, root, root->tid);
	} else if (root) {
		watch_other_threads(tracer);
		request(PTRACE_CONT, root->tid, 0);
	}
}

static void look_after_held(struct tracer *tracer)
{
	bool is_flushed = (int)(atomic_load(&tracer->board->flush_done) - tracer->flush_ticket) >= 0;
	if (!is_flushed && mw_clock_mono_ns() < tracer->held_until_ns)
		return;
	request(PTRACE_CONT, tracer->held, 0);
	tracer->held = 0;
}

static void on_end(struct tracer *tracer, const struct stop *stop)
{
	struct mw_task *task = mw_tasks_get(&tracer->tasks, stop->tid);
	if (stop->tid == tracer->held)
		tracer->held = 0;
	if (stop->tid == tracer->leaving)
		tracer->leaving = 0;
	if (!task)
		return;
	/* Not yet named by its parent: then it is a process that was killed at birth, or a thread; only the former
	 * has anyone who would miss it, and cannot be told any more. */
	if (task->tgid == task->tid && !task->end_recorded)
		record_exit(tracer, task->tid, stop->status, &stop->usage);
	mw_tasks_remove(&tracer->tasks, stop->tid);
}

/* execve by a thread that is not the leader: it takes the leader's id, and its own is gone without a further word. */
static void forget_former_thread(struct tracer *tracer, pid_t pid)
{
	unsigned long former = 0;
	if (ptrace(PTRACE_GETEVENTMSG, pid, 0L, &former) < 0 || (pid_t)former == pid)
		return;
	mw_tasks_remove(&tracer->tasks, (pid_t)former);
	/* The options are those of the thread that came. */
	if (pid == tracer->options->root) {
		request(PTRACE_SETOPTIONS, pid, ROOT_OPTIONS);
		tracer->root_leader_left = false;
	}
}

static void on_stop(struct tracer *tracer, const struct stop *stop)
{
	struct mw_task *task = mw_tasks_get(&tracer->tasks, stop->tid);
	int event = stop->status >> 16;
	if (event == PTRACE_EVENT_STOP) {
		if (task)
			leave_event_stop(tracer, task, stop->status);
		else
			park(tracer, stop->tid, stop->status);
		return;
	}
	if (!task) {
		/* Its birth was never told, for want of memory. */
		struct mw_proc_stat stat;
		struct mw_proc_status status = {.tgid = stop->tid};
		(void)read_process(tracer, stop->tid, &stat, &status);
		task = mw_tasks_add(&tracer->tasks, stop->tid, status.tgid);
	}
	switch (event) {
	case PTRACE_EVENT_EXEC:
		forget_former_thread(tracer, stop->tid);
		record_exec(tracer, stop->tid);
		break;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		if (task)
			on_birth(tracer, task);
		break;
	case PTRACE_EVENT_EXIT:
		if (task && task->tgid == tracer->options->root) {
			on_root_exit(tracer, task);
			return;
		}
		break;
	case 0:
		/* A signal is about to be delivered, and is. */
		request(PTRACE_CONT, stop->tid, WSTOPSIG(stop->status));
		return;
	default:
		break;
	}
	request(PTRACE_CONT, stop->tid, 0);
}

static void handle(struct tracer *tracer, const struct stop *stop)
{
	count(&tracer->board->tracer_stops);
	if (WIFSTOPPED(stop->status))
		on_stop(tracer, stop);
	else
		on_end(tracer, stop);
}

/* Wait for the first stop of a round.  1 with a stop, 0 when only time has passed, -1 when nothing is traced any more. */
static int wait_first(struct tracer *tracer, struct stop *stop)
{
	bool in_a_hurry = tracer->held || tracer->leaving || tracer->tasks.parked;
	atomic_store_explicit(&tracer->board->tracer_waits, 1, memory_order_relaxed);
	pid_t tid = wait4(-1, &stop->status, in_a_hurry ? __WALL | WNOHANG : __WALL, &stop->usage);
	if (tid == 0) {
		unsigned done = atomic_load(&tracer->board->flush_done);
		(void)mw_futex_wait(&tracer->board->flush_done, done, TICK_MS);
	}
	atomic_store_explicit(&tracer->board->tracer_waits, 0, memory_order_relaxed);
	if (tid < 0)
		return errno == ECHILD ? -1 : 0;
	stop->tid = tid;
	return tid > 0;
}

static void follow(struct tracer *tracer)
{
	for (;;) {
		int r = wait_first(tracer, &tracer->stops[0]);
		if (r < 0)
			return;
		size_t n = (size_t)r;
		while (n > 0 && n < BATCH) {
			struct stop *stop = &tracer->stops[n];
			stop->tid = wait4(-1, &stop->status, __WALL | WNOHANG, &stop->usage);
			if (stop->tid <= 0)
				break;
			n++;
		}
		for (size_t i = 0; i < n; i++)
			handle(tracer, &tracer->stops[i]);
		if (tracer->tasks.parked)
			look_after_parked(tracer);
		if (tracer->leaving)
			look_after_leaving(tracer);
		if (tracer->held)
			look_after_held(tracer);
	}
}

int mw_tracer_run(const struct mw_tracer_options *options)
{
	static struct tracer tracer; /* large, and there is one */
	tracer = (struct tracer){.options = options, .board = options->board};
	tracer.procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mw_task *root = mw_tasks_add(&tracer.tasks, options->root, options->root);
	int r = root ? 0 : -ENOMEM;
	if (r == 0 && ptrace(PTRACE_SEIZE, options->root, 0L, (long)ROOT_OPTIONS) < 0)
		r = -errno;
	if (r == 0)
		root->stops_at_exit = true;
	atomic_store(&options->board->attach_errno, -r);
	atomic_store(&options->board->attach, r == 0 ? MW_ATTACH_DONE : MW_ATTACH_REFUSED);
	mw_futex_wake(&options->board->attach);
	if (r == 0)
		follow(&tracer);

	mw_tasks_release(&tracer.tasks);
	if (tracer.procfd >= 0)
		(void)close(tracer.procfd);
	return r;
}

#include "trace/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/record.h"
#include "trace/belongs.h"
#include "trace/tracer_private.h"

enum {
	/* Of the initial PID namespace; its processes come and go by the thousand, and are none of our business. */
	MACHINE_INTERVAL_MS = 500,
	CONTAINER_INTERVAL_MS = 40,
	/* Between two looks at all threads of all processes. */
	THREADS_INTERVAL_MS = 1000,
	/* Passes over the threads of a process, which may start more meanwhile. */
	THREAD_PASSES = 16,
	/* Passes over /proc: a process found may have children that could not be told to be ours before. */
	PROCESS_PASSES = 8,
	/* Looks over which a number must stay unexplained to be told as a gap: its event may still come. */
	GAP_LOOKS = 5,
	FILE_BYTES = 128,
	PID_MAX_DEFAULT = 32768,
};

/* Inode of the initial PID namespace: PROC_PID_INIT_INO of linux/proc_ns.h. */
#define INITIAL_PID_NAMESPACE 0xEFFFFFFCu

static pid_t last_pid(const struct mw_sweep *sweep)
{
	char text[FILE_BYTES];
	ssize_t n = sweep->loadavg_fd >= 0 ? pread(sweep->loadavg_fd, text, sizeof(text) - 1, 0) : 0;
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *blank = strrchr(text, ' '); /* "0.20 0.18 0.12 1/80 11206" */
	return blank ? (pid_t)strtol(blank + 1, NULL, 10) : 0;
}

/* Ids that need no explanation: births told of, and our own processes.  To be read after last_pid(), so that what has its
 * id is never counted before its number; the other way round, the difference would look like somebody unknown. */
static uint64_t explained(const struct mw_tracer *tracer)
{
	return tracer->births + atomic_load(&tracer->board->own_births);
}

/* From now on: all ids up to here are explained. */
static void rebase(struct mw_tracer *tracer)
{
	struct mw_sweep *sweep = &tracer->sweep;
	/* Here the other way round, for the same reason. */
	sweep->explained = explained(tracer);
	sweep->last_pid = last_pid(sweep);
	sweep->unexplained = 0;
	sweep->least = INT64_MAX;
	sweep->looks = 0;
}

void mw_sweep_begin(struct mw_tracer *tracer)
{
	struct mw_sweep *sweep = &tracer->sweep;
	struct stat namespace;
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	char text[FILE_BYTES];
	*sweep = (struct mw_sweep){.pid_max = PID_MAX_DEFAULT, .least = INT64_MAX};
	sweep->loadavg_fd = openat(tracer->procfd, "loadavg", O_RDONLY | O_CLOEXEC);
	sweep->is_container =
		fstatat(tracer->procfd, "self/ns/pid", &namespace, 0) == 0 && namespace.st_ino != INITIAL_PID_NAMESPACE;
	/* The root may have ended; then all that comes is new. */
	if (mw_tracer_read(tracer, tracer->options->root, &stat, &status))
		sweep->root_start = (int64_t)stat.start_ticks;
	ssize_t n = mw_procfs_read_small(tracer->procfd, "sys/kernel/pid_max", text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	if (strtol(text, NULL, 10) > 0)
		sweep->pid_max = (pid_t)strtol(text, NULL, 10);
	rebase(tracer);
}

void mw_sweep_end(struct mw_tracer *tracer)
{
	if (tracer->sweep.loadavg_fd >= 0)
		(void)close(tracer->sweep.loadavg_fd);
}

void mw_sweep_soon(struct mw_tracer *tracer)
{
	tracer->sweep.is_due = true;
}

static struct mw_task *seize(struct mw_tracer *tracer, pid_t tid, pid_t tgid)
{
	bool is_root = tid == tracer->options->root;
	long options = is_root ? MW_TRACE_ROOT_OPTIONS : MW_TRACE_OPTIONS;
	if (ptrace(PTRACE_SEIZE, tid, 0L, options) < 0)
		return NULL; /* gone, or traced by somebody else, or not ours to trace */
	struct mw_task *task = mw_tasks_add(&tracer->tasks, tid, tgid);
	if (!task) {
		/* Out of memory.  It cannot be let go of before it stops; then it is found unknown, and followed. */
		return NULL;
	}
	task->stops_at_exit = is_root;
	return task;
}

/* Seize the threads of a process that are not traced yet; returns how many. */
static unsigned seize_threads(struct mw_tracer *tracer, pid_t pid)
{
	char path[MW_PROC_NAME_BYTES];
	unsigned found = 0;
	mw_procfs_name(pid, "task", path);
	for (int pass = 0; pass < THREAD_PASSES; pass++) {
		int fd = openat(tracer->procfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *entries = fd >= 0 ? fdopendir(fd) : NULL;
		unsigned now = 0;
		if (!entries) {
			if (fd >= 0)
				(void)close(fd);
			break;
		}
		for (struct dirent *entry; (entry = readdir(entries));) {
			pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);
			if (tid > 0 && !mw_tasks_get(&tracer->tasks, tid) && seize(tracer, tid, pid))
				now++;
		}
		(void)closedir(entries);
		found += now;
		if (!now)
			break;
	}
	return found;
}

/* Attach to all threads of a process; true when there is one to follow. */
static bool attach(struct mw_tracer *tracer, const struct mw_proc_stat *stat)
{
	pid_t pid = stat->pid;
	bool is_known = mw_board_owns(tracer->board, pid);
	/* The leader first; of a process whose leader has ended it cannot be had. */
	struct mw_task *leader = seize(tracer, pid, pid);
	if (!seize_threads(tracer, pid) && !leader)
		return false;
	if (!leader)
		leader = mw_tasks_add(&tracer->tasks, pid, pid);
	if (!leader)
		return true;
	leader->is_newcomer = !is_known;
	leader->ppid = stat->ppid;
	leader->session = stat->session;
	leader->tty_nr = stat->tty_nr;
	const struct mw_task *parent = mw_tasks_get(&tracer->tasks, stat->ppid);
	if (parent)
		leader->marks = parent->marks;
	if (!is_known)
		mw_tracer_count(&tracer->board->trace.late);
	mw_tracer_record_late(tracer, leader, is_known ? MW_EXEC_AGAIN : 0);
	return true;
}

/* One pass over /proc.  Returns how many processes were attached to; *ret_new how many of them nobody knew. */
static unsigned walk(struct mw_tracer *tracer, const struct mw_instances *instances, bool looks_at_threads,
		     unsigned *ret_new)
{
	unsigned found = 0;
	struct mw_procfs_walk *processes;
	if (mw_procfs_walk_open(tracer->procfd, &processes) < 0)
		return 0;
	for (pid_t pid; mw_procfs_next(processes, &pid) > 0;) {
		struct mw_proc_stat stat;
		mw_tracer_count(&tracer->board->tracer_looks);
		if (mw_tasks_get(&tracer->tasks, pid)) {
			/* A thread made with CLONE_UNTRACED; or the leader has been attached to, and the rest not. */
			if (looks_at_threads)
				tracer->births += seize_threads(tracer, pid);
			continue;
		}
		int pidfd = -1;
		bool is_read =
			mw_procfs_open_pid(tracer->procfd, pid, &pidfd) == 0 && mw_procfs_stat(pidfd, &stat) == 0;
		if (pidfd >= 0)
			(void)close(pidfd);
		if (!is_read || stat.state == 'X' || (stat.state == 'Z' && stat.num_threads <= 1))
			continue;
		bool was_owned = mw_board_owns(tracer->board, pid);
		if (!mw_belongs(tracer, instances, &stat) || !attach(tracer, &stat))
			continue;
		found++;
		*ret_new += !was_owned;
	}
	mw_procfs_walk_close(processes);
	return found;
}

static unsigned sweep(struct mw_tracer *tracer, unsigned *ret_new)
{
	struct mw_instances instances;
	unsigned found = 0;
	*ret_new = 0;
	mw_instances_find(tracer, &instances);
	int64_t now = mw_clock_mono_ns();
	bool looks_at_threads = now >= tracer->sweep.threads_next_ns;
	if (looks_at_threads)
		tracer->sweep.threads_next_ns = now + (int64_t)THREADS_INTERVAL_MS * MW_NS_PER_MS;
	for (int pass = 0; pass < PROCESS_PASSES; pass++) {
		unsigned more = walk(tracer, &instances, looks_at_threads && pass == 0, ret_new);
		found += more;
		if (!more)
			break;
	}
	return found;
}

static void record_gap(struct mw_tracer *tracer, enum mw_gap_reason reason, int64_t duration_ns, uint64_t missed,
		       unsigned found)
{
	mw_tracer_count(&tracer->board->trace.records[MW_SENSOR_GAP]);
	struct mw_record_gap *record = mw_tracer_begin_record(tracer, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_gap){
		.head = {.kind = MW_RECORD_GAP, .time_ns = mw_clock_real_ns()},
		.duration_ns = duration_ns,
		.missed = missed,
		.reason = reason,
		.found = found,
	};
	mw_tracer_end_record(tracer, sizeof(*record));
}

/* Ids given out since the last look. */
static int64_t given_out(struct mw_sweep *sweep, pid_t now)
{
	int64_t n = now - sweep->last_pid;
	sweep->last_pid = now;
	return n >= 0 ? n : n + sweep->pid_max;
}

void mw_sweep_tick(struct mw_tracer *tracer)
{
	struct mw_sweep *state = &tracer->sweep;
	int64_t now = mw_clock_mono_ns();
	if (now < state->next_ns && !state->is_due)
		return;
	pid_t last = last_pid(state);
	if (!last)
		return;
	int64_t more = given_out(state, last);
	uint64_t now_explained = explained(tracer);
	int64_t difference = more - (int64_t)(now_explained - state->explained);
	state->explained = now_explained;
	state->unexplained += difference;
	atomic_store_explicit(&tracer->board->last_own_births, atomic_load(&tracer->board->own_births),
			      memory_order_relaxed);
	atomic_store_explicit(&tracer->board->last_pid, last, memory_order_relaxed);

	/* Those not explained yet may be all right: their events are on their way. */
	if (difference || (more && state->unexplained > 0) || state->is_due) {
		state->next_ns = now + (int64_t)(state->is_container ? CONTAINER_INTERVAL_MS : MACHINE_INTERVAL_MS) *
					       MW_NS_PER_MS;
		state->is_due = false;
		uint64_t births = tracer->births;
		unsigned found;
		(void)sweep(tracer, &found);
		/* Newcomers are explained now, too, as are threads found, which are counted as births. */
		state->unexplained -= (int64_t)(found + tracer->births - births);
		state->explained += tracer->births - births;
	}
	if (!state->is_container)
		return; /* other people's processes have numbers, too */

	/* What is under way is explained sooner or later, so what was never below this for a while is missing for good. */
	if (state->unexplained < state->least)
		state->least = state->unexplained;
	if (++state->looks < GAP_LOOKS)
		return;
	if (state->least > 0) {
		record_gap(tracer, MW_GAP_PIDS, 0, (uint64_t)state->least, 0);
		state->unexplained -= state->least;
	}
	state->least = INT64_MAX;
	state->looks = 0;
}

/* Those that ended while nobody watched. */
static void bury_missing(struct mw_tracer *tracer)
{
	struct mw_board *board = tracer->board;
	int32_t max = atomic_load(&board->owned_max);
	for (int32_t pid = 1; pid <= max; pid++) {
		if (pid % 64 == 0 && atomic_load(&board->owned[pid / 64]) == 0) {
			pid += 63;
			continue;
		}
		if (mw_board_owns(board, pid) && !mw_tasks_get(&tracer->tasks, pid))
			mw_tracer_record_exit(tracer, pid, 0, NULL);
	}
}

void mw_sweep_all(struct mw_tracer *tracer)
{
	struct mw_board *board = tracer->board;
	struct mw_sweep *state = &tracer->sweep;
	unsigned found;
	unsigned attached = sweep(tracer, &found);
	if (!tracer->options->is_restart) {
		rebase(tracer);
		return;
	}
	bury_missing(tracer);
	int64_t died_ns = atomic_load(&board->tracer_died_ns);
	int64_t duration = died_ns ? mw_clock_mono_ns() - died_ns : 0;
	/* Of the initial namespace the numbers say nothing of our tree. */
	pid_t before = atomic_load(&board->last_pid);
	int64_t missed = 0;
	if (state->is_container && before) {
		/* Ours at least is among those given out meanwhile. */
		int64_t own = atomic_load(&board->own_births) - atomic_load(&board->last_own_births);
		missed = state->last_pid - before;
		missed = (missed >= 0 ? missed : missed + state->pid_max) - (int64_t)found - (own > 0 ? own : 1);
	}
	record_gap(tracer, MW_GAP_TRACER_RESTARTED, duration, missed > 0 ? (uint64_t)missed : 0, attached);
	atomic_store(&board->tracer_died_ns, 0);
	rebase(tracer);
}

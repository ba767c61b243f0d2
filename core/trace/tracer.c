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
#include <string.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/trim.h"
#include "event/record.h"
#include "trace/attention.h"
#include "trace/belongs.h"
#include "trace/signals.h"
#include "trace/engine.h"
#include "trace/tracer_private.h"

enum {
	/* While something must be looked after in time (a parked thread, the held root), how long to wait at once. */
	HURRY_MS = 1,
	/* Ticks after which what has time is done. */
	SLOW_TICKS = 8,
};

void mw_tracer_request(mw_ptrace_request what, pid_t tid, long data)
{
	(void)ptrace(what, tid, 0L, data);
}

void mw_tracer_detach(struct mw_tracer *tracer, struct mw_task *task, int signal)
{
	mw_tracer_request(PTRACE_DETACH, task->tid, signal);
	if (task->tid == task->tgid)
		mw_board_disown(tracer->board, task->tid);
	mw_tasks_remove(&tracer->tasks, task->tid);
}

void mw_tracer_resume(struct mw_tracer *tracer, struct mw_task *task, int signal)
{
	/* At whatever stop: one that comes just before that of PTRACE_INTERRUPT takes its place. */
	if (mw_debugger_wants(tracer, task->tgid))
		mw_tracer_detach(tracer, task, signal);
	else
		mw_tracer_request(task->level == MW_LEVEL_CALLS ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, signal);
}

void mw_tracer_leave_event_stop(struct mw_tracer *tracer, struct mw_task *task, int status)
{
	bool must_stop_at_exit = mw_root_wants_exit_stop(tracer, task);
	if (task->stops_at_exit != must_stop_at_exit) {
		mw_tracer_request(PTRACE_SETOPTIONS, task->tid,
				  must_stop_at_exit ? MW_TRACE_ROOT_OPTIONS : MW_TRACE_OPTIONS);
		task->stops_at_exit = must_stop_at_exit;
	}
	if (WSTOPSIG(status) == SIGTRAP)
		mw_tracer_resume(tracer, task, 0);
	else
		mw_tracer_request(PTRACE_LISTEN, task->tid, 0);
}

void mw_tracer_set_level(struct mw_tracer *tracer, pid_t tgid, enum mw_level level)
{
	mw_board_set_level(tracer->board, tgid, level);
	size_t cursor = 0;
	for (struct mw_task *task; (task = mw_tasks_next(&tracer->tasks, &cursor));) {
		if (task->tgid != tgid || task->level == level || task->level == MW_LEVEL_OFF)
			continue;
		/* PTRACE_SYSCALL holds until the next restart, so that a thread that goes from `calls` to `events` does
		 * so at its next stop by itself; the other way it has to be stopped. */
		if (level == MW_LEVEL_CALLS && !task->is_parked)
			mw_tracer_request(PTRACE_INTERRUPT, task->tid, 0);
		task->level = (uint8_t)level;
		task->call = (struct mw_call_state){0};
	}
}

void *mw_tracer_begin_record(struct mw_tracer *tracer, size_t bytes)
{
	return mw_ring_reserve(tracer->board->ring, bytes);
}

void mw_tracer_end_record(struct mw_tracer *tracer, size_t bytes)
{
	struct mw_board *board = tracer->board;
	mw_ring_commit(board->ring, bytes);
	if (mw_ring_must_wake(board->ring))
		mw_board_wake_sensor(board);
}

void mw_tracer_count(atomic_uint_least64_t *counter)
{
	/* One thread of one process writes it: no need for the bus to be locked. */
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1, memory_order_relaxed);
}

static void count_record(struct mw_tracer *tracer, enum mw_event_kind kind)
{
	mw_tracer_count(&tracer->board->trace.records[kind]);
}

bool mw_tracer_read(const struct mw_tracer *tracer, pid_t tid, struct mw_proc_stat *ret_stat,
		    struct mw_proc_status *ret_status)
{
	MW_AUTO_FD pidfd = -1;
	return mw_procfs_open_pid(tracer->procfd, tid, &pidfd) == 0 && mw_procfs_stat(pidfd, ret_stat) == 0 &&
	       mw_procfs_status(pidfd, ret_status) == 0;
}

void mw_tracer_record_fork(struct mw_tracer *tracer, pid_t pid, pid_t ppid)
{
	mw_board_own(tracer->board, pid);
	count_record(tracer, MW_PROCESS_FORK);
	struct mw_record_fork *record = mw_tracer_begin_record(tracer, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_fork){
		.head = {.kind = MW_RECORD_FORK, .pid = pid, .time_ns = mw_clock_real_ns()},
		.ppid = ppid,
	};
	mw_tracer_end_record(tracer, sizeof(*record));
}

static int64_t timeval_ns(struct timeval time)
{
	return (int64_t)time.tv_sec * MW_NS_PER_S + (int64_t)time.tv_usec * 1000;
}

void mw_tracer_record_exit(struct mw_tracer *tracer, pid_t pid, int status, const struct rusage *usage)
{
	mw_board_disown(tracer->board, pid);
	count_record(tracer, MW_PROCESS_EXIT);
	struct mw_record_exit *record = mw_tracer_begin_record(tracer, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_exit){
		.head = {.kind = MW_RECORD_EXIT,
			 .flags = usage ? 0 : MW_EXIT_UNKNOWN,
			 .pid = pid,
			 .time_ns = mw_clock_real_ns()},
		.status = status,
		.cpu_ns = -1,
		.max_rss_bytes = -1,
	};
	if (usage) {
		record->cpu_ns = timeval_ns(usage->ru_utime) + timeval_ns(usage->ru_stime);
		record->max_rss_bytes = usage->ru_maxrss * 1024L;
	}
	mw_tracer_end_record(tracer, sizeof(*record));
}

/* How closely is the program just recorded to be watched? */
static void decide(struct mw_tracer *tracer, struct mw_task *task, struct mw_record_exec *record, uint32_t facts)
{
	/* By the tracer before us, with marks that went with it. */
	bool is_decided = record->head.flags & MW_EXEC_AGAIN;
	if (task->tid == tracer->options->root)
		facts |= MW_ATTENTION_ROOT;
	facts |= mw_attention_late(&tracer->late_memory, record, facts);
	if (mw_clock_mono_ns() < tracer->startup_until_ns && !(facts & MW_ATTENTION_LATE))
		facts |= MW_ATTENTION_STARTUP;
	enum mw_level level = mw_attention_decide(mw_board_attention(tracer->board), record, facts,
						  tracer->board->start_ns, &task->marks);
	if (is_decided)
		level = mw_board_level(tracer->board, task->tgid);
	task->level = (uint8_t)level;
	task->call = (struct mw_call_state){0};
	record->level = (uint8_t)level;
	mw_board_set_level(tracer->board, task->tgid, level);
}

/* A copy of what was recorded last, for want of room in the ring: decisions do not depend on it. */
static struct mw_record_exec *spare_record(void)
{
	static _Alignas(8) unsigned char bytes[MW_RECORD_BYTES];
	return (struct mw_record_exec *)bytes;
}

/* True when the process waits for a verdict, and is not to be resumed. */
static bool record_exec(struct mw_tracer *tracer, struct mw_task *task)
{
	count_record(tracer, MW_PROCESS_EXEC);
	struct mw_record_exec *room = mw_tracer_begin_record(tracer, MW_RECORD_BYTES);
	struct mw_record_exec *record = room ? room : spare_record();
	int64_t now = mw_clock_real_ns();
	const struct mw_facts_known known = {.ppid = task->ppid, .session = task->session, .tty_nr = task->tty_nr};
	size_t bytes = mw_facts_exec_stop(tracer->procfd, task->tid, &known, tracer->options->environment, record);
	record->head.kind = MW_RECORD_EXEC;
	record->head.time_ns = now;
	task->session = record->session;
	task->tty_nr = record->tty_nr;
	decide(tracer, task, record, 0);
	bytes = mw_facts_stdio(tracer->procfd, record, bytes);
	bool is_held = mw_debugger_on_exec(tracer, task, record);
	if (!room)
		return is_held;
	/* A debugger that waits for its target is let go when that is gone, and so not for a verdict. */
	uint32_t ticket = is_held ? 0 : mw_verdict_ticket(tracer);
	if (ticket) {
		record->head.flags |= MW_EXEC_WAITS;
		record->ticket = ticket;
	}
	mw_tracer_end_record(tracer, bytes);
	if (ticket)
		mw_verdict_hold(tracer, task, ticket);
	return is_held || ticket != 0;
}

void mw_tracer_record_late(struct mw_tracer *tracer, struct mw_task *task, unsigned flags)
{
	mw_board_own(tracer->board, task->tgid);
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	if (task->tgid == tracer->options->root && mw_tracer_read(tracer, task->tgid, &stat, &status) &&
	    mw_is_instance_name(stat.comm))
		return; /* still the entrypoint */
	count_record(tracer, MW_PROCESS_EXEC);
	struct mw_record_exec *room = mw_tracer_begin_record(tracer, MW_RECORD_BYTES);
	struct mw_record_exec *record = room ? room : spare_record();
	size_t bytes = mw_facts_exec(tracer->procfd, task->tgid, tracer->options->environment, record);
	record->head.kind = MW_RECORD_EXEC;
	record->head.flags |= (uint16_t)(MW_EXEC_LATE | flags);
	record->head.time_ns = mw_clock_real_ns();
	decide(tracer, task, record, flags & MW_EXEC_AGAIN ? 0 : MW_ATTENTION_LATE);
	bytes = mw_facts_stdio(tracer->procfd, record, bytes);
	if (room)
		mw_tracer_end_record(tracer, bytes);
	enum mw_level level = (enum mw_level)task->level;
	task->level = MW_LEVEL_EVENTS; /* as it runs now */
	if (level == MW_LEVEL_CALLS)
		mw_tracer_set_level(tracer, task->tgid, level);
}

static void on_end(struct mw_tracer *tracer, const struct mw_stop *stop)
{
	struct mw_task *task = mw_tasks_get(&tracer->tasks, stop->tid);
	mw_root_on_end(tracer, stop->tid);
	if (!task)
		return;
	if (task->is_held)
		mw_verdict_forget(tracer, task->tid);
	if (task->is_debugger)
		mw_debugger_on_end(tracer, task);
	/* Not yet named by its parent: then it is a process that was killed at birth, or a thread; only the former
	 * has anyone who would miss it, and cannot be told any more. */
	if (task->tgid == task->tid && !task->end_recorded)
		mw_tracer_record_exit(tracer, task->tid, stop->status, &stop->usage);
	mw_tasks_remove(&tracer->tasks, stop->tid);
	/* What is older than us was only watched for as long as we are here. */
	if (tracer->options->takes_older && stop->tid == tracer->options->root)
		tracer->is_over = true;
}

/* execve by a thread that is not the leader: it takes the leader's id, and its own is gone without a further word. */
static void forget_former_thread(struct mw_tracer *tracer, pid_t pid)
{
	unsigned long former = 0;
	if (ptrace(PTRACE_GETEVENTMSG, pid, 0L, &former) < 0 || (pid_t)former == pid)
		return;
	mw_tasks_remove(&tracer->tasks, (pid_t)former);
	/* The options are those of the thread that came. */
	if (pid == tracer->options->root) {
		mw_tracer_request(PTRACE_SETOPTIONS, pid, MW_TRACE_ROOT_OPTIONS);
		tracer->root_end.leader_left = false;
	}
}

/* May another stop at a system call be paid for? */
static bool spend(struct mw_tracer *tracer, const struct mw_attention *attention)
{
	struct mw_budget *budget = &tracer->budget;
	int64_t now = mw_clock_mono_ns();
	if (now >= budget->until_ns) {
		struct timespec cpu;
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
		int64_t used = (int64_t)cpu.tv_sec * MW_NS_PER_S + cpu.tv_nsec;
		budget->until_ns = now + MW_NS_PER_S;
		budget->stops = attention->stops_per_s ? attention->stops_per_s : INT64_MAX;
		budget->cpu_ns = attention->cpu_percent ? used + MW_NS_PER_S / 100 * attention->cpu_percent : INT64_MAX;
	}
	if (budget->stops-- <= 0)
		return false;
	/* The clock of CPU time is a system call: not at every stop. */
	if (budget->stops % 64 == 0 && budget->cpu_ns != INT64_MAX) {
		struct timespec cpu;
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &cpu);
		if ((int64_t)cpu.tv_sec * MW_NS_PER_S + cpu.tv_nsec > budget->cpu_ns) {
			budget->stops = 0;
			return false;
		}
	}
	return true;
}

static void on_call(struct mw_tracer *tracer, struct mw_task *task)
{
	const struct mw_attention *attention = mw_board_attention(tracer->board);
	mw_tracer_count(&tracer->board->trace.call_stops);
	if (task->level != MW_LEVEL_CALLS)
		return; /* was so when it was restarted last */
	if (!spend(tracer, attention)) {
		mw_tracer_count(&tracer->board->trace.budget_refusals);
		mw_tracer_set_level(tracer, task->tgid, MW_LEVEL_EVENTS);
		return;
	}
	bool wants_room = false;
	(void)mw_calls_stop(&task->call, tracer->procfd, task->tid, task->tgid, attention->kinds, NULL, &wants_room);
	if (!wants_room)
		return;
	struct mw_record_call *record = mw_tracer_begin_record(tracer, MW_RECORD_CALL_BYTES);
	if (!record) {
		mw_tracer_count(&tracer->board->trace.calls_refused);
		return;
	}
	int64_t now = mw_clock_real_ns();
	size_t bytes = mw_calls_stop(&task->call, tracer->procfd, task->tid, task->tgid, attention->kinds, record,
				     &wants_room);
	if (!bytes)
		return;
	record->head.kind = MW_RECORD_CALL;
	record->head.time_ns = now;
	record->own = mw_board_own_process(tracer->board, record->target);
	count_record(tracer, (enum mw_event_kind)record->event);
	mw_tracer_end_record(tracer, bytes);
}

/* A moonwatch of another container has started, under our eyes because it was a newcomer first: it is to have its own. */
static bool is_foreign_instance(struct mw_tracer *tracer, const struct mw_task *task)
{
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	return tracer->sweep.is_container && mw_tracer_read(tracer, task->tid, &stat, &status) &&
	       mw_is_instance_name(stat.comm) && mw_is_other_container(tracer, task->tid);
}

static void on_exec(struct mw_tracer *tracer, struct mw_task *task)
{
	forget_former_thread(tracer, task->tid);
	if (task->is_newcomer && is_foreign_instance(tracer, task)) {
		mw_tracer_record_exit(tracer, task->tid, 0, NULL); /* for us it ends here */
		mw_tracer_detach(tracer, task, 0);
		return;
	}
	if (!record_exec(tracer, task))
		mw_tracer_resume(tracer, task, 0);
}

static void on_event_stop(struct mw_tracer *tracer, struct mw_task *task, const struct mw_stop *stop)
{
	if (!task)
		mw_tracer_park(tracer, stop->tid, stop->status);
	else if (mw_debugger_wants(tracer, task->tgid) || task->level == MW_LEVEL_OFF)
		/* A process in a group stop stays in it: SIGSTOP is what it is let go with. */
		mw_tracer_detach(tracer, task, WSTOPSIG(stop->status) == SIGTRAP ? 0 : WSTOPSIG(stop->status));
	else
		mw_tracer_leave_event_stop(tracer, task, stop->status);
}

static struct mw_task *add_unknown(struct mw_tracer *tracer, pid_t tid)
{
	/* Its birth was never told, for want of memory. */
	struct mw_proc_stat stat;
	struct mw_proc_status status = {.tgid = tid};
	(void)mw_tracer_read(tracer, tid, &stat, &status);
	return mw_tasks_add(&tracer->tasks, tid, status.tgid);
}

static void on_stop(struct mw_tracer *tracer, const struct mw_stop *stop)
{
	struct mw_task *task = mw_tasks_get(&tracer->tasks, stop->tid);
	int event = stop->status >> 16;
	if (event == PTRACE_EVENT_STOP) {
		on_event_stop(tracer, task, stop);
		return;
	}
	if (!task)
		task = add_unknown(tracer, stop->tid);
	if (!task) {
		mw_tracer_request(PTRACE_CONT, stop->tid, event ? 0 : WSTOPSIG(stop->status));
		return;
	}
	switch (event) {
	case PTRACE_EVENT_EXEC:
		on_exec(tracer, task);
		return;
	case PTRACE_EVENT_FORK:
	case PTRACE_EVENT_VFORK:
	case PTRACE_EVENT_CLONE:
		mw_tracer_on_birth(tracer, task);
		break;
	case PTRACE_EVENT_EXIT:
		if (task->tgid == tracer->options->root) {
			mw_root_on_exit(tracer, task);
			return;
		}
		break;
	case 0:
		if (WSTOPSIG(stop->status) == (SIGTRAP | 0x80)) {
			on_call(tracer, task);
			break;
		}
		/* A signal is about to be delivered, and is. */
		mw_tracer_resume(tracer, task,
				 mw_signal_is_for_nobody(tracer, task->tid, WSTOPSIG(stop->status))
					 ? 0
					 : WSTOPSIG(stop->status));
		return;
	default:
		break;
	}
	mw_tracer_resume(tracer, task, 0);
}

static void handle(struct mw_tracer *tracer, const struct mw_stop *stop)
{
	mw_tracer_count(&tracer->board->tracer_stops);
	if (WIFSTOPPED(stop->status))
		on_stop(tracer, stop);
	else
		on_end(tracer, stop);
}

static bool is_in_a_hurry(const struct mw_tracer *tracer)
{
	return tracer->tasks.parked || tracer->verdicts.held || tracer->debuggers.held || mw_root_is_waiting(tracer);
}

/* Wait for the first stop of a round.  1 with a stop, 0 when only time has passed, -1 when nothing is traced any more. */
static int wait_first(struct mw_tracer *tracer, struct mw_stop *stop)
{
	struct mw_board *board = tracer->board;
	pid_t tid;
	atomic_store_explicit(&board->tracer_waits, 1, memory_order_relaxed);
	if (is_in_a_hurry(tracer)) {
		unsigned answers = atomic_load(&board->answers);
		tid = wait4(-1, &stop->status, __WALL | WNOHANG, &stop->usage);
		if (tid == 0)
			(void)mw_futex_wait(&board->answers, answers, HURRY_MS);
	} else {
		tid = mw_pace_wait(&tracer->pace, stop);
	}
	atomic_store_explicit(&board->tracer_waits, 0, memory_order_relaxed);
	if (tid < 0)
		return errno == ECHILD ? -1 : 0;
	stop->tid = tid;
	return tid > 0;
}

static void take_requests(struct mw_tracer *tracer)
{
	struct mw_board *board = tracer->board;
	unsigned tail = atomic_load_explicit(&board->requests_tail, memory_order_relaxed);
	while (tail != atomic_load_explicit(&board->requests_head, memory_order_acquire)) {
		struct mw_request request = board->requests[tail % MW_BOARD_REQUESTS];
		if (request.level == MW_LEVEL_EVENTS || request.level == MW_LEVEL_CALLS)
			mw_tracer_set_level(tracer, request.pid, (enum mw_level)request.level);
		atomic_store_explicit(&board->requests_tail, ++tail, memory_order_release);
	}
}

static void count_attended(struct mw_tracer *tracer)
{
	unsigned count[MW_LEVELS] = {0};
	size_t cursor = 0;
	for (const struct mw_task *task; (task = mw_tasks_next(&tracer->tasks, &cursor));)
		if (task->tid == task->tgid)
			count[task->level]++;
	for (unsigned i = 0; i < MW_LEVELS; i++)
		atomic_store_explicit(&tracer->board->trace.attended[i], count[i], memory_order_relaxed);
}

static void tick(struct mw_tracer *tracer)
{
	int64_t now = mw_clock_mono_ns();
	if (now - tracer->tick_ns < (int64_t)(MW_TRACER_TICK_MS - 1) * MW_NS_PER_MS)
		return;
	if (!tracer->is_trimmed) {
		/* The first time, when the application has started and what is needed has been touched. */
		mw_memory_trim();
		tracer->is_trimmed = true;
	}
	tracer->tick_ns = now;
	take_requests(tracer);
	mw_sweep_tick(tracer);
	if (++tracer->ticks % SLOW_TICKS != 0)
		return;
	count_attended(tracer);
	(void)kill(getppid(), SIGCONT); /* a guard that somebody stopped guards nobody */
}

static void follow(struct mw_tracer *tracer)
{
	for (;;) {
		int r = wait_first(tracer, &tracer->stops[0]);
		if (r < 0)
			return;
		size_t n = (size_t)r;
		while (n > 0 && n < MW_TRACER_BATCH) {
			struct mw_stop *stop = &tracer->stops[n];
			stop->tid = wait4(-1, &stop->status, __WALL | WNOHANG, &stop->usage);
			if (stop->tid <= 0)
				break;
			n++;
		}
		for (size_t i = 0; i < n; i++)
			handle(tracer, &tracer->stops[i]);
		if (tracer->tasks.parked)
			mw_tracer_look_after_parked(tracer);
		if (tracer->verdicts.held)
			mw_verdict_look_after(tracer);
		if (tracer->debuggers.held)
			mw_debugger_look_after(tracer);
		mw_root_look_after(tracer);
		tick(tracer);
		if (tracer->is_over)
			return; /* the kernel lets go of all that is traced, and all of it runs */
	}
}

static void on_alarm(int signal)
{
	(void)signal; /* it has ended a wait, which is all it is for */
}

/* A wait is to end a few times a second, for what must be looked at in time. */
static void start_ticking(void)
{
	const struct sigaction action = {.sa_handler = on_alarm}; /* no SA_RESTART */
	const struct timeval interval = {.tv_usec = MW_TRACER_TICK_MS * 1000};
	const struct itimerval timer = {.it_interval = interval, .it_value = interval};
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGALRM);
	(void)sigaction(SIGALRM, &action, NULL);
	(void)sigprocmask(SIG_UNBLOCK, &set, NULL);
	(void)setitimer(ITIMER_REAL, &timer, NULL);
}

static int attach_root(struct mw_tracer *tracer)
{
	pid_t root = tracer->options->root;
	if (ptrace(PTRACE_SEIZE, root, 0L, MW_TRACE_ROOT_OPTIONS) < 0)
		return -errno;
	struct mw_task *task = mw_tasks_add(&tracer->tasks, root, root);
	if (task)
		task->stops_at_exit = true;
	mw_board_own(tracer->board, root);
	return 0;
}

int mw_tracer_run(const struct mw_tracer_options *options)
{
	static struct mw_tracer tracer; /* large, and there is one */
	struct mw_board *board = options->board;
	tracer = (struct mw_tracer){.options = options, .board = board};
	tracer.procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* The container has just started, unless another tracer was there before. */
	int64_t up_ns = mw_clock_real_ns() - board->start_ns;
	tracer.startup_until_ns =
		mw_clock_mono_ns() + (int64_t)mw_board_attention(board)->startup_ms * MW_NS_PER_MS - up_ns;
	tracer.tick_ns = mw_clock_mono_ns();
	mw_pace_begin(&tracer.pace);
	start_ticking();
	mw_sweep_begin(&tracer);

	int r = 0;
	if (!options->is_restart) {
		r = attach_root(&tracer);
		if (r == 0 && options->takes_older)
			mw_sweep_all(&tracer);
		if (r == 0)
			mw_engine_ready(board, MW_ENGINE_PTRACE);
	} else {
		mw_sweep_all(&tracer);
	}
	if (r == 0)
		follow(&tracer);

	mw_sweep_end(&tracer);
	mw_tasks_release(&tracer.tasks);
	if (tracer.procfd >= 0)
		(void)close(tracer.procfd);
	return r;
}

/* The engine that is asked before calls: seccomp_unotify(2), with a filter (launch/filter.h) in the application.  Signals, threads and
 * all other calls do not stop anybody.
 *
 * Each call that is told of is answered "go on" as soon as its arguments are read; what they say is an attempt, since another
 * thread may rewrite them before the kernel reads them itself.  For execve(2) that is not good enough.  There the caller is
 * seized by ptrace(2) while it waits, and let go at its exec stop, where the truth is (facts.h).
 *
 * Nobody may stay stopped or traced.  A seized thread is let go at the first stop of whatever kind, with the signal it
 * stopped for.  One whose execve has failed does not stop, and goes on as if nothing were; after SEIZED_MS, unless it is in
 * execve still, it is interrupted to be let go.
 *
 * At most one thread of a process is seized at a time: when another one's execve ends it, the kernel waits until we have taken
 * notice of its death, and we would not while we wait for the kernel to seize the other (ptrace(2), BUGS).
 *
 * exit_group(2) tells how processes end that end by themselves, and holds the root at its end until the sensor has delivered. */

#include "trace/engine.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "trace/calls.h"
#include "trace/census.h"
#include "trace/emit.h"
#include "trace/facts.h"
#include "trace/hold.h"
#include "trace/listener.h"
#include "trace/program.h"
#include "trace/syscalls.h"

enum {
	/* Threads seized at once; of more, what they execute is found by looking. */
	SEIZED_MAX = 256,
	SEIZED_MS = 50,
	/* While the root is held or somebody is seized, look after them that often. */
	HURRY_MS = 2,
	/* Ends that nobody waits for are looked at that long after the last call: each costs a change of context. */
	ENDS_MS = 5,
	/* For PID/syscall: the number and a blank. */
	NUMBER_BYTES = 24,
};

struct seized {
	pid_t tid, tgid;
	int64_t since_ns; /* CLOCK_MONOTONIC; 0: has been interrupted */
	/* What it wants to execute, to be told when nothing comes of it: a struct mw_record_call, or NULL. */
	void *attempt;
	size_t attempt_bytes;
};

struct notify {
	const struct mw_tracer_options *options;
	struct mw_board *board;
	struct mw_census *census;
	int procfd, listener, signals;
	struct seized seized[SEIZED_MAX];
	size_t seized_count;
	bool must_not_seize;
	bool root_has_executed;
	/* The root's exit_group, held back until the sensor has delivered; 0 for none. */
	uint64_t held;
	struct mw_hold hold;
	int64_t look_ns; /* when to look at /proc again */
	int64_t ends_ns; /* when to look at ends again */
	union {
		struct mw_record_exec exec;
		char room[MW_RECORD_BYTES];
	} record;
};

static const char *refusal(int error)
{
	static char text[MW_BOARD_TEXT_BYTES / 2];
	(void)snprintf(text, sizeof(text), "seccomp user notification is refused (%s)", strerror(-error));
	return text;
}

/* The process of a thread that waits for us.  It is its leader most of the time, and tgkill(2) tells for a tenth of what
 * reading /proc takes. */
static pid_t process_of(const struct notify *notify, pid_t tid)
{
	if (syscall(SYS_tgkill, tid, tid, 0) == 0 || errno == EPERM)
		return tid;
	MW_AUTO_FD pidfd = -1;
	struct mw_proc_status status;
	if (mw_procfs_open_pid(notify->procfd, tid, &pidfd) < 0 || mw_procfs_status(pidfd, &status) < 0)
		return tid;
	return status.tgid;
}

static struct seized *find_seized(struct notify *notify, pid_t tid)
{
	for (size_t i = 0; i < notify->seized_count; i++)
		if (notify->seized[i].tid == tid)
			return &notify->seized[i];
	return NULL;
}

static void forget_seized(struct notify *notify, pid_t tid)
{
	struct seized *seized = find_seized(notify, tid);
	if (!seized)
		return;
	free(seized->attempt);
	*seized = notify->seized[--notify->seized_count];
}

/* The execve of a thread has failed. */
static void tell_failure(struct notify *notify, struct seized *seized)
{
	if (!seized || !seized->attempt)
		return;
	void *room = mw_emit_begin(notify->board, MW_PROCESS_EXEC_FAILED, seized->attempt_bytes);
	if (room) {
		memcpy(room, seized->attempt, seized->attempt_bytes);
		mw_emit_end(notify->board, seized->attempt_bytes);
	}
	free(seized->attempt);
	seized->attempt = NULL;
}

static const char *attempted_path(const void *attempt, size_t *ret_bytes)
{
	const struct mw_record_call *call = attempt;
	*ret_bytes = call->path_bytes;
	return call->strings;
}

/* Keep what a seized thread wants to execute.  The one before, when that was another file, has failed: a search along
 * $PATH.  The same once more is a call that a signal has interrupted. */
static void note_attempt(struct notify *notify, struct seized *seized, const struct seccomp_notif *call)
{
	static _Alignas(8) unsigned char room[MW_RECORD_CALL_BYTES];
	struct mw_record_call *record = (struct mw_record_call *)room;
	uint64_t args[6];
	for (unsigned i = 0; i < 6; i++)
		args[i] = call->data.args[i];
	uint64_t kinds = mw_board_attention(notify->board)->kinds & UINT64_C(1) << MW_PROCESS_EXEC_FAILED;
	size_t bytes = kinds ? mw_calls_attempt(notify->procfd, seized->tid, seized->tgid, call->data.arch,
						call->data.nr, args, kinds, record)
			     : 0;
	if (!bytes)
		return;
	record->head.kind = MW_RECORD_CALL;
	record->head.time_ns = mw_clock_real_ns();
	if (seized->attempt) {
		size_t n;
		size_t before;
		const char *path = attempted_path(record, &n);
		const char *last = attempted_path(seized->attempt, &before);
		if (n == before && memcmp(path, last, n) == 0)
			return;
		tell_failure(notify, seized);
	}
	seized->attempt = malloc(bytes);
	seized->attempt_bytes = bytes;
	if (seized->attempt)
		memcpy(seized->attempt, record, bytes);
}

static bool has_seized_of(const struct notify *notify, pid_t tgid)
{
	for (size_t i = 0; i < notify->seized_count; i++)
		if (notify->seized[i].tgid == tgid)
			return true;
	return false;
}

/* True when the truth about this execve will be told by an exec stop. */
static bool seize(struct notify *notify, pid_t tid, pid_t tgid)
{
	struct seized *seized = find_seized(notify, tid);
	if (seized && seized->since_ns) {
		seized->since_ns = mw_clock_mono_ns(); /* the next try, after one that failed */
		return true;
	}
	if (notify->must_not_seize || notify->seized_count == SEIZED_MAX || has_seized_of(notify, tgid))
		return false;
	if (ptrace(PTRACE_SEIZE, tid, 0L, (long)PTRACE_O_TRACEEXEC) < 0) {
		notify->must_not_seize |= errno == ENOSYS;
		return false;
	}
	notify->seized[notify->seized_count++] =
		(struct seized){.tid = tid, .tgid = tgid, .since_ns = mw_clock_mono_ns()};
	return true;
}

static void on_execve(struct notify *notify, const struct seccomp_notif *call)
{
	pid_t tid = (pid_t)call->pid;
	pid_t tgid = process_of(notify, tid);
	/* The entrypoint's own search for the application is none of the application's. */
	bool is_entrypoint = tgid == notify->options->root && !notify->root_has_executed;
	if (seize(notify, tid, tgid)) {
		if (!is_entrypoint)
			note_attempt(notify, find_seized(notify, tid), call);
	} else if (mw_listener_is_valid(notify->listener, call->id)) {
		mw_census_before_exec(notify->census, tgid);
	}
	(void)mw_listener_continue(notify->listener, call->id);
}

static void hold_root(struct notify *notify, uint64_t id)
{
	notify->held = id;
	atomic_store(&notify->board->notify_held_id, id);
	mw_hold_begin(&notify->hold, notify->board, notify->options->shutdown_flush_ms);
}

static void release_root(struct notify *notify)
{
	(void)mw_listener_continue(notify->listener, notify->held);
	notify->held = 0;
	atomic_store(&notify->board->notify_held_id, 0);
}

static void on_exit_group(struct notify *notify, const struct seccomp_notif *call)
{
	pid_t tgid = process_of(notify, (pid_t)call->pid);
	int status = (int)(call->data.args[0] & 0xff) << 8;
	bool must_hold = tgid == notify->options->root && !notify->held && notify->options->shutdown_flush_ms;
	bool is_there = mw_listener_is_valid(notify->listener, call->id);
	if (!must_hold)
		(void)mw_listener_continue(notify->listener, call->id);
	bool is_new = is_there && mw_census_on_exit(notify->census, tgid, status);
	if (must_hold && is_new)
		hold_root(notify, call->id);
	else if (must_hold)
		(void)mw_listener_continue(notify->listener, call->id);
}

static void on_other(struct notify *notify, const struct seccomp_notif *call)
{
	uint64_t args[6];
	for (unsigned i = 0; i < 6; i++)
		args[i] = call->data.args[i];
	struct mw_record_call *record = mw_ring_reserve(notify->board->ring, MW_RECORD_CALL_BYTES);
	size_t bytes = 0;
	if (!record) {
		(void)atomic_fetch_add_explicit(&notify->board->trace.calls_refused, 1, memory_order_relaxed);
	} else {
		pid_t tid = (pid_t)call->pid;
		uint64_t kinds = notify->options->kinds & mw_board_attention(notify->board)->kinds;
		bytes = mw_calls_attempt(notify->procfd, tid, process_of(notify, tid), call->data.arch, call->data.nr,
					 args, kinds, record);
		/* Whoever it was may have died, and its id be another's by now. */
		if (bytes && !mw_listener_is_valid(notify->listener, call->id))
			bytes = 0;
	}
	(void)mw_listener_continue(notify->listener, call->id);
	if (!bytes)
		return;
	record->head.kind = MW_RECORD_CALL;
	record->head.time_ns = mw_clock_real_ns();
	record->own = mw_board_own_process(notify->board, record->target);
	(void)atomic_fetch_add_explicit(&notify->board->trace.records[record->event], 1, memory_order_relaxed);
	mw_emit_end(notify->board, bytes);
}

static bool is_exit_group(const struct seccomp_data *data)
{
	switch (mw_arch_from_audit(data->arch)) {
	case MW_ARCH_X86_64:
		return data->nr == MW_X86_64_EXIT_GROUP;
	case MW_ARCH_I386:
		return data->nr == MW_I386_EXIT_GROUP;
	case MW_ARCH_ARM64:
		return data->nr == MW_ARM64_EXIT_GROUP;
	default:
		return false;
	}
}

static bool is_execve(const struct seccomp_data *data)
{
	int call = mw_syscall_find(mw_arch_from_audit(data->arch), (uint64_t)data->nr);
	return call >= 0 && mw_syscalls[call].how == MW_HOW_EXEC;
}

static void on_call(struct notify *notify)
{
	struct seccomp_notif call;
	if (mw_listener_take(notify->listener, &call) <= 0)
		return;
	atomic_store_explicit(&notify->board->notify_last_id, call.id, memory_order_relaxed);
	(void)atomic_fetch_add_explicit(&notify->board->tracer_stops, 1, memory_order_relaxed);
	/* Who makes another call is not executing anything any more. */
	if (!is_execve(&call.data))
		tell_failure(notify, find_seized(notify, (pid_t)call.pid));
	if (call.pid == 0) /* of a PID namespace that we do not see */
		(void)mw_listener_continue(notify->listener, call.id);
	else if (is_execve(&call.data))
		on_execve(notify, &call);
	else if (is_exit_group(&call.data))
		on_exit_group(notify, &call);
	else
		on_other(notify, &call);
}

/* The process is at its exec stop.  Read, let go, and only then tell. */
static void on_exec_stop(struct notify *notify, pid_t pid)
{
	struct mw_record_exec *exec = &notify->record.exec;
	unsigned long former = 0;
	(void)ptrace(PTRACE_GETEVENTMSG, pid, 0L, &former);
	int64_t now = mw_clock_real_ns();
	struct mw_proc_stat stat = {0};
	(void)mw_program_stat(notify->procfd, pid, &stat);
	const struct mw_facts_known known = {.ppid = stat.ppid, .session = stat.session, .tty_nr = stat.tty_nr};
	size_t bytes = mw_facts_exec_stop(notify->procfd, pid, &known, notify->options->environment, exec);
	(void)ptrace(PTRACE_DETACH, pid, 0L, 0L);
	exec->start_ticks = stat.start_ticks;
	exec->ppid = stat.ppid;
	forget_seized(notify, (pid_t)former); /* another thread than the leader has the leader's id from now on */
	forget_seized(notify, pid);

	notify->root_has_executed |= pid == notify->options->root;
	exec->head.kind = MW_RECORD_EXEC;
	exec->head.time_ns = now;
	exec->level = MW_LEVEL_EVENTS;
	mw_census_on_exec(notify->census, exec);
	void *room = mw_emit_begin(notify->board, MW_PROCESS_EXEC, bytes);
	if (!room)
		return;
	memcpy(room, exec, bytes);
	mw_emit_end(notify->board, bytes);
}

static void take_stops(struct notify *notify)
{
	int status;
	for (pid_t tid; (tid = waitpid(-1, &status, __WALL | WNOHANG)) > 0;) {
		(void)atomic_fetch_add_explicit(&notify->board->tracer_stops, 1, memory_order_relaxed);
		struct seized *seized = find_seized(notify, tid);
		if (!WIFSTOPPED(status)) {
			/* Killed in the middle of it, it may be; by itself it has ended because it could not. */
			if (WIFEXITED(status))
				tell_failure(notify, seized);
			forget_seized(notify, tid);
		} else if (status >> 16 == PTRACE_EVENT_EXEC) {
			on_exec_stop(notify, tid);
		} else {
			/* A signal is passed on; a stop of the whole process goes on without us. */
			long signal = status >> 16 ? 0 : WSTOPSIG(status);
			if (seized && !seized->since_ns)
				tell_failure(notify, seized); /* it was out of execve(2) when it was interrupted */
			(void)ptrace(PTRACE_DETACH, tid, 0L, signal);
			forget_seized(notify, tid);
		}
	}
}

/* Is the thread in execve(2) still?  A slow disk, or many threads to be ended. */
static bool is_in_execve(const struct notify *notify, pid_t tid)
{
	char path[MW_PROC_NAME_BYTES];
	char text[NUMBER_BYTES] = {0};
	mw_procfs_name(tid, "syscall", path);
	MW_AUTO_FD fd = openat(notify->procfd, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		return false;
	long number = strtol(text, NULL, 10); /* 0, a read(2), for "running" */
	return number == SYS_execve || number == SYS_execveat;
}

static void look_after_seized(struct notify *notify, int64_t now)
{
	for (size_t i = 0; i < notify->seized_count; i++) {
		struct seized *seized = &notify->seized[i];
		if (!seized->since_ns || now - seized->since_ns < (int64_t)SEIZED_MS * MW_NS_PER_MS)
			continue;
		if (is_in_execve(notify, seized->tid)) {
			seized->since_ns = now;
			continue;
		}
		(void)ptrace(PTRACE_INTERRUPT, seized->tid, 0L, 0L);
		seized->since_ns = 0;
	}
}

static void look_after_held(struct notify *notify)
{
	if (mw_hold_is_over(&notify->hold, notify->board))
		release_root(notify);
}

static void look(struct notify *notify)
{
	(void)mw_census_look(notify->census);
	mw_emit_life(notify->board);
	notify->look_ns = mw_clock_mono_ns() + notify->options->poll_interval_ms * MW_NS_PER_MS;
}

/* In ms: until something is to be done that nothing wakes us for. */
static int pause_of(const struct notify *notify, int64_t now)
{
	int64_t until = notify->look_ns;
	if (now < notify->ends_ns && notify->ends_ns < until)
		until = notify->ends_ns;
	int64_t ms = until > now ? (until - now) / MW_NS_PER_MS + 1 : 0;
	return (int)((notify->held || notify->seized_count) && ms > HURRY_MS ? HURRY_MS : ms);
}

/* Until nobody has the filter any more. */
static void follow(struct notify *notify)
{
	enum {
		LISTENER,
		SIGNALS,
		ENDS
	};
	struct pollfd fds[] = {
		[LISTENER] = {.fd = notify->listener, .events = POLLIN},
		[SIGNALS] = {.fd = notify->signals, .events = POLLIN},
		[ENDS] = {.events = POLLIN},
	};
	for (;;) {
		int64_t now = mw_clock_mono_ns();
		fds[ENDS].fd = now < notify->ends_ns ? -1 : mw_census_fd(notify->census);
		atomic_store_explicit(&notify->board->tracer_waits, 1, memory_order_relaxed);
		int n = poll(fds, sizeof(fds) / sizeof(*fds), pause_of(notify, now));
		atomic_store_explicit(&notify->board->tracer_waits, 0, memory_order_relaxed);
		(void)atomic_fetch_add_explicit(&notify->board->tracer_stops, 1, memory_order_relaxed);
		if (n > 0 && fds[SIGNALS].revents & POLLIN) {
			struct signalfd_siginfo info;
			ssize_t got = read(notify->signals, &info, sizeof(info));
			(void)got; /* several may be one */
			take_stops(notify);
		}
		now = mw_clock_mono_ns();
		if (n > 0 && fds[LISTENER].revents & POLLIN) {
			on_call(notify);
			if (now >= notify->ends_ns)
				notify->ends_ns = now + (int64_t)ENDS_MS * MW_NS_PER_MS;
		} else if (n > 0 && fds[LISTENER].revents & (POLLHUP | POLLERR)) {
			return;
		}
		if (n > 0 && fds[ENDS].revents & POLLIN)
			(void)mw_census_wait(notify->census, 0);
		if (notify->seized_count)
			look_after_seized(notify, now);
		if (notify->held)
			look_after_held(notify);
		if (now >= notify->look_ns)
			look(notify);
	}
}

static int run(const struct mw_tracer_options *options)
{
	static struct notify notify; /* large, and there is one */
	if (options->listener < 0)
		return -EBADF;
	notify = (struct notify){.options = options, .board = options->board, .listener = options->listener};
	sigset_t child;
	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &child, NULL);
	notify.signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	notify.procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = notify.signals < 0 || notify.procfd < 0 ? -errno : mw_census_new(options, &notify.census);
	if (r < 0)
		return r;
	/* Without the guard we are the last to hold the listener, and must live. */
	(void)prctl(PR_SET_PDEATHSIG, 0);
	mw_listener_wake_here(notify.listener);
	mw_census_expect(notify.census);
	look(&notify);
	mw_engine_ready(options->board, MW_ENGINE_NOTIFY);
	follow(&notify);
	mw_census_free(notify.census);
	return 0;
}

const struct mw_engine_driver mw_engine_notify = {.id = MW_ENGINE_NOTIFY, .run = run, .refusal = refusal};

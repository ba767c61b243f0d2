/* Tiny on purpose: it must outlive whatever befalls the two others.  It sleeps in sigtimedwait(2) and is woken by SIGCHLD,
 * by SIGUSR1 when the application ends (PR_SET_PDEATHSIG), and, while a tracer lives, a few times a second to look at
 * its heartbeat. */

#include "launch/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/secret.h"
#include "base/trim.h"
#include "event/board.h"
#include "launch/filter.h"
#include "launch/launch.h"
#include "proc/procfs.h"
#include "trace/engine.h"
#include "trace/listener.h"

enum {
	/* A tracer is looked at this often, and perhaps hung when it has done nothing between so many looks while not
	 * waiting. */
	HEARTBEAT_MS = 400,
	HUNG_LOOKS = 2,
	/* Before one that died is started again; doubled each time, up to the maximum.  A tracer is started at once the first
	 * time: what happens without one is not seen. */
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 30000,
	/* One that lived that long has recovered. */
	BACKOFF_FORGET_MS = 10000,
	/* Beyond shutdown_flush_ms, for the sensor to end by itself. */
	FINISH_GRACE_MS = 3000,
};

/* The kernel's out-of-memory killer is to take us before the application, which has 0 by default; proc(5).  Less than the most is
 * not enough: a thousandth stands for a thousandth of the container's limit, and an application may use nearly all of that. */
static const char OOM_SCORE_ADJ[] = "1000";

/* One of the two processes that are looked after. */
struct ward {
	pid_t pid; /* 0: none */
	int64_t started_ns;
	int64_t due_ns; /* when to start it again; 0: not at all */
	int64_t backoff_ms;
};

struct guard {
	const struct mw_launch *launch;
	pid_t root;
	struct ward tracer;
	struct ward sensor;
	int listener; /* of the notify engine, see trace/listener.h; -1: none */
	uint64_t seen_work;
	int64_t seen_cpu_ns;
	unsigned looks; /* since it has done something */
};

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t n = write(fd, text, strlen(text));
	(void)n; /* a refusal leaves things as they were, which is no reason not to start */
	(void)close(fd);
}

static void close_from(unsigned first, unsigned last)
{
	if (first > last || syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* Kernel before 5.9. */
	struct rlimit limit = {.rlim_cur = 1024};
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	for (unsigned fd = first; fd <= last && fd < limit.rlim_cur; fd++)
		(void)close((int)fd);
}

/* Keep nothing of the application open that is not needed: the other end of a pipe would wait for us. */
static void drop_descriptors(const struct mw_launch *launch, int *listener)
{
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	const bool keeps[] = {false, launch->keeps_stdout, launch->keeps_stderr};
	for (int fd = 0; fd <= 2; fd++) {
		if (keeps[fd])
			continue;
		if (null_fd >= 0)
			(void)dup2(null_fd, fd);
		else
			(void)close(fd);
	}
	unsigned last = (unsigned)launch->board->wake_fd;
	close_from(3, last - 1);
	if (*listener >= 0) {
		int next = (int)++last;
		if (*listener != next)
			(void)dup3(*listener, next, O_CLOEXEC);
		*listener = next;
	}
	close_from(last + 1, UINT_MAX);
}

static void become_invisible(const struct mw_launch *launch, int *listener)
{
	(void)prctl(PR_SET_NAME, "moonwatch-guard");
	(void)setsid();
	drop_descriptors(launch, listener);

	/* Nothing the application or its users send to everybody may end us.  SIGCHLD may have been inherited as
	 * ignored, and then there would be nothing to wait for. */
	sigset_t all;
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, NULL);
	(void)signal(SIGCHLD, SIG_DFL);

	write_file("/proc/self/oom_score_adj", OOM_SCORE_ADJ);
	/* Not to be read or traced by processes of the same user. */
	(void)prctl(PR_SET_DUMPABLE, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGUSR1);
}

/* In a new child: tie its life to ours. */
static void follow_guard(pid_t guard, int signal)
{
	(void)prctl(PR_SET_PDEATHSIG, signal);
	if (getppid() != guard)
		_exit(1);
}

static pid_t start_tracer(const struct guard *guard, bool is_restart)
{
	const struct mw_launch *launch = guard->launch;
	pid_t self = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_NAME, "moonwatch-trace");
	follow_guard(self, SIGKILL);
	mw_secret_free(launch->secret);
	if (chdir("/") < 0)
		_exit(1);
	const struct mw_tracer_options options = {
		.board = launch->board,
		.root = guard->root,
		.shutdown_flush_ms = launch->shutdown_flush_ms,
		.enforce_deadline_ms = launch->enforce_deadline_ms,
		.environment = (enum mw_environment)launch->environment,
		.takes_older = launch->takes_older,
		.yields_debuggers = launch->yields_debuggers,
		.is_restart = is_restart,
		.engines = launch->engines,
		.refused = launch->refused,
		.poll_interval_ms = launch->poll_interval_ms,
		.kinds = launch->notify_kinds,
		.listener = guard->listener,
	};
	_exit(mw_engine_run(&options) < 0);
}

static pid_t start_sensor(const struct guard *guard)
{
	pid_t self = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_NAME, "moonwatch-sens");
	follow_guard(self, SIGTERM);
	if (guard->listener >= 0)
		(void)close(guard->listener); /* who has it must answer */
	_exit(guard->launch->sensor(guard->launch->board, guard->launch->data));
}

static void refuse_attachment(struct mw_board *board, int error)
{
	atomic_store(&board->attach_errno, error);
	atomic_store(&board->attach, MW_ATTACH_REFUSED);
	mw_futex_wake(&board->attach);
}

/* When is one that has died to be started again? */
static void put_off(struct ward *ward, int64_t first_ms)
{
	int64_t now = mw_clock_mono_ns();
	if (now - ward->started_ns > (int64_t)BACKOFF_FORGET_MS * MW_NS_PER_MS)
		ward->backoff_ms = 0;
	ward->due_ns = now + (ward->backoff_ms ? ward->backoff_ms : first_ms) * MW_NS_PER_MS;
	ward->backoff_ms = ward->backoff_ms ? ward->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (ward->backoff_ms > BACKOFF_MAX_MS)
		ward->backoff_ms = BACKOFF_MAX_MS;
}

static void on_tracer_ended(struct guard *guard, int status)
{
	struct mw_board *board = guard->launch->board;
	guard->tracer.pid = 0;
	guard->tracer.due_ns = 0;
	atomic_store(&board->tracer_pid, 0);
	if (guard->listener >= 0)
		mw_listener_answer_for_dead(guard->listener, board);
	bool was_attached = atomic_load(&board->attach) == MW_ATTACH_DONE;
	/* It says itself why it could not attach; when it died before, say it for it. */
	if (atomic_load(&board->attach) == MW_ATTACH_PENDING)
		refuse_attachment(board, ECHILD);
	/* By itself it ends when there is nothing left to be traced. */
	if (was_attached && WIFSIGNALED(status)) {
		atomic_store(&board->tracer_died_ns, mw_clock_mono_ns());
		put_off(&guard->tracer, 0);
	}
}

static void on_sensor_ended(struct guard *guard)
{
	guard->sensor.pid = 0;
	atomic_store(&guard->launch->board->sensor_pid, 0);
	put_off(&guard->sensor, BACKOFF_MIN_MS);
}

static void reap(struct guard *guard)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
		if (WIFSTOPPED(status)) {
			/* Stopped by someone: a tracer that stands still freezes the application. */
			(void)kill(pid, pid == guard->tracer.pid ? SIGKILL : SIGCONT);
			continue;
		}
		if (pid == guard->tracer.pid)
			on_tracer_ended(guard, status);
		else if (pid == guard->sensor.pid)
			on_sensor_ended(guard);
	}
}

/* Does it stand still?  One that only waits for a CPU, on a machine that has too few, does not; one that has had the CPU
 * all the time, and handled nothing, does. */
static bool is_hung(struct guard *guard)
{
	MW_AUTO_FD procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MW_AUTO_FD pidfd = -1;
	struct mw_proc_stat stat;
	if (procfd < 0 || mw_procfs_open_pid(procfd, guard->tracer.pid, &pidfd) < 0 || mw_procfs_stat(pidfd, &stat) < 0)
		return guard->looks >= HUNG_LOOKS; /* nothing better is known */
	int64_t cpu_ns = mw_procfs_ticks_ns(stat.utime_ticks + stat.stime_ticks);
	bool has_worked = cpu_ns - guard->seen_cpu_ns >= (int64_t)HEARTBEAT_MS / 2 * MW_NS_PER_MS;
	guard->seen_cpu_ns = cpu_ns;
	return guard->looks >= HUNG_LOOKS && (stat.state != 'R' || has_worked);
}

static void look_at_tracer(struct guard *guard)
{
	struct mw_board *board = guard->launch->board;
	uint64_t work = atomic_load(&board->tracer_stops) + atomic_load(&board->tracer_looks);
	bool is_busy = !atomic_load(&board->tracer_waits) && atomic_load(&board->attach) == MW_ATTACH_DONE;
	if (!is_busy || work != guard->seen_work)
		guard->looks = 0;
	else if (++guard->looks && is_hung(guard)) /* asked from the first look on: it compares with the last */
		(void)kill(guard->tracer.pid, SIGKILL);
	guard->seen_work = work;
}

static void run_sensor(struct guard *guard)
{
	guard->sensor.started_ns = mw_clock_mono_ns();
	pid_t pid = start_sensor(guard);
	(void)atomic_fetch_add(&guard->launch->board->own_births, 1);
	guard->sensor.pid = pid > 0 ? pid : 0;
	atomic_store(&guard->launch->board->sensor_pid, guard->sensor.pid);
	if (pid < 0)
		on_sensor_ended(guard);
}

static void run_tracer(struct guard *guard, bool is_restart)
{
	struct mw_board *board = guard->launch->board;
	guard->tracer.started_ns = mw_clock_mono_ns();
	pid_t pid = start_tracer(guard, is_restart);
	(void)atomic_fetch_add(&board->own_births, 1);
	guard->tracer.pid = pid > 0 ? pid : 0;
	guard->tracer.due_ns = 0;
	atomic_store(&board->tracer_pid, guard->tracer.pid);
	if (pid > 0)
		return;
	if (is_restart)
		put_off(&guard->tracer, BACKOFF_MIN_MS);
	else
		refuse_attachment(board, errno);
}

/* How long to sleep; NULL for until a signal comes. */
static const struct timespec *sleep_time(const struct guard *guard, struct timespec *room)
{
	const struct ward *wards[] = {&guard->tracer, &guard->sensor};
	int64_t ms = guard->tracer.pid ? HEARTBEAT_MS : -1;
	for (size_t i = 0; i < sizeof(wards) / sizeof(wards[0]); i++) {
		if (wards[i]->pid || !wards[i]->due_ns)
			continue;
		int64_t due_ms = (wards[i]->due_ns - mw_clock_mono_ns()) / MW_NS_PER_MS + 1;
		due_ms = due_ms < 0 ? 0 : due_ms;
		ms = ms < 0 || due_ms < ms ? due_ms : ms;
	}
	*room = (struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * MW_NS_PER_MS};
	return ms < 0 ? NULL : room;
}

static void sleep_until_something(const struct guard *guard)
{
	struct timespec room;
	sigset_t signals;
	(void)sigemptyset(&signals);
	(void)sigaddset(&signals, SIGCHLD);
	(void)sigaddset(&signals, SIGUSR1);
	const struct timespec *time = sleep_time(guard, &room);
	/* The tracer answers, unless it had to take another engine. */
	unsigned engine = atomic_load(&guard->launch->board->engine);
	bool is_answered = guard->tracer.pid && (engine == MW_ENGINE_NOTIFY || engine == MW_ENGINE_NONE);
	if (guard->listener >= 0 && !is_answered)
		mw_listener_stand_in(guard->listener, &signals, time);
	else if (time)
		(void)sigtimedwait(&signals, NULL, time);
	else
		(void)sigwaitinfo(&signals, NULL);
}

/* Do processes live that a dead tracer followed? */
static bool is_orphaned(const struct guard *guard)
{
	const struct mw_board *board = guard->launch->board;
	int32_t max = atomic_load(&board->owned_max);
	for (int32_t pid = 1; pid <= max; pid++)
		if (mw_board_owns(board, pid) && (kill(pid, 0) == 0 || errno == EPERM))
			return true;
	return false;
}

/* Nothing is left to be seen: the tracer ends with its last tracee, and the root was our parent. */
static bool is_over(const struct guard *guard)
{
	if (guard->tracer.pid || getppid() == guard->root)
		return false;
	if (guard->listener >= 0 && mw_listener_is_used(guard->listener))
		return false;
	return !guard->tracer.due_ns || !is_orphaned(guard);
}

static void finish(struct guard *guard)
{
	struct mw_board *board = guard->launch->board;
	int64_t deadline = mw_clock_mono_ns() + (guard->launch->shutdown_flush_ms + FINISH_GRACE_MS) * MW_NS_PER_MS;
	atomic_store(&board->finished, 1);
	if (!guard->sensor.pid)
		run_sensor(guard); /* what is in the ring is to be spooled */
	mw_board_wake_sensor(board);
	while (guard->sensor.pid) {
		int64_t left = deadline - mw_clock_mono_ns();
		if (left <= 0) {
			(void)kill(guard->sensor.pid, SIGKILL);
			break;
		}
		sigset_t child;
		(void)sigemptyset(&child);
		(void)sigaddset(&child, SIGCHLD);
		const struct timespec time = {.tv_sec = left / MW_NS_PER_S, .tv_nsec = left % MW_NS_PER_S};
		(void)sigtimedwait(&child, NULL, &time);
		reap(guard);
	}
}

/* From the entrypoint, as soon as it has made itself a filter. */
static int receive_listener(const struct mw_launch *launch)
{
	if (launch->listener_sockets[1] < 0)
		return -1;
	(void)close(launch->listener_sockets[0]);
	return mw_filter_receive(launch->listener_sockets[1]);
}

void mw_guard_run(const struct mw_launch *launch, pid_t root)
{
	struct guard guard = {.launch = launch, .root = root};
	struct mw_board *board = launch->board;
	guard.listener = receive_listener(launch);
	become_invisible(launch, &guard.listener);
	atomic_store(&board->guard_pid, getpid());

	/* First of all the tracer: the application waits for it. */
	if (launch->is_traced)
		run_tracer(&guard, false);
	run_sensor(&guard);
	mw_memory_trim();

	for (;;) {
		sleep_until_something(&guard);
		reap(&guard);
		if (is_over(&guard))
			break;
		int64_t now = mw_clock_mono_ns();
		if (guard.tracer.pid) {
			look_at_tracer(&guard);
		} else if (guard.tracer.due_ns && now >= guard.tracer.due_ns) {
			(void)atomic_fetch_add(&board->tracer_restarts, 1);
			run_tracer(&guard, true);
		}
		if (!guard.sensor.pid && now >= guard.sensor.due_ns) {
			(void)atomic_fetch_add(&board->sensor_restarts, 1);
			run_sensor(&guard);
		}
	}
	finish(&guard);
	_exit(0);
}

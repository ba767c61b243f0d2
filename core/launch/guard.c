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

#include "base/clock.h"
#include "event/board.h"
#include "launch/launch.h"
#include "trace/tracer.h"

enum {
	/* A tracer is looked at this often, and is hung when it has done nothing between two looks while not waiting. */
	HEARTBEAT_MS = 400,
	/* Before a sensor that died is started again; doubled each time, up to the maximum. */
	BACKOFF_MIN_MS = 100,
	BACKOFF_MAX_MS = 30000,
	/* A sensor that lived that long has recovered. */
	BACKOFF_FORGET_MS = 60000,
	/* Beyond shutdown_flush_ms, for the sensor to end by itself. */
	FINISH_GRACE_MS = 3000,
};

/* The kernel's out-of-memory killer is to take us before the application, which has 0 by default; proc(5). */
static const char OOM_SCORE_ADJ[] = "900";

struct guard {
	const struct mw_launch *launch;
	pid_t root;
	pid_t tracer; /* 0: none */
	pid_t sensor; /* 0: none */
	uint64_t seen_stops;
	bool was_busy;
	int64_t sensor_started_ns;
	int64_t sensor_due_ns; /* when to start it again */
	int64_t backoff_ms;
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
static void drop_descriptors(const struct mw_launch *launch)
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
	unsigned wake_fd = (unsigned)launch->board->wake_fd;
	close_from(3, wake_fd - 1);
	close_from(wake_fd + 1, UINT_MAX);
}

static void become_invisible(const struct mw_launch *launch)
{
	(void)prctl(PR_SET_NAME, "moonwatch-guard");
	(void)setsid();
	drop_descriptors(launch);

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

static pid_t start_tracer(const struct guard *guard)
{
	pid_t self = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_NAME, "moonwatch-trace");
	follow_guard(self, SIGKILL);
	if (chdir("/") < 0)
		_exit(1);
	const struct mw_tracer_options options = {
		.board = guard->launch->board,
		.root = guard->root,
		.shutdown_flush_ms = guard->launch->shutdown_flush_ms,
	};
	_exit(mw_tracer_run(&options) < 0);
}

static pid_t start_sensor(const struct guard *guard)
{
	pid_t self = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	(void)prctl(PR_SET_NAME, "moonwatch-sens");
	follow_guard(self, SIGTERM);
	_exit(guard->launch->sensor(guard->launch->board, guard->launch->data));
}

static void refuse_attachment(struct mw_board *board, int error)
{
	atomic_store(&board->attach_errno, error);
	atomic_store(&board->attach, MW_ATTACH_REFUSED);
	mw_futex_wake(&board->attach);
}

static void on_tracer_ended(struct guard *guard, int status)
{
	struct mw_board *board = guard->launch->board;
	guard->tracer = 0;
	/* It says itself why it could not attach; when it died before, say it for it. */
	if (atomic_load(&board->attach) == MW_ATTACH_PENDING)
		refuse_attachment(board, ECHILD);
	if (WIFSIGNALED(status)) {
		atomic_store(&board->tracer_lost, 1);
		mw_board_wake_sensor(board);
	}
}

static void on_sensor_ended(struct guard *guard)
{
	int64_t now = mw_clock_mono_ns();
	guard->sensor = 0;
	if (now - guard->sensor_started_ns > (int64_t)BACKOFF_FORGET_MS * MW_NS_PER_MS)
		guard->backoff_ms = 0;
	guard->backoff_ms = guard->backoff_ms ? guard->backoff_ms * 2 : BACKOFF_MIN_MS;
	if (guard->backoff_ms > BACKOFF_MAX_MS)
		guard->backoff_ms = BACKOFF_MAX_MS;
	guard->sensor_due_ns = now + guard->backoff_ms * MW_NS_PER_MS;
}

static void reap(struct guard *guard)
{
	int status;
	for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG | WUNTRACED)) > 0;) {
		if (WIFSTOPPED(status)) {
			/* Stopped by someone: a tracer that stands still freezes the application. */
			(void)kill(pid, pid == guard->tracer ? SIGKILL : SIGCONT);
			continue;
		}
		if (pid == guard->tracer)
			on_tracer_ended(guard, status);
		else if (pid == guard->sensor)
			on_sensor_ended(guard);
	}
}

static void look_at_tracer(struct guard *guard)
{
	struct mw_board *board = guard->launch->board;
	uint64_t stops = atomic_load(&board->tracer_stops);
	bool is_busy = !atomic_load(&board->tracer_waits) && atomic_load(&board->attach) == MW_ATTACH_DONE;
	if (is_busy && guard->was_busy && stops == guard->seen_stops)
		(void)kill(guard->tracer, SIGKILL);
	guard->seen_stops = stops;
	guard->was_busy = is_busy;
}

static void run_sensor(struct guard *guard)
{
	guard->sensor_started_ns = mw_clock_mono_ns();
	pid_t pid = start_sensor(guard);
	guard->sensor = pid > 0 ? pid : 0;
	if (pid < 0)
		on_sensor_ended(guard);
}

/* How long to sleep; NULL for until a signal comes. */
static const struct timespec *sleep_time(const struct guard *guard, struct timespec *room)
{
	int64_t ms = guard->tracer ? HEARTBEAT_MS : -1;
	if (!guard->sensor) {
		int64_t due_ms = (guard->sensor_due_ns - mw_clock_mono_ns()) / MW_NS_PER_MS + 1;
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
	if (time)
		(void)sigtimedwait(&signals, NULL, time);
	else
		(void)sigwaitinfo(&signals, NULL);
}

/* Nothing is left to be seen: the tracer ends with its last tracee, and the root was our parent. */
static bool is_over(const struct guard *guard)
{
	return !guard->tracer && getppid() != guard->root;
}

static void finish(struct guard *guard)
{
	struct mw_board *board = guard->launch->board;
	int64_t deadline = mw_clock_mono_ns() + (guard->launch->shutdown_flush_ms + FINISH_GRACE_MS) * MW_NS_PER_MS;
	atomic_store(&board->finished, 1);
	if (!guard->sensor)
		run_sensor(guard); /* what is in the ring is to be spooled */
	mw_board_wake_sensor(board);
	while (guard->sensor) {
		int64_t left = deadline - mw_clock_mono_ns();
		if (left <= 0) {
			(void)kill(guard->sensor, SIGKILL);
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

void mw_guard_run(const struct mw_launch *launch, pid_t root)
{
	struct guard guard = {.launch = launch, .root = root};
	become_invisible(launch);

	/* First of all the tracer: the application waits for it. */
	if (launch->is_traced) {
		pid_t pid = start_tracer(&guard);
		if (pid < 0)
			refuse_attachment(launch->board, errno);
		guard.tracer = pid > 0 ? pid : 0;
	}
	run_sensor(&guard);

	for (;;) {
		sleep_until_something(&guard);
		reap(&guard);
		if (is_over(&guard))
			break;
		if (guard.tracer)
			look_at_tracer(&guard);
		if (!guard.sensor && mw_clock_mono_ns() >= guard.sensor_due_ns) {
			(void)atomic_fetch_add(&launch->board->sensor_restarts, 1);
			run_sensor(&guard);
		}
	}
	finish(&guard);
	_exit(0);
}

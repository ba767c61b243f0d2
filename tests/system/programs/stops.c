/* Stopping and continuing, as a parent that waits with WUNTRACED and WCONTINUED sees it.
 *
 * usage: stops each        a child stopped by each of the four signals that stop
 *        stops rounds      a child stopped and continued five hundred times
 *        stops threads     a child with threads: while it is stopped, none of them runs
 *        stops group       a group of three processes stopped and continued as one
 *        stops handler     a child with a handler for SIGCONT
 *        stops kill        a stopped child is killed, with SIGKILL, and with SIGTERM and SIGCONT
 *        stops orphan      a stopped group whose controlling process ends gets SIGHUP and SIGCONT
 *        stops peek        the state of a stopped child in /proc
 *        stops killer COMMAND [ARG…]   run COMMAND, and kill it when it stops */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum {
	ROUNDS = 500,
	MEMBERS = 3,
	THREADS = 5,
};

/* Shared with the child. */
struct shared {
	atomic_uint counters[THREADS];
	atomic_int handled;
};

static struct shared *shared;

static void await_change(pid_t pid, const char *what)
{
	siginfo_t info = {0};
	CHECK(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WCONTINUED | WEXITED) == 0);
	if (what)
		printf("%s: code %d status %d\n", what, info.si_code, info.si_status);
	else
		CHECK(info.si_code == CLD_STOPPED || info.si_code == CLD_CONTINUED);
}

/* In a group of its own, that is controlled from another of the same session: elsewhere the terminal's signals do not stop. */
static pid_t start_in(pid_t group, void (*body)(int), int argument)
{
	(void)fflush(stdout);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		(void)setpgid(0, group);
		body(argument);
		_exit(0);
	}
	(void)setpgid(pid, group);
	return pid;
}

static pid_t start(void (*body)(int), int argument)
{
	return start_in(0, body, argument);
}

/* A parent that is slow to look finds the last change only, so each waits until it has looked. */
static int go_on[2];

static void await_parent(void)
{
	char byte;
	CHECK(read(go_on[0], &byte, 1) == 1);
}

static void let_go_on(void)
{
	CHECK(write(go_on[1], "x", 1) == 1);
}

static void stop_by(int number)
{
	CHECK(raise(number) == 0);
	await_parent();
	_exit(number);
}

static int each(void)
{
	static const int numbers[] = {SIGSTOP, SIGTSTP, SIGTTIN, SIGTTOU};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		pid_t pid = start(stop_by, numbers[i]);
		int status;
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		printf("%d: status %x\n", numbers[i], (unsigned)status);
		CHECK(kill(pid, SIGCONT) == 0);
		await_change(pid, "then");
		let_go_on();
		await_change(pid, "then");
	}
	return 0;
}

static void stop_often(int unused)
{
	(void)unused;
	for (int i = 0; i < ROUNDS; i++)
		CHECK(raise(i % 2 ? SIGSTOP : SIGTSTP) == 0);
	_exit(9);
}

static int rounds(void)
{
	pid_t pid = start(stop_often, 0);
	int stops = 0;
	int status;
	for (;;) {
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		if (!WIFSTOPPED(status))
			break;
		CHECK(WSTOPSIG(status) == (stops % 2 ? SIGSTOP : SIGTSTP));
		stops++;
		CHECK(kill(pid, SIGCONT) == 0);
	}
	printf("stops %d, then status %x\n", stops, (unsigned)status);
	return 0;
}

static void *count(void *counter)
{
	for (;;)
		(void)atomic_fetch_add((atomic_uint *)counter, 1);
	return NULL;
}

static void count_in_threads(int unused)
{
	(void)unused;
	pthread_t thread;
	for (int i = 1; i < THREADS; i++)
		CHECK(pthread_create(&thread, NULL, count, &shared->counters[i]) == 0);
	(void)count(&shared->counters[0]);
}

static unsigned sum(void)
{
	unsigned all = 0;
	for (int i = 0; i < THREADS; i++)
		all += atomic_load(&shared->counters[i]);
	return all;
}

static int threads(void)
{
	pid_t pid = start(count_in_threads, 0);
	for (int i = 0; i < THREADS; i++)
		while (atomic_load(&shared->counters[i]) == 0)
			;
	for (int round = 0; round < 3; round++) {
		CHECK(kill(pid, SIGSTOP) == 0);
		await_change(pid, "stopped");
		unsigned before = sum();
		/* That nothing happens takes a while to see. */
		(void)nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
		printf("stands still: %d\n", sum() == before);
		CHECK(kill(pid, SIGCONT) == 0);
		await_change(pid, "continued");
		while (sum() == before)
			;
	}
	CHECK(kill(pid, SIGKILL) == 0);
	await_change(pid, "killed");
	return 0;
}

static void wait_for_signals(int unused)
{
	(void)unused;
	for (;;)
		(void)pause();
}

static int group(void)
{
	pid_t pids[MEMBERS];
	pids[0] = start(wait_for_signals, 0);
	for (int i = 1; i < MEMBERS; i++)
		pids[i] = start_in(pids[0], wait_for_signals, 0);
	for (int round = 0; round < 3; round++) {
		CHECK(killpg(pids[0], SIGTSTP) == 0);
		for (int i = 0; i < MEMBERS; i++)
			await_change(pids[i], "stopped");
		CHECK(killpg(pids[0], SIGCONT) == 0);
		for (int i = 0; i < MEMBERS; i++)
			await_change(pids[i], "continued");
	}
	CHECK(killpg(pids[0], SIGTERM) == 0);
	for (int i = 0; i < MEMBERS; i++)
		await_change(pids[i], "ended");
	return 0;
}

static void on_continue(int number)
{
	(void)number;
	(void)atomic_fetch_add(&shared->handled, 1);
}

static void stop_with_handler(int unused)
{
	(void)unused;
	(void)signal(SIGCONT, on_continue);
	for (int i = 0; i < 3; i++) {
		CHECK(raise(SIGSTOP) == 0);
		await_parent();
	}
	_exit(0);
}

static int handler(void)
{
	pid_t pid = start(stop_with_handler, 0);
	for (int i = 0; i < 3; i++) {
		await_change(pid, "stopped");
		printf("handled %d\n", atomic_load(&shared->handled));
		CHECK(kill(pid, SIGCONT) == 0);
		int status;
		CHECK(waitpid(pid, &status, WCONTINUED) == pid && WIFCONTINUED(status));
		let_go_on();
	}
	await_change(pid, "ended");
	printf("handled %d\n", atomic_load(&shared->handled));
	return 0;
}

static int kill_stopped(void)
{
	for (int politely = 0; politely < 2; politely++) {
		pid_t pid = start(stop_by, SIGSTOP);
		int status;
		CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
		CHECK(kill(pid, politely ? SIGTERM : SIGKILL) == 0);
		if (politely)
			CHECK(kill(pid, SIGCONT) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		printf("status %x\n", (unsigned)status);
	}
	return 0;
}

static int hung_up;

static void on_hangup(int number)
{
	(void)number;
	CHECK(write(hung_up, "h", 1) == 1);
}

/* The one in between, in a session of its own, starts a stopped child in another group and ends; that orphans the group. */
static void leave_stopped(int out)
{
	CHECK(setsid() > 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		(void)setpgid(0, 0);
		hung_up = out;
		(void)signal(SIGHUP, on_hangup);
		CHECK(raise(SIGSTOP) == 0);
		CHECK(write(out, "c", 1) == 1);
		_exit(0);
	}
	int status;
	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
}

static int orphan(void)
{
	int pipes[2];
	char told[8];
	size_t n = 0;
	CHECK(pipe(pipes) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		leave_stopped(pipes[1]);
		_exit(0);
	}
	(void)close(pipes[1]);
	CHECK(waitpid(pid, NULL, 0) == pid);
	/* The end of the pipe is the end of the orphan. */
	for (ssize_t r; n < sizeof(told) && (r = read(pipes[0], told + n, sizeof(told) - n)) > 0;)
		n += (size_t)r;
	printf("told %.*s\n", (int)n, told);
	return 0;
}

static int peek(void)
{
	char path[64];
	char line[256];
	char state = '?';
	pid_t pid = start(stop_by, SIGSTOP);
	await_change(pid, "stopped");
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	CHECK(file && fgets(line, sizeof(line), file) && sscanf(line, "%*d (%*[^)]) %c", &state) == 1);
	(void)fclose(file);
	printf("state %c\n", state);
	CHECK(kill(pid, SIGKILL) == 0);
	await_change(pid, "killed");
	return 0;
}

static int killer(char **argv)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	int status;
	CHECK(waitpid(pid, &status, WUNTRACED) == pid);
	printf("status %x\n", (unsigned)status);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, &status, 0) == pid);
	printf("status %x\n", (unsigned)status);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	static const struct {
		const char *name;
		int (*run)(void);
	} modes[] = {
		{"each", each},       {"rounds", rounds},     {"threads", threads}, {"group", group},
		{"handler", handler}, {"kill", kill_stopped}, {"orphan", orphan},   {"peek", peek},
	};
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(shared != MAP_FAILED && pipe(go_on) == 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(what, modes[i].name) == 0)
			return modes[i].run();
	if (strcmp(what, "killer") == 0 && argc > 2)
		return killer(argv + 2);
	return 2;
}

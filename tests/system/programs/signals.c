/* What happens to signals: which arrive, in which order, with what they carry.  Prints only what is the same in each run.
 *
 * usage: signals queue        real-time signals queued to a process that blocks them, then handled
 *        signals wait         the same, taken by sigwaitinfo(2)
 *        signals handled      every signal that can be handled, raised twice
 *        signals actions      what each signal does to a process without a handler
 *        signals inherit      ignored, blocked and pending signals across execve(2)
 *        signals faults       faults that are handled, a thousand of each
 *        signals timers       signals of timers, with what they carry
 *        signals children     what SIGCHLD says of a child, for every way it can change
 *        signals unwaited     children of a process that ignores SIGCHLD
 *        signals receive      say "ready", then tell of each signal; the second SIGTERM ends it with exit code 0
 *        signals send CMD…    start CMD, which is to be `signals receive`, send it every signal three times, one after the
 *                             other, and print what it says */

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum {
	QUEUED = 200,
	KINDS = 4, /* of real-time signals used */
	FAULTS = 1000,
	TICKS = 50,
};

static void handle_with(int number, void (*handler)(int, siginfo_t *, void *), int flags)
{
	struct sigaction action = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};
	(void)sigfillset(&action.sa_mask);
	CHECK(sigaction(number, &action, NULL) == 0);
}

/* Of those that may have a handler; the C library keeps 32 and 33 for itself. */
static int can_be_handled(int number)
{
	return number != SIGKILL && number != SIGSTOP && number != 32 && number != 33;
}

/* --- queue, wait */

static siginfo_t taken[QUEUED];
static volatile sig_atomic_t taken_count;

static void take(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	if (taken_count < QUEUED)
		taken[taken_count++] = *info;
}

static int queue(int by_waiting)
{
	sigset_t set;
	(void)sigemptyset(&set);
	for (int i = 0; i < KINDS; i++) {
		(void)sigaddset(&set, SIGRTMIN + i);
		handle_with(SIGRTMIN + i, take, 0);
	}
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	pid_t self = getpid();
	pid_t child = fork();
	CHECK(child >= 0);
	if (child == 0) {
		for (int i = 0; i < QUEUED; i++)
			CHECK(sigqueue(self, SIGRTMIN + i * 7 % KINDS, (union sigval){.sival_int = i}) == 0);
		_exit(0);
	}
	CHECK(waitpid(child, NULL, 0) == child);
	if (by_waiting)
		while (taken_count < QUEUED)
			CHECK(sigwaitinfo(&set, &taken[taken_count++]) > 0);
	else
		CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
	for (int i = 0; i < taken_count; i++)
		printf("min+%d value %d code %d from child %d uid %d\n", taken[i].si_signo - SIGRTMIN,
		       taken[i].si_value.sival_int, taken[i].si_code, taken[i].si_pid == child, (int)taken[i].si_uid);
	return 0;
}

/* --- handled */

static int handled(void)
{
	for (int number = 1; number <= SIGRTMAX; number++) {
		if (!can_be_handled(number))
			continue;
		handle_with(number, take, 0);
		taken_count = 0;
		CHECK(raise(number) == 0);
		CHECK(sigqueue(getpid(), number, (union sigval){.sival_int = number}) == 0);
		printf("signal %d: %d", number, (int)taken_count);
		for (int i = 0; i < taken_count; i++)
			printf(", code %d own %d", taken[i].si_code, taken[i].si_pid == getpid());
		printf("\n");
	}
	return 0;
}

/* --- actions */

/* A group of its own, as otherwise the terminal's stop signals would do nothing in a group that nobody controls. */
static void default_action(int number)
{
	struct rlimit none = {0};
	(void)setpgid(0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)kill(getpid(), number);
	_exit(0);
}

static int actions(void)
{
	for (int number = 1; number <= SIGRTMAX; number++) {
		int status;
		(void)fflush(stdout);
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			default_action(number);
		CHECK(waitpid(pid, &status, WUNTRACED) == pid);
		printf("signal %d:", number);
		if (WIFSTOPPED(status)) {
			printf(" stopped by %d,", WSTOPSIG(status));
			CHECK(kill(pid, SIGCONT) == 0);
			CHECK(waitpid(pid, &status, 0) == pid);
		}
		if (WIFSIGNALED(status))
			printf(" killed by %d\n", WTERMSIG(status));
		else
			printf(" exit %d\n", WEXITSTATUS(status));
	}
	return 0;
}

/* --- inherit */

static int inherit(const char *self)
{
	sigset_t set;
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR1);
	(void)sigaddset(&set, SIGRTMIN + 1);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGRTMIN + 2, SIG_IGN);
	CHECK(kill(getpid(), SIGUSR1) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 10 + i}) == 0);
	(void)execl(self, self, "inherited", (char *)NULL);
	return 2;
}

static int inherited(void)
{
	char line[256];
	FILE *file = fopen("/proc/self/status", "re");
	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file))
		if ((strncmp(line, "Sig", 3) == 0 && line[3] != 'Q') || strncmp(line, "ShdPnd", 6) == 0)
			printf("%s", line);
	(void)fclose(file);
	sigset_t set;
	siginfo_t info;
	(void)sigprocmask(SIG_BLOCK, NULL, &set);
	const struct timespec now = {0};
	while (sigtimedwait(&set, &info, &now) > 0)
		printf("pending %d value %d\n", info.si_signo, info.si_code == SI_QUEUE ? info.si_value.sival_int : -1);
	return 0;
}

/* --- faults */

static sigjmp_buf before_fault;
static volatile sig_atomic_t fault_code;
static void *volatile fault_address;

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)context;
	fault_code = info->si_code;
	fault_address = info->si_addr;
	siglongjmp(before_fault, number);
}

static void touch(volatile char *address)
{
	*address = 1;
}

static void fault(const char *name, volatile char *address, long *count)
{
	for (volatile int i = 0; i < FAULTS; i++) {
		if (sigsetjmp(before_fault, 1) == 0) {
			touch(address);
			continue;
		}
		*count += fault_address == address;
	}
	printf("%s %ld code %d\n", name, *count, (int)fault_code);
}

static int faults(void)
{
	static char stack[64 * 1024];
	stack_t alternate = {.ss_sp = stack, .ss_size = sizeof(stack)};
	CHECK(sigaltstack(&alternate, NULL) == 0);
	handle_with(SIGSEGV, on_fault, SA_ONSTACK);
	handle_with(SIGBUS, on_fault, SA_ONSTACK);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *closed = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	FILE *empty = tmpfile();
	CHECK(closed != MAP_FAILED && empty);
	char *beyond = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(empty), 0);
	CHECK(beyond != MAP_FAILED);
	long closed_count = 0;
	long beyond_count = 0;
	fault("closed page", closed, &closed_count);
	fault("beyond the file", beyond, &beyond_count);
	return 0;
}

/* --- timers */

static volatile sig_atomic_t ticks;

static void tick(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	taken[0] = *info;
	ticks++;
}

static void await_ticks(int number)
{
	sigset_t none;
	sigset_t set;
	(void)sigemptyset(&none);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, number);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	ticks = 0;
	while (ticks < TICKS)
		(void)sigsuspend(&none);
}

static int timers(void)
{
	struct itimerval every = {{0, 1000}, {0, 1000}};
	handle_with(SIGALRM, tick, 0);
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	await_ticks(SIGALRM);
	every = (struct itimerval){0};
	CHECK(setitimer(ITIMER_REAL, &every, NULL) == 0);
	printf("interval timer: code %d\n", taken[0].si_code);

	struct sigevent event = {
		.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGRTMIN + 5, .sigev_value = {.sival_int = 77}};
	struct itimerspec interval = {{0, 1000000}, {0, 1000000}};
	timer_t timer;
	handle_with(SIGRTMIN + 5, tick, 0);
	CHECK(timer_create(CLOCK_MONOTONIC, &event, &timer) == 0);
	CHECK(timer_settime(timer, 0, &interval, NULL) == 0);
	await_ticks(SIGRTMIN + 5);
	printf("timer: code %d value %d\n", taken[0].si_code, taken[0].si_value.sival_int);
	return 0;
}

/* --- children */

static void await_child(const sigset_t *set, pid_t child, const char *what)
{
	siginfo_t info;
	int number;
	do
		number = sigwaitinfo(set, &info);
	while (number < 0 && errno == EINTR);
	printf("%s: signal %d code %d status %d own %d\n", what, number, info.si_code, info.si_status,
	       info.si_pid == child);
}

static void change(int go_on, int last_signal)
{
	char byte;
	(void)raise(SIGSTOP);
	CHECK(read(go_on, &byte, 1) == 1);
	(void)raise(last_signal);
	_exit(3);
}

static int children(void)
{
	const int ends[] = {0, SIGKILL, SIGTERM, SIGRTMIN};
	sigset_t set;
	int pipes[2];
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0 && pipe(pipes) == 0);
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		int status;
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			change(pipes[0], ends[i]);
		await_child(&set, pid, "stops");
		CHECK(kill(pid, SIGCONT) == 0);
		await_child(&set, pid, "goes on");
		CHECK(write(pipes[1], "x", 1) == 1);
		await_child(&set, pid, "ends");
		CHECK(waitpid(pid, &status, 0) == pid);
		printf("status %x\n", (unsigned)status);
	}
	return 0;
}

/* --- unwaited */

static int unwaited(void)
{
	(void)signal(SIGCHLD, SIG_IGN);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0)
			_exit(i);
	}
	/* Blocks until all have ended, none of which is told. */
	int status = -1;
	pid_t pid = waitpid(-1, &status, 0);
	printf("wait %d %s status %d\n", (int)pid, strerrorname_np(errno), status);
	return 0;
}

/* --- receive, send */

static volatile sig_atomic_t terms;

static void say(int number, siginfo_t *info, void *context)
{
	char line[4] = {(char)('0' + number / 10), (char)('0' + number % 10), info->si_code == SI_USER ? 'u' : '?',
			'\n'};
	(void)context;
	CHECK(write(1, line, sizeof(line)) == sizeof(line));
	terms += number == SIGTERM;
}

static int receive(void)
{
	sigset_t all;
	sigset_t none;
	(void)sigfillset(&all);
	(void)sigemptyset(&none);
	for (int number = 1; number <= SIGRTMAX; number++)
		if (can_be_handled(number))
			handle_with(number, say, 0);
	CHECK(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	CHECK(write(1, "ready\n", 6) == 6);
	while (terms < 2)
		(void)sigsuspend(&none);
	return 0;
}

static void hear(FILE *from)
{
	char line[64];
	CHECK(fgets(line, sizeof(line), from) != NULL);
	printf("%s", line);
}

static int send_all(char **argv)
{
	int pipes[2];
	CHECK(pipe(pipes) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		(void)dup2(pipes[1], 1);
		(void)close(pipes[0]);
		(void)close(pipes[1]);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	(void)close(pipes[1]);
	FILE *from = fdopen(pipes[0], "r");
	hear(from);
	for (int number = 1; number <= SIGRTMAX; number++)
		for (int i = 0; i < 3 && can_be_handled(number) && number != SIGTERM; i++) {
			CHECK(kill(pid, number) == 0);
			hear(from);
		}
	for (int i = 0; i < 2; i++) {
		CHECK(kill(pid, SIGTERM) == 0);
		hear(from);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
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
		{"handled", handled}, {"actions", actions},   {"inherited", inherited}, {"faults", faults},
		{"timers", timers},   {"children", children}, {"unwaited", unwaited},   {"receive", receive},
	};
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(what, modes[i].name) == 0)
			return modes[i].run();
	if (strcmp(what, "queue") == 0 || strcmp(what, "wait") == 0)
		return queue(what[0] == 'w');
	if (strcmp(what, "inherit") == 0)
		return inherit(argv[0]);
	if (strcmp(what, "send") == 0 && argc > 2)
		return send_all(argv + 2);
	return 2;
}

/* Children, in all the ways the kernel knows.  Prints only what is the same in each run.
 *
 * usage: children vfork      parent suspended until the child ends or executes; memory shared until then
 *        children spawn      posix_spawn(3) with its attributes, and its failures
 *        children clone      clone(2) with flags that decide whose child it is, and how its end is told
 *        children wait       who is told by which kind of wait
 *        children daemon FILE  fork twice with a session in between, and end; the daemon writes FILE last
 *        children birth      children killed as soon as they are born
 *        children orphans    parents killed while they fork; no child may stay behind
 *        children storm      processes killed while they fork, execute and take signals, round after round
 *        children wall       does a wait for any kind of child find one?
 *        children reaper     PR_SET_CHILD_SUBREAPER and PR_SET_PDEATHSIG
 *        children untraced   a child by CLONE_UNTRACED; prints whether it is traced all the same within two seconds
 *        children core FILE  a child dumps core; and one that is not dumpable
 *        children exec ARG   what the others execute */

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <linux/sched.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

enum {
	BIRTHS = 500,
	ORPHAN_ROUNDS = 150,
	STORM_ROUNDS = 60,
	STORM_PROCESSES = 8,
	STACK_BYTES = 256 * 1024,
};

static char *self;

static void report(const char *what, pid_t pid, int options)
{
	int status = -1;
	errno = 0;
	pid_t told = waitpid(pid, &status, options);
	if (told == pid && told > 0)
		printf("%s: status %x\n", what, (unsigned)status);
	else
		printf("%s: %d %s\n", what, (int)told, errno ? strerrorname_np(errno) : "");
}

/* --- vfork */

static int do_vfork(void)
{
	static volatile int shared;
	for (volatile int i = 0; i < 300; i++) {
		shared = 0;
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			shared = 1;
			_exit(3);
		}
		CHECK(shared == 1);
		int status;
		CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 3);
	}
	printf("memory is shared\n");
	(void)fflush(stdout);
	for (volatile int i = 0; i < 2; i++) {
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0) {
			(void)execl(i ? "/no/such/file" : self, self, "exec", "by vfork", (char *)NULL);
			_exit(127);
		}
		report("executed", pid, 0);
	}
	pid_t pid = vfork();
	CHECK(pid >= 0);
	if (pid == 0) {
		/* One within the other. */
		pid_t inner = vfork();
		if (inner == 0)
			_exit(4);
		int status = 0;
		(void)waitpid(inner, &status, 0);
		(void)kill(getpid(), SIGKILL);
		_exit(status);
	}
	report("killed", pid, 0);
	return 0;
}

/* --- spawn */

static int spawn(void)
{
	char *const arguments[] = {self, "exec", "spawned", NULL};
	char *const nothing[] = {"/no/such/file", NULL};
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_t actions;
	sigset_t set;
	pid_t pid;
	(void)fflush(stdout);
	CHECK(posix_spawnattr_init(&attributes) == 0 && posix_spawn_file_actions_init(&actions) == 0);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGUSR2);
	CHECK(posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSID) == 0);
	CHECK(posix_spawnattr_setsigmask(&attributes, &set) == 0);
	CHECK(posix_spawn_file_actions_adddup2(&actions, 1, 9) == 0);
	CHECK(posix_spawn(&pid, self, &actions, &attributes, arguments, environ) == 0);
	report("spawned", pid, 0);
	for (int i = 0; i < 50; i++) {
		int error = posix_spawn(&pid, nothing[0], NULL, NULL, nothing, environ);
		CHECK(error == ENOENT);
	}
	printf("fifty failures: %s\n", strerrorname_np(ENOENT));
	report("nobody", -1, 0);
	(void)fflush(stdout);
	printf("system: %x\n", (unsigned)system("exit 6"));
	FILE *from = popen("echo through a pipe; exit 7", "r");
	char line[64] = "";
	CHECK(from && fgets(line, sizeof(line), from));
	printf("popen: %s", line);
	printf("pclose: %x\n", (unsigned)pclose(from));
	return 0;
}

/* --- clone */

static pid_t clone_with(uint64_t flags, int exit_signal, int *pidfd)
{
	struct clone_args args = {
		.flags = flags, .exit_signal = (uint64_t)exit_signal, .pidfd = (uint64_t)(uintptr_t)pidfd};
	return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

static int enter(void *unused)
{
	(void)unused;
	(void)chdir("/usr");
	return 8;
}

static int do_clone(void)
{
	pid_t pid = clone_with(0, 0, NULL);
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(1);
	report("unseen by wait", -1, 0);
	report("no signal", pid, __WALL);

	(void)signal(SIGUSR1, SIG_IGN);
	pid = clone_with(0, SIGUSR1, NULL);
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(2);
	report("another signal", pid, 0);
	report("another signal", pid, __WCLONE);

	int pidfd = -1;
	pid = clone_with(CLONE_PIDFD, SIGCHLD, &pidfd);
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(3);
	struct pollfd ready = {.fd = pidfd, .events = POLLIN};
	CHECK(poll(&ready, 1, 10000) == 1);
	siginfo_t info = {0};
	CHECK(waitid((idtype_t)P_PIDFD, (id_t)pidfd, &info, WEXITED) == 0);
	printf("pidfd: code %d status %d own %d\n", info.si_code, info.si_status, info.si_pid == pid);

	/* A sibling: child of our parent, that is told of its end. */
	pid_t parent = fork();
	CHECK(parent >= 0);
	if (parent == 0) {
		int pipes[2];
		CHECK(pipe(pipes) == 0);
		pid_t ppid = getppid();
		pid_t sibling = clone_with(CLONE_PARENT, 0, NULL);
		CHECK(sibling >= 0);
		if (sibling == 0)
			_exit(getppid() == ppid ? 4 : 40);
		(void)waitpid(-1, NULL, __WALL);
		_exit(errno == ECHILD ? 5 : 50);
	}
	int sum = 0;
	for (int i = 0; i < 2; i++) {
		int status;
		CHECK(waitpid(-1, &status, 0) > 0 && WIFEXITED(status));
		sum += WEXITSTATUS(status);
	}
	printf("siblings: %d\n", sum);

	/* A process with our working directory and memory. */
	char *stack = malloc(STACK_BYTES);
	CHECK(stack != NULL);
	pid = clone(enter, stack + STACK_BYTES, CLONE_FS | CLONE_VM | SIGCHLD, NULL);
	CHECK(pid > 0);
	report("shares", pid, 0);
	char cwd[64];
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)));
	report("nobody", -1, 0);
	return 0;
}

/* --- untraced */

static int is_traced(void)
{
	char line[128];
	int tracer = 0;
	FILE *file = fopen("/proc/self/status", "re");
	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "TracerPid: %d", &tracer) == 1)
			break;
	(void)fclose(file);
	return tracer != 0;
}

static int untraced(void)
{
	int was_traced = is_traced();
	pid_t pid = clone_with(CLONE_UNTRACED, SIGCHLD, NULL);
	CHECK(pid >= 0);
	if (pid == 0) {
		struct timespec from;
		struct timespec now;
		long ms;
		(void)clock_gettime(CLOCK_MONOTONIC, &from);
		do {
			(void)clock_gettime(CLOCK_MONOTONIC, &now);
			ms = (now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000;
		} while (was_traced && !is_traced() && ms < 2000);
		printf("found %d ms %ld\n", is_traced(), ms);
		(void)fflush(stdout);
		(void)execl(self, self, "exec", "untraced", (char *)NULL);
		_exit(127);
	}
	report("untraced", pid, 0);
	return 0;
}

/* --- wait */

static pid_t start_exit(int code, pid_t group)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		(void)setpgid(0, group);
		_exit(code);
	}
	(void)setpgid(pid, group);
	return pid;
}

static int do_wait(void)
{
	report("none", -1, 0);
	report("not ours", 1, 0);
	int pipes[2];
	CHECK(pipe(pipes) == 0);
	pid_t sleeper = fork();
	CHECK(sleeper >= 0);
	if (sleeper == 0) {
		char byte;
		(void)close(pipes[1]);
		_exit(read(pipes[0], &byte, 1) == 0 ? 11 : 12);
	}
	errno = 0;
	printf("not yet: %d\n", (int)waitpid(-1, NULL, WNOHANG));

	pid_t ended = start_exit(21, 0);
	siginfo_t info = {0};
	CHECK(waitid(P_PID, (id_t)ended, &info, WEXITED | WNOWAIT) == 0);
	printf("looked at: code %d status %d own %d\n", info.si_code, info.si_status, info.si_pid == ended);
	char path[64];
	char line[256];
	char state = '?';
	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)ended);
	FILE *file = fopen(path, "re");
	CHECK(file && fgets(line, sizeof(line), file) && sscanf(line, "%*d (%*[^)]) %c", &state) == 1);
	(void)fclose(file);
	printf("still there: %c, can be signalled %d\n", state, kill(ended, 0) == 0);
	report("taken", ended, 0);
	report("gone", ended, 0);
	printf("signal to it: %s\n", kill(ended, 0) < 0 ? strerrorname_np(errno) : "sent");

	pid_t one = start_exit(31, 0);
	pid_t two = start_exit(31, 0);
	int status;
	CHECK(waitpid(-two, &status, 0) == two);
	CHECK(waitpid(-one, &status, 0) == one);
	printf("by group: %x\n", (unsigned)status);

	(void)close(pipes[1]);
	struct rusage usage = {0};
	pid_t told = wait4(-1, &status, 0, &usage);
	printf("last: own %d status %x resident %d\n", told == sleeper, (unsigned)status, usage.ru_maxrss > 0);
	report("none", -1, 0);

	/* Many at once, and each is told once. */
	int seen[200] = {0};
	for (int i = 0; i < 200; i++)
		(void)start_exit(i, 0);
	while (wait(&status) > 0)
		seen[WEXITSTATUS(status)]++;
	for (int i = 0; i < 200; i++)
		CHECK(seen[i] == 1);
	printf("200 of 200\n");
	return 0;
}

static int wall(void)
{
	errno = 0;
	pid_t found = waitpid(-1, NULL, __WALL | WNOHANG);
	printf("any child: %d %s\n", (int)found, errno ? strerrorname_np(errno) : "not ended");
	return 0;
}

/* --- daemon */

static int daemonize(const char *path)
{
	int pipes[2];
	char byte;
	CHECK(pipe(pipes) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(setsid() == getpid());
		pid_t middle = getpid();
		pid = fork();
		CHECK(pid >= 0);
		if (pid > 0)
			_exit(0);
		(void)close(pipes[1]);
		/* Until the first process has ended, and the one in between. */
		CHECK(read(pipes[0], &byte, 1) == 0);
		while (getppid() == middle)
			(void)sched_yield();
		CHECK(chdir("/") == 0);
		(void)umask(0);
		char temporary[4096];
		(void)snprintf(temporary, sizeof(temporary), "%s.new", path);
		FILE *file = fopen(temporary, "we");
		CHECK(file != NULL);
		(void)fprintf(file, "own session %d, leader %d\n", getsid(0) == middle, getsid(0) == getpid());
		(void)fflush(file);
		pid = fork();
		if (pid == 0) {
			(void)execl(self, self, "exec", "daemon", (char *)NULL);
			_exit(127);
		}
		int status = 0;
		(void)waitpid(pid, &status, 0);
		(void)fprintf(file, "its child: %x\n", (unsigned)status);
		(void)fclose(file);
		_exit(rename(temporary, path) == 0 ? 0 : 2);
	}
	CHECK(waitpid(pid, NULL, 0) == pid);
	return 0;
}

/* --- birth, orphans, storm */

/* A different moment in each round; not by sched_yield(2), which takes as long as the machine is busy. */
static void spin(int us)
{
	struct timespec from;
	struct timespec now;
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	do
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000 + (now.tv_nsec - from.tv_nsec) / 1000 < us);
}

static int birth(void)
{
	int killed = 0;
	for (int i = 0; i < BIRTHS; i++) {
		int status;
		pid_t pid = i % 2 ? fork() : (pid_t)syscall(SYS_clone, SIGCHLD, NULL, NULL, NULL, 0L);
		CHECK(pid >= 0);
		if (pid == 0)
			for (;;)
				(void)pause();
		CHECK(kill(pid, SIGKILL) == 0);
		CHECK(waitpid(pid, &status, 0) == pid);
		killed += status == SIGKILL;
	}
	printf("killed %d\n", killed);
	return 0;
}

static void breed(void)
{
	for (;;) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		(void)waitpid(-1, NULL, WNOHANG);
	}
}

/* Whoever stays behind would hold the pipe open. */
static int orphans(void)
{
	for (int i = 0; i < ORPHAN_ROUNDS; i++) {
		int pipes[2];
		char byte;
		CHECK(pipe(pipes) == 0);
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			(void)close(pipes[0]);
			CHECK(write(pipes[1], "x", 1) == 1);
			breed();
		}
		(void)close(pipes[1]);
		CHECK(read(pipes[0], &byte, 1) == 1);
		spin(i * 10);
		CHECK(kill(pid, SIGKILL) == 0);
		int status;
		CHECK(waitpid(pid, &status, 0) == pid && status == SIGKILL);
		CHECK(read(pipes[0], &byte, 1) == 0);
		(void)close(pipes[0]);
	}
	printf("nobody stays behind\n");
	return 0;
}

static void on_signal(int number)
{
	(void)number;
}

static void be_busy(int how)
{
	(void)signal(SIGUSR1, on_signal);
	for (;;)
		switch (how % 4) {
		case 0:
			(void)raise(SIGUSR1);
			break;
		case 1: {
			pid_t pid = fork();
			if (pid == 0)
				_exit(0);
			(void)waitpid(pid, NULL, 0);
			break;
		}
		case 2:
			(void)raise(SIGWINCH);
			break;
		default:
			(void)execl(self, self, "busy", (char *)NULL);
		}
}

static int storm(void)
{
	int killed = 0;
	for (int round = 0; round < STORM_ROUNDS; round++) {
		pid_t pids[STORM_PROCESSES];
		for (int i = 0; i < STORM_PROCESSES; i++) {
			pids[i] = fork();
			CHECK(pids[i] >= 0);
			if (pids[i] == 0) {
				(void)setpgid(0, 0);
				be_busy(i);
			}
			(void)setpgid(pids[i], pids[i]);
		}
		spin(round * 50);
		for (int i = 0; i < STORM_PROCESSES; i++)
			CHECK(kill(-pids[i], SIGKILL) == 0);
		for (int i = 0; i < STORM_PROCESSES; i++) {
			int status;
			CHECK(waitpid(pids[i], &status, 0) == pids[i]);
			killed += status == SIGKILL;
		}
	}
	printf("killed %d\n", killed);
	(void)fflush(stdout);
	/* And whoever is started now is looked after as before. */
	pid_t pid = fork();
	if (pid == 0) {
		(void)execl(self, self, "exec", "afterwards", (char *)NULL);
		_exit(127);
	}
	report("afterwards", pid, 0);
	return 0;
}

/* --- reaper */

static int reaper(void)
{
	CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		pid_t middle = getpid();
		pid = fork();
		if (pid == 0) {
			while (getppid() == middle)
				(void)sched_yield();
			_exit(5);
		}
		_exit(4);
	}
	report("child", pid, 0);
	int status = -1;
	CHECK(waitpid(-1, &status, 0) > 0);
	printf("orphan: status %x\n", (unsigned)status);

	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		int pipes[2];
		char byte;
		CHECK(pipe(pipes) == 0);
		pid = fork();
		if (pid == 0) {
			CHECK(prctl(PR_SET_PDEATHSIG, SIGTERM) == 0);
			CHECK(write(pipes[1], "x", 1) == 1);
			for (;;)
				(void)pause();
		}
		CHECK(read(pipes[0], &byte, 1) == 1);
		_exit(4);
	}
	report("child", pid, 0);
	CHECK(waitpid(-1, &status, 0) > 0);
	printf("orphan: status %x\n", (unsigned)status);
	return 0;
}

/* --- core */

static int dump(const char *dir)
{
	CHECK(chdir(dir) == 0);
	struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	(void)getrlimit(RLIMIT_CORE, &all);
	all.rlim_cur = all.rlim_max;
	CHECK(setrlimit(RLIMIT_CORE, &all) == 0);
	for (int dumpable = 1; dumpable >= 0; dumpable--) {
		pid_t pid = fork();
		CHECK(pid >= 0);
		if (pid == 0) {
			CHECK(prctl(PR_SET_DUMPABLE, dumpable, 0, 0, 0) == 0);
			(void)raise(SIGSEGV);
		}
		report(dumpable ? "dumpable" : "not dumpable", pid, 0);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	static const struct {
		const char *name;
		int (*run)(void);
	} modes[] = {
		{"vfork", do_vfork},  {"spawn", spawn}, {"clone", do_clone}, {"wait", do_wait}, {"birth", birth},
		{"orphans", orphans}, {"storm", storm}, {"reaper", reaper},  {"wall", wall},    {"untraced", untraced},
	};
	self = argv[0];
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(what, modes[i].name) == 0)
			return modes[i].run();
	if (strcmp(what, "daemon") == 0 && argc > 2)
		return daemonize(argv[2]);
	if (strcmp(what, "core") == 0 && argc > 2)
		return dump(argv[2]);
	if (strcmp(what, "busy") == 0)
		be_busy(3);
	if (strcmp(what, "exec") == 0 && argc > 2) {
		sigset_t blocked;
		(void)sigprocmask(SIG_BLOCK, NULL, &blocked);
		printf("%s: leads a session %d, USR2 blocked %d, has 9 %d\n", argv[2], getsid(0) == getpid(),
		       sigismember(&blocked, SIGUSR2), fcntl(9, F_GETFD) >= 0);
		return 9;
	}
	return 2;
}

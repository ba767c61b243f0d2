/* The application of images without a shell, or without any library: says what it can learn of itself, starts programs, and
 * serves until SIGTERM.  What it says is to be the same with the sensor and without.
 *
 * usage: app              say, start, serve; ends with exit code 42
 *        app hold MIB     the same with so much memory in use
 *        app child MARK   what it starts; ends with exit code 3
 *
 * C11 and POSIX alone: it is linked with glibc, with glibc statically, and with musl. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	if (!dir)
		return;
	for (struct dirent *entry; (entry = readdir(dir));) {
		char path[64];
		char target[256];
		if (entry->d_name[0] == '.' || strtol(entry->d_name, NULL, 10) == dirfd(dir))
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/fd/%.8s", entry->d_name);
		ssize_t n = readlink(path, target, sizeof(target) - 1);
		target[n < 0 ? 0 : n] = '\0';
		printf("fd %s %s\n", entry->d_name, target);
	}
	(void)closedir(dir);
}

static void print_status(void)
{
	static const char *const wanted[] = {
		"SigPnd:", "ShdPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "Uid:",        "Gid:",    "Groups:",
		"CapInh:", "CapPrm:", "CapEff:", "CapAmb:", "CapBnd:", "NoNewPrivs:", "Seccomp:"};
	char line[512];
	FILE *file = fopen("/proc/self/status", "r");
	if (!file)
		return;
	while (fgets(line, sizeof(line), file))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
			if (strncmp(line, wanted[i], strlen(wanted[i])) == 0)
				printf("%s", line);
	(void)fclose(file);
}

/* May it be written to?  Nothing is. */
static void print_writable(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	printf("%s %s\n", path, fd < 0 ? strerror(errno) : "can be written");
	if (fd >= 0)
		(void)close(fd);
}

static void print_all(int argc, char **argv)
{
	for (int i = 0; i < argc; i++)
		printf("argv %s\n", argv[i]);
	printf("pid %d\nppid %d\npgrp %d\nsession %d\n", (int)getpid(), (int)getppid(), (int)getpgrp(), (int)getsid(0));
	for (char **variable = environ; *variable; variable++)
		printf("env %s\n", *variable);
	char cwd[4096];
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)));
	mode_t mask = umask(0);
	(void)umask(mask);
	printf("umask %o\n", (unsigned)mask);
	for (int resource = 0; resource < 16; resource++) { /* all that Linux has */
		struct rlimit limit;
		if (getrlimit(resource, &limit) == 0)
			printf("rlimit %d %llu %llu\n", resource, (unsigned long long)limit.rlim_cur,
			       (unsigned long long)limit.rlim_max);
	}
	print_descriptors();
	print_status();
	print_writable("/proc/sys/kernel/hostname");
	print_writable("/tmp");
}

/* What it started has a child of its own, which outlives it and becomes ours when we are the first process. */
static void start(const char *self, const char *mark)
{
	(void)fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		if (fork() == 0)
			_exit(5);
		(void)execl(self, self, "child", mark, (char *)NULL);
		_exit(127);
	}
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	printf("child %s: status %d\n", mark, status);
}

static int last_signal;

static void on_signal(int signal)
{
	last_signal = signal;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "child") == 0) {
		fprintf(stderr, "child %s\n", argv[2]);
		return 3;
	}
	sigset_t set;
	sigset_t before;
	struct sigaction action = {.sa_handler = on_signal};
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	print_all(argc, argv);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	(void)sigaction(SIGTERM, &action, NULL);
	for (int i = 0; i < 3; i++) {
		char mark[16];
		(void)snprintf(mark, sizeof(mark), "marked%d", i);
		start(argv[0], mark);
	}
	if (getpid() == 1) { /* orphans, in any order */
		int ended = 0;
		for (int status; waitpid(-1, &status, 0) > 0;)
			ended += WIFEXITED(status) && WEXITSTATUS(status) == 5;
		printf("orphans %d, %s\n", ended, strerror(errno));
	}
	if (argc == 3 && strcmp(argv[1], "hold") == 0) {
		size_t bytes = (size_t)strtoul(argv[2], NULL, 10) << 20;
		char *memory = malloc(bytes);
		if (memory)
			memset(memory, 1, bytes);
		printf("holds %d\n", memory && memory[bytes / 2] == 1);
	}
	printf("ready\n");
	(void)fflush(stdout);
	while (!last_signal)
		(void)sigsuspend(&before);
	printf("signal %d\n", last_signal);
	return 42;
}

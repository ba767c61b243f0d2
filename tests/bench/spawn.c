/* A storm of processes: starts PROGRAM so many times, one after the other, and writes how many nanoseconds that took.
 *
 * `fork` is fork and execve, as a shell does it.  `posix_spawn` shares the memory until the execve, as the runtimes of
 * Python, Java or Node do; it also resets 64 signals in each child, and strace stops at each of these calls even with
 * --seccomp-bpf, which makes it look worse than it usually is. */
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

static pid_t by_fork(char *const *words)
{
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	(void)execve(words[0], words, environ);
	_exit(127);
}

static pid_t by_posix_spawn(char *const *words)
{
	pid_t pid;
	return posix_spawn(&pid, words[0], NULL, NULL, words, environ) == 0 ? pid : -1;
}

int main(int argc, char **argv)
{
	long count = argc == 4 ? strtol(argv[2], NULL, 10) : 0;
	if (count <= 0 || (strcmp(argv[1], "fork") != 0 && strcmp(argv[1], "posix_spawn") != 0)) {
		(void)fprintf(stderr, "usage: spawn fork|posix_spawn COUNT PROGRAM\n");
		return 2;
	}
	pid_t (*start)(char *const *) = strcmp(argv[1], "fork") == 0 ? by_fork : by_posix_spawn;
	char *const words[] = {argv[3], NULL};

	int64_t begin = mw_clock_mono_ns();
	for (long i = 0; i < count; i++) {
		pid_t pid = start(words);
		int status;
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
			(void)fprintf(stderr, "spawn: number %ld did not end well\n", i);
			return 1;
		}
	}
	(void)printf("%" PRId64 "\n", mw_clock_mono_ns() - begin);
	return 0;
}

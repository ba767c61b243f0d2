/* Start /bin/true N times, one after the other, each with its number as argument.
 *
 * usage: storm N [fork]    by vfork (posix_spawn), or by fork and exec */

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t start(char *const argv[], int by_fork)
{
	pid_t pid;
	if (!by_fork)
		return posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) == 0 ? pid : -1;
	pid = fork();
	if (pid == 0) {
		(void)execv(argv[0], argv);
		_exit(127);
	}
	return pid;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
	for (long i = 0; i < n; i++) {
		char number[24];
		(void)snprintf(number, sizeof(number), "%ld", i);
		char program[] = "/bin/true";
		char *const arguments[] = {program, number, NULL};
		int status;
		pid_t pid = start(arguments, argc > 2);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
			(void)fprintf(stderr, "storm: number %ld failed\n", i);
			return 1;
		}
	}
	return 0;
}

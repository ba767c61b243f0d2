/* A storm of processes: spawn COUNT PROGRAM starts the program so many times, one after the other, as a
 * shell does, by fork and execve.  (posix_spawn(3) resets 64 signals in each child, and strace stops at each of these
 * calls even with --seccomp-bpf: that would show it ten times slower than it usually is.) */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long count = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
	if (count <= 0) {
		fprintf(stderr, "usage: spawn COUNT PROGRAM\n");
		return 2;
	}
	char *const words[] = {argv[2], NULL};
	for (long i = 0; i < count; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			(void)execve(words[0], words, environ);
			_exit(127);
		}
		int status;
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
			fprintf(stderr, "spawn: number %ld did not end well\n", i);
			return 1;
		}
	}
	return 0;
}

/* Children that a tracer is not told of.
 *
 * usage: untraced COMMAND [ARG…]    clone(2) with CLONE_UNTRACED; the child waits until it is traced, 10 s at most, and
 *                                   executes the command; the exit code is its own
 *        untraced -q N              N such children, one after the other, that end at once */

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static pid_t clone_untraced(void)
{
	return (pid_t)syscall(SYS_clone, CLONE_UNTRACED | SIGCHLD, NULL, NULL, NULL, 0L);
}

static int is_traced(void)
{
	char line[256];
	int pid = 0;
	FILE *file = fopen("/proc/self/status", "re");
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "TracerPid: %d", &pid) == 1)
			break;
	if (file)
		(void)fclose(file);
	return pid != 0;
}

int main(int argc, char **argv)
{
	int status;
	if (argc == 3 && strcmp(argv[1], "-q") == 0) {
		for (long n = strtol(argv[2], NULL, 10); n > 0; n--) {
			pid_t pid = clone_untraced();
			if (pid == 0)
				_exit(0);
			if (pid < 0 || waitpid(pid, &status, 0) != pid)
				return 2;
		}
		return 0;
	}
	if (argc < 2)
		return 2;
	pid_t pid = clone_untraced();
	if (pid == 0) {
		time_t end = time(NULL) + 10;
		while (!is_traced() && time(NULL) < end)
			;
		(void)execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 2;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

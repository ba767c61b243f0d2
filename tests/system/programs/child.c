/* Run a command and tell what its parent sees of it.
 *
 * usage: child OUT ERR COMMAND [ARG…]    Standard output and error go to the files OUT and ERR.
 *
 * Prints one line: "pid PID ppid PPID", then "exit CODE" or "signal NUMBER" (" core" when it dumped one), then
 * "stops N", how often the parent was told that the child stopped; it continues it each time. */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		return 2;
	pid_t pid = fork();
	if (pid < 0)
		return 2;
	if (pid == 0) {
		int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		int err = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (out < 0 || err < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
			_exit(2);
		(void)close(out);
		(void)close(err);
		(void)execvp(argv[3], argv + 3);
		_exit(2);
	}
	int status;
	int stops = 0;
	for (;;) {
		if (waitpid(pid, &status, WUNTRACED) != pid)
			return 2;
		if (WIFEXITED(status) || WIFSIGNALED(status))
			break;
		stops++;
		if (kill(pid, SIGCONT) < 0)
			return 2;
	}
	printf("pid %d ppid %d ", (int)pid, (int)getpid());
	if (WIFEXITED(status))
		printf("exit %d ", WEXITSTATUS(status));
	else
		printf("signal %d%s ", WTERMSIG(status), WCOREDUMP(status) ? " core" : "");
	printf("stops %d\n", stops);
	return 0;
}

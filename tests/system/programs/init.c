/* A first process of a PID namespace, with its rights and duties.
 *
 * usage: init immune      signals that it has no handler for, sent from within, do nothing, SIGKILL neither
 *        init stop        SIGSTOP from within does nothing, either
 *        init handles     those that it has a handler for arrive
 *        init orphans     orphans become its children, and it learns how they ended
 *        init ends        ends while others run, with exit code 6; they end with it
 *        init waits       tells "ready", and ends with exit code 8 on SIGTERM; other signals do nothing */

#include <sched.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	handled = number;
}

/* A child sends it, as the sender of a signal to itself is not within but the same. */
static void send_from_child(int number)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		_exit(kill(1, number) == 0 ? 0 : 1);
	int status;
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

static int immune(void)
{
	static const int numbers[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM, SIGUSR1, SIGSEGV,
				      SIGABRT, SIGTSTP, SIGTTIN, SIGKILL, 40};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		send_from_child(numbers[i]);
		printf("survived %d\n", numbers[i]);
	}
	return 0;
}

static int stop(void)
{
	send_from_child(SIGSTOP);
	printf("not stopped\n");
	return 0;
}

static int handles(void)
{
	static const int numbers[] = {SIGTERM, SIGHUP, SIGUSR1, 40};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		(void)signal(numbers[i], on_signal);
		handled = 0;
		send_from_child(numbers[i]);
		while (!handled)
			(void)sched_yield();
		printf("handled %d\n", (int)handled);
	}
	return 0;
}

static int orphans(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		for (int i = 0; i < 5; i++)
			if (fork() == 0) {
				while (getppid() != 1)
					(void)sched_yield();
				_exit(10 + i);
			}
		_exit(3);
	}
	int sum = 0;
	int count = 0;
	for (int status; wait(&status) > 0; count++)
		sum += WEXITSTATUS(status);
	printf("%d ended, sum %d, then %s\n", count, sum, strerrorname_np(errno));
	return 0;
}

static int ends(void)
{
	for (int i = 0; i < 3; i++) {
		pid_t pid = fork();
		while (pid == 0)
			(void)pause();
	}
	return 6;
}

static int waits(void)
{
	sigset_t set;
	sigset_t none;
	(void)sigemptyset(&set);
	(void)sigemptyset(&none);
	(void)sigaddset(&set, SIGTERM);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)signal(SIGTERM, on_signal);
	printf("ready\n");
	while (handled != SIGTERM)
		(void)sigsuspend(&none);
	return 8;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	static const struct {
		const char *name;
		int (*run)(void);
	} modes[] = {{"immune", immune},   {"stop", stop}, {"handles", handles},
		     {"orphans", orphans}, {"ends", ends}, {"waits", waits}};
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(what, modes[i].name) == 0)
			return modes[i].run();
	return 2;
}

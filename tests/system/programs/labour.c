/* An application that works hard and knows when it was harmed: threads that start numbered programs in several ways and check
 * how each ended, and one that sends itself signals.
 *
 * usage: labour FILE       until FILE (torment.h) says stop; then prints one line, and ends with exit code 42
 *        labour die NUMBER ends by SIGTERM */

#include "torment.h"

#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>

static struct labour *labour;
static char *self;

enum way {
	SPAWN,  /* vfork and exec */
	FORK,   /* fork and exec */
	THREAD, /* by a thread made for it */
	SIGNAL, /* it ends by a signal */
	WAYS,
};

static int start(char *const argv[], int by_fork)
{
	pid_t pid;
	int status;
	if (!by_fork) {
		if (posix_spawn(&pid, argv[0], NULL, NULL, argv, environ) != 0)
			return -1;
	} else if ((pid = fork()) == 0) {
		(void)execv(argv[0], argv);
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}

static int start_true(char *number)
{
	char *const argv[] = {"/bin/true", number, NULL};
	return start(argv, 0);
}

static void *thread_body(void *number)
{
	return (void *)(long)start_true(number);
}

static int is_right(unsigned long n)
{
	char number[24];
	void *status = NULL;
	pthread_t thread;
	(void)snprintf(number, sizeof(number), "%lu", n);
	char *const fails[] = {"/bin/false", number, NULL};
	char *const dies[] = {self, "die", number, NULL};
	switch ((enum way)(n % WAYS)) {
	case SPAWN:
		return start_true(number) == 0;
	case FORK:
		return start(fails, 1) == 1 << 8;
	case THREAD:
		return pthread_create(&thread, NULL, thread_body, number) == 0 && pthread_join(thread, &status) == 0 &&
		       !status;
	default:
		return start(dies, 0) == SIGTERM;
	}
}

static void *work(void *data)
{
	atomic_ulong *at = data;
	while (!atomic_load(&labour->stop)) {
		unsigned long n = atomic_fetch_add(&labour->next, 1);
		if (!is_right(n)) {
			(void)fprintf(stderr, "labour: number %lu ended wrong\n", n);
			(void)atomic_fetch_add(&labour->wrong, 1);
		}
		atomic_store(at, atomic_load(&labour->next)); /* a bound of what comes next, which nobody has drawn */
	}
	return NULL;
}

static void count(int signal)
{
	(void)signal;
	(void)atomic_fetch_add(&labour->signals_got, 1);
}

/* A tracer that is killed between being told of a signal and passing it on takes the signal with it (the kernel's doing), so
 * torment counts rather than demands. */
static void *send_signals(void *data)
{
	while (!atomic_load(&labour->stop)) {
		(void)atomic_fetch_add(&labour->signals_sent, 1);
		(void)pthread_kill(pthread_self(), SIGRTMIN);
		(void)usleep(500); /* many, but not what all time goes to */
	}
	return data;
}

int main(int argc, char **argv)
{
	static pthread_t threads[WORKERS + 1];
	self = argv[0];
	if (argc == 3 && strcmp(argv[1], "die") == 0)
		for (;;)
			(void)raise(SIGTERM); /* again, should it be lost */
	if (argc != 2)
		return 2;
	labour = labour_map(argv[1]);
	const struct sigaction action = {.sa_handler = count, .sa_flags = SA_RESTART};
	(void)sigaction(SIGRTMIN, &action, NULL);
	for (int i = 0; i < WORKERS; i++)
		if (pthread_create(&threads[i], NULL, work, &labour->at[i]) != 0)
			return 2;
	if (pthread_create(&threads[WORKERS], NULL, send_signals, NULL) != 0)
		return 2;
	for (int i = 0; i <= WORKERS; i++)
		(void)pthread_join(threads[i], NULL);
	printf("%s\n", atomic_load(&labour->wrong) ? "wrong" : "right");
	return LABOUR_EXIT;
}

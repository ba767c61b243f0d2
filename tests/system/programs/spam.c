/* Does a storm in some threads starve others?  Threads that send themselves signals without end, and beside them, as old as they
 * are or older, one that needs the tracer rarely.
 *
 * usage: spam SPAMMERS ROUNDS    prints the longest time, in ms, that a round of the bystander took: one signal handled and
 *                                one child started and waited for */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static atomic_int handled;
static atomic_int spamming;

static void on_signal(int number)
{
	if (number == SIGUSR2)
		(void)atomic_fetch_add(&handled, 1);
}

static void *spam(void *data)
{
	(void)atomic_fetch_add(&spamming, 1);
	for (;;)
		(void)raise(SIGUSR1);
	return data;
}

static double now_ms(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	CHECK(argc == 3);
	int spammers = (int)strtol(argv[1], NULL, 10);
	int rounds = (int)strtol(argv[2], NULL, 10);
	(void)signal(SIGUSR1, on_signal);
	(void)signal(SIGUSR2, on_signal);
	for (int i = 0; i < spammers; i++) {
		pthread_t thread;
		CHECK(pthread_create(&thread, NULL, spam, NULL) == 0);
	}
	while (atomic_load(&spamming) < spammers)
		;
	double longest = 0;
	for (int i = 0; i < rounds; i++) {
		double from = now_ms();
		CHECK(raise(SIGUSR2) == 0 && atomic_load(&handled) == i + 1);
		pid_t pid = vfork();
		CHECK(pid >= 0);
		if (pid == 0)
			_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
		double took = now_ms() - from;
		longest = took > longest ? took : longest;
	}
	printf("%.1f\n", longest);
	(void)fflush(stdout);
	_exit(0);
}

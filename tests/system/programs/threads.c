/* Programs with threads whose ends are hard for a tracer.
 *
 * usage: threads many [N]   threads in N rounds of 100, 20 without N; exit code 0
 *        threads exec       a thread that is not the leader executes /bin/echo
 *        threads leader     the leader leaves first, the last thread ends with exit code 0
 *        threads exit       exit(7) by a thread while 50 others sleep
 *        threads alive      2,000 threads alive at once; prints how many there are
 *        threads forkexec   a thread that is not the leader executes /bin/echo while four others fork
 *        threads busyexit   exit(7) by a thread while 50 others fork, take signals and make threads
 *        threads kill       the same, ended by SIGKILL */

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum {
	ROUNDS = 20,
	ROUND = 100,
	SLEEPERS = 50,
	ALIVE = 2000,
	FORKERS = 4,
	STACK_BYTES = 64 * 1024,
};

static void *nothing(void *data)
{
	return data;
}

static void *sleeper(void *data)
{
	(void)pause();
	return data;
}

static void *executor(void *data)
{
	(void)execl("/bin/echo", "echo", "from a thread", (char *)NULL);
	return data;
}

/* Wait until the leader sleeps.  A tracer that restarts it from another stop at the very moment the group ends lets it pass
 * its exit stop unseen (ptrace(2), BUGS), which is not what is tried here. */
static void *ender(void *data)
{
	char line[64];
	char path[64];
	char state = '?';
	(void)snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
	while (state != 'S') {
		FILE *file = fopen(path, "re");
		if (!file || !fgets(line, sizeof(line), file) || sscanf(line, "%*d (%*[^)]) %c", &state) != 1)
			abort();
		(void)fclose(file);
	}
	exit(7);
	return data;
}

static void *last(void *leader)
{
	(void)pthread_join(*(pthread_t *)leader, NULL);
	exit(0);
}

static pthread_barrier_t barrier;

static void *meet(void *data)
{
	(void)pthread_barrier_wait(&barrier); /* all are alive */
	(void)pthread_barrier_wait(&barrier); /* they have been counted */
	return data;
}

static int count_alive(void)
{
	static pthread_t threads[ALIVE];
	pthread_attr_t attributes;
	char line[128];
	CHECK(pthread_attr_init(&attributes) == 0 && pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
	CHECK(pthread_barrier_init(&barrier, NULL, ALIVE + 1) == 0);
	for (int i = 0; i < ALIVE; i++)
		CHECK(pthread_create(&threads[i], &attributes, meet, NULL) == 0);
	(void)pthread_barrier_wait(&barrier);
	FILE *file = fopen("/proc/self/status", "re");
	CHECK(file != NULL);
	while (fgets(line, sizeof(line), file))
		if (strncmp(line, "Threads:", 8) == 0)
			printf("%s", line);
	(void)fclose(file);
	(void)pthread_barrier_wait(&barrier);
	for (int i = 0; i < ALIVE; i++)
		CHECK(pthread_join(threads[i], NULL) == 0);
	return 0;
}

static atomic_int forks;

static void *forker(void *data)
{
	for (;;) {
		pid_t pid = fork();
		if (pid == 0)
			_exit(0);
		CHECK(waitpid(pid, NULL, 0) == pid);
		(void)atomic_fetch_add(&forks, 1);
	}
	return data;
}

/* Until each of the others has forked. */
static void await_forks(void)
{
	while (atomic_load(&forks) < 5 * FORKERS)
		;
}

static void *late_executor(void *data)
{
	await_forks();
	return executor(data);
}

static void on_signal(int number)
{
	(void)number;
}

static void *signaller(void *data)
{
	for (;;)
		(void)raise(SIGUSR1);
	return data;
}

static void *maker(void *data)
{
	pthread_t thread;
	for (;;)
		if (pthread_create(&thread, NULL, nothing, NULL) == 0)
			(void)pthread_join(thread, NULL);
	return data;
}

static void be_busy(void)
{
	static pthread_t threads[SLEEPERS];
	static void *(*const bodies[])(void *) = {forker, signaller, maker, sleeper, sleeper};
	(void)signal(SIGUSR1, on_signal);
	for (int i = 0; i < SLEEPERS; i++)
		CHECK(pthread_create(&threads[i], NULL, bodies[i % 5], NULL) == 0);
}

static void *busy_ender(void *data)
{
	await_forks();
	_exit(7);
	return data;
}

static void start(pthread_t *thread, void *(*body)(void *), void *data)
{
	if (pthread_create(thread, NULL, body, data) != 0)
		abort();
}

int main(int argc, char **argv)
{
	static pthread_t threads[ROUND];
	static pthread_t leader;
	const char *what = argc > 1 ? argv[1] : "";
	if (strcmp(what, "many") == 0) {
		long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : ROUNDS;
		for (long round = 0; round < rounds; round++) {
			for (int i = 0; i < ROUND; i++)
				start(&threads[i], nothing, NULL);
			for (int i = 0; i < ROUND; i++)
				(void)pthread_join(threads[i], NULL);
		}
		return 0;
	}
	if (strcmp(what, "exec") == 0) {
		for (int i = 0; i < 3; i++)
			start(&threads[i], sleeper, NULL);
		start(&threads[3], executor, NULL);
		(void)pause();
	}
	if (strcmp(what, "leader") == 0) {
		leader = pthread_self();
		start(&threads[0], last, &leader);
		pthread_exit(NULL);
	}
	if (strcmp(what, "exit") == 0) {
		for (int i = 0; i < SLEEPERS; i++)
			start(&threads[i], sleeper, NULL);
		start(&threads[SLEEPERS], ender, NULL);
		(void)pause();
	}
	if (strcmp(what, "alive") == 0)
		return count_alive();
	if (strcmp(what, "forkexec") == 0) {
		for (int i = 0; i < FORKERS; i++)
			start(&threads[i], forker, NULL);
		start(&threads[FORKERS], late_executor, NULL);
		(void)pause();
	}
	if (strcmp(what, "busyexit") == 0) {
		be_busy();
		start(&threads[0], busy_ender, NULL);
		(void)pause();
	}
	if (strcmp(what, "kill") == 0) {
		be_busy();
		await_forks();
		(void)raise(SIGKILL);
	}
	return 2;
}

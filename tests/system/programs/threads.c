/* Programs with threads whose ends are hard for a tracer.
 *
 * usage: threads many       2,000 threads in rounds of 100; exit code 0
 *        threads exec       a thread that is not the leader executes /bin/echo
 *        threads leader     the leader leaves first, the last thread ends with exit code 0
 *        threads exit       exit(7) by a thread while 50 others sleep */

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ROUNDS = 20,
	ROUND = 100,
	SLEEPERS = 50,
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
		for (int round = 0; round < ROUNDS; round++) {
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
	return 2;
}

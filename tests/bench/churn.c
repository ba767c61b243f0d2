/* Files made, written, closed and deleted, by several processes at a time.
 *
 * usage: churn FOLDER WRITERS CYCLES [BYTES [WORK_US [read]]]
 *
 * Each writer does so many cycles, in a folder of its own, with so many bytes a file, and computes for so long between two.
 * `read`: beside a reader of inotify(7) that throws everything away, which is the least that being told can cost.
 * Prints the seconds that all took. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	NAMES = 100,
	PATH = 512,
	BYTES_MAX = 1 << 20,
};

static double now(void)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *what)
{
	(void)fprintf(stderr, "churn: %s: %s\n", what, strerror(errno));
	_exit(2);
}

/* The processor's time, not the clock's. */
static void compute(long us)
{
	struct timespec time;
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	double until = (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3 + (double)us;
	do
		(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	while ((double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3 < until);
}

static void make_folder(const char *folder, unsigned number, char path[PATH])
{
	(void)snprintf(path, PATH, "%s/w%u", folder, number);
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		die(path);
}

/* As bench_watch reads, and the sensor. */
static pid_t start_reader(const char *folder, unsigned writers)
{
	static char buffer[64 << 10];
	char path[PATH];
	int fd = inotify_init1(IN_CLOEXEC);
	for (unsigned i = 0; i < writers; i++) {
		make_folder(folder, i, path);
		if (fd < 0 ||
		    inotify_add_watch(fd, path,
				      IN_CREATE | IN_DELETE | IN_MOVE | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB) < 0)
			die(path);
	}
	pid_t pid = fork();
	if (pid < 0)
		die("fork");
	while (pid == 0)
		if (read(fd, buffer, sizeof(buffer)) < 0)
			die("read");
	(void)close(fd);
	return pid;
}

static void write_files(const char *folder, unsigned number, unsigned long cycles, size_t bytes, long work_us)
{
	static char contents[BYTES_MAX];
	char path[PATH];
	memset(contents, 'x', bytes);
	make_folder(folder, number, path);
	for (unsigned long i = 0; i < cycles; i++) {
		(void)snprintf(path, sizeof(path), "%s/w%u/f%lu", folder, number, i % NAMES);
		int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
		if (fd < 0 || write(fd, contents, bytes) != (ssize_t)bytes)
			die(path);
		(void)close(fd);
		if (work_us > 0)
			compute(work_us);
		(void)unlink(path);
	}
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		(void)fprintf(stderr, "usage: churn FOLDER WRITERS CYCLES [BYTES [WORK_US [read]]]\n");
		return 2;
	}
	unsigned writers = (unsigned)strtoul(argv[2], NULL, 10);
	unsigned long cycles = strtoul(argv[3], NULL, 10);
	size_t bytes = argc > 4 ? strtoul(argv[4], NULL, 10) : 1;
	long work_us = argc > 5 ? strtol(argv[5], NULL, 10) : 0;
	bytes = bytes < BYTES_MAX ? bytes : BYTES_MAX;
	pid_t reader = argc > 6 && strcmp(argv[6], "read") == 0 ? start_reader(argv[1], writers) : 0;
	double start = now();
	for (unsigned i = 0; i < writers; i++) {
		pid_t pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0) {
			write_files(argv[1], i, cycles, bytes, work_us);
			_exit(0);
		}
	}
	int status, failed = 0;
	for (unsigned i = 0; i < writers && wait(&status) > 0; i++)
		failed |= status != 0;
	printf("%.6f\n", now() - start);
	if (reader > 0) {
		(void)kill(reader, SIGKILL);
		(void)waitpid(reader, NULL, 0);
	}
	return failed;
}

/* One thing of the kernel's, many times: does it COUNT times and writes how many nanoseconds that took.  Files are made
 * in the folder $TMPDIR. */
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"

static void check(bool is_well, const char *what)
{
	if (!is_well) {
		perror(what);
		exit(1);
	}
}

static void *end_at_once(void *nothing)
{
	return nothing;
}

static void do_thread(long count)
{
	for (long i = 0; i < count; i++) {
		pthread_t thread;
		check(pthread_create(&thread, NULL, end_at_once, NULL) == 0, "pthread_create");
		check(pthread_join(thread, NULL) == 0, "pthread_join");
	}
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
	(void)signal;
	handled = handled + 1;
}

static void do_signal(long count)
{
	struct sigaction action = {.sa_handler = handle};
	check(sigaction(SIGUSR1, &action, NULL) == 0, "sigaction");
	for (long i = 0; i < count; i++)
		check(raise(SIGUSR1) == 0, "raise");
	check(handled == count, "signals were lost");
}

static void do_getpid(long count)
{
	for (long i = 0; i < count; i++)
		check(syscall(SYS_getpid) > 0, "getpid");
}

static void do_read(long count)
{
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	char byte;
	for (long i = 0; i < count; i++)
		check(read(fd, &byte, 1) == 1, "read");
	check(close(fd) == 0, "close");
}

static void do_write(long count)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	for (long i = 0; i < count; i++)
		check(write(fd, "x", 1) == 1, "write");
	check(close(fd) == 0, "close");
}

static void do_pipe(long count)
{
	int ends[2];
	check(pipe2(ends, O_CLOEXEC) == 0, "pipe");
	char byte;
	for (long i = 0; i < count; i++) {
		check(write(ends[1], "x", 1) == 1, "write");
		check(read(ends[0], &byte, 1) == 1, "read");
	}
}

static void do_open(long count)
{
	for (long i = 0; i < count; i++) {
		int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		check(fd >= 0 && close(fd) == 0, "/etc/passwd");
	}
}

/* The same few files again and again, as a program does that keeps its state in them. */
static void do_create(long count)
{
	enum {
		FILES = 16,
		PATH_BYTES = 4096
	};
	const char *folder = getenv("TMPDIR");
	char path[PATH_BYTES];
	for (long i = 0; i < count; i++) {
		(void)snprintf(path, sizeof(path), "%s/file-%ld", folder ? folder : "/tmp", i % FILES);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		check(fd >= 0 && write(fd, "eight...", 8) == 8 && close(fd) == 0, path);
	}
}

static const struct {
	const char *name;
	void (*run)(long count);
} things[] = {
	{"thread", do_thread}, {"signal", do_signal}, {"getpid", do_getpid}, {"read", do_read},
	{"write", do_write},   {"pipe", do_pipe},     {"open", do_open},     {"create", do_create},
};

int main(int argc, char **argv)
{
	long count = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
	for (size_t i = 0; count > 0 && i < sizeof(things) / sizeof(*things); i++) {
		if (strcmp(things[i].name, argv[1]) != 0)
			continue;
		int64_t begin = mw_clock_mono_ns();
		things[i].run(count);
		(void)printf("%" PRId64 "\n", mw_clock_mono_ns() - begin);
		return 0;
	}
	(void)fprintf(stderr, "usage: calls thread|signal|getpid|read|write|pipe|open|create COUNT\n");
	return 2;
}

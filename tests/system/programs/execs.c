/* Executing programs with large arguments, again and again, from memory.
 *
 * usage: execs big ARGUMENTS BYTES       execute oneself with that many arguments of that size each; see `size`
 *        execs size [ARG…]               print number and bytes of the arguments, bytes of the environment, and a sum of all
 *        execs again N                   execute oneself N times more, then end with exit code 5
 *        execs memfd FILE [ARG…]         execute a copy of FILE that is in memory only
 *        execs deleted FILE [ARG…]       execute a copy of FILE that has no name any more
 *        execs failures                  calls of execve(2) that fail, and what the program is then */

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static int size(char **argv)
{
	size_t count = 0;
	size_t bytes = 0;
	size_t environment = 0;
	unsigned sum = 0;
	for (char **arg = argv; *arg; arg++, count++) {
		bytes += strlen(*arg) + 1;
		for (const char *byte = *arg; *byte; byte++)
			sum = sum * 31 + (unsigned char)*byte;
	}
	for (char **variable = environ; *variable; variable++)
		environment += strlen(*variable) + 1;
	printf("arguments %zu bytes %zu environment %zu sum %x\n", count, bytes, environment, sum);
	return 0;
}

static int big(char *self, long count, size_t bytes)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
	if (setrlimit(RLIMIT_STACK, &limit) < 0) {
		printf("no unlimited stack: %s\n", strerror(errno));
		return 3;
	}
	char **argv = calloc((size_t)count + 3, sizeof(*argv));
	CHECK(argv != NULL);
	argv[0] = self;
	argv[1] = "size";
	for (long i = 0; i < count; i++) {
		char *arg = malloc(bytes + 1);
		CHECK(arg != NULL);
		memset(arg, 'a' + (int)(i % 26), bytes);
		arg[bytes] = '\0';
		argv[2 + i] = arg;
	}
	(void)execv(self, argv);
	printf("execve: %s\n", strerror(errno));
	exit(2);
}

static int again(char *self, long n)
{
	char number[24];
	if (n <= 0)
		return 5;
	(void)snprintf(number, sizeof(number), "%ld", n - 1);
	(void)execl(self, self, "again", number, (char *)NULL);
	return 2;
}

static int copy_of(const char *path, int to)
{
	struct stat stat;
	int from = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(from >= 0 && to >= 0 && fstat(from, &stat) == 0);
	CHECK(sendfile(to, from, NULL, (size_t)stat.st_size) == stat.st_size && fchmod(to, 0700) == 0);
	return to;
}

static int from_memory(char **argv)
{
	int fd = copy_of(argv[0], memfd_create("loaded", MFD_CLOEXEC));
	(void)fexecve(fd, argv, environ);
	return 2;
}

static int from_deleted(char **argv)
{
	char path[4096];
	(void)snprintf(path, sizeof(path), "%s/gone.XXXXXX", getenv("TMPDIR"));
	(void)close(copy_of(argv[0], mkstemp(path)));
	/* Not while it is open for writing. */
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && unlink(path) == 0);
	(void)fexecve(fd, argv, environ);
	return 2;
}

static void fail(const char *path)
{
	char *const argv[] = {"x", NULL};
	(void)execve(path, argv, environ);
	printf("%s: %s\n", path, strerrorname_np(errno));
}

static int failures(char *self)
{
	char path[4096];
	static char long_path[5000];
	(void)snprintf(path, sizeof(path), "%s/written", getenv("TMPDIR"));
	int fd = open(path, O_WRONLY | O_CREAT, 0700);
	CHECK(fd >= 0);
	fail("/no/such/file");
	fail("/etc/passwd");
	fail("/");
	fail("/etc/passwd/below");
	fail("");
	char *const argv[] = {"x", NULL};
	(void)execve(path, argv, environ);
	printf("written to: %s\n", strerrorname_np(errno));
	(void)close(fd);
	(void)execve(path, argv, environ);
	printf("empty: %s\n", strerrorname_np(errno));
	memset(long_path, 'x', sizeof(long_path) - 1);
	(void)execve(long_path, argv, environ);
	printf("long: %s\n", strerrorname_np(errno));
	/* And one that does not. */
	(void)execl(self, self, "again", "0", (char *)NULL);
	return 2;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	if (strcmp(what, "size") == 0)
		return size(argv);
	if (strcmp(what, "failures") == 0)
		return failures(argv[0]);
	if (strcmp(what, "again") == 0 && argc == 3)
		return again(argv[0], strtol(argv[2], NULL, 10));
	if (strcmp(what, "big") == 0 && argc == 4)
		return big(argv[0], strtol(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
	if (strcmp(what, "memfd") == 0 && argc > 2)
		return from_memory(argv + 2);
	if (strcmp(what, "deleted") == 0 && argc > 2)
		return from_deleted(argv + 2);
	return 2;
}

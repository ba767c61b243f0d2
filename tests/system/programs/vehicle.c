/* Start a program in unusual ways.  usage: vehicle memfd|deleted|shm|script|socket|unix PROGRAM [ARG…]
 *
 * memfd: from a copy in memory; deleted: from a copy without a name; shm: from a copy in /dev/shm, removed by nobody;
 * script: from a descriptor of a deleted copy, that stays open (PROGRAM is a script); socket: with a TCP connection to
 * ourselves as input and output, whose port is printed to standard error; unix: likewise, with a pair.  Exits with 77 where
 * that cannot be. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

static void copy(const char *from, int to)
{
	char bytes[65536];
	int fd = open(from, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		exit(77);
	for (ssize_t n; (n = read(fd, bytes, sizeof(bytes))) > 0;)
		if (write(to, bytes, (size_t)n) != n)
			exit(77);
	close(fd);
}

/* A copy in a file of that path, executable, open for reading. */
static int copy_to(const char *from, const char *path)
{
	int to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0700);
	if (to < 0)
		exit(77);
	copy(from, to);
	close(to);
	return open(path, O_RDONLY);
}

static void connect_stdio(int is_unix)
{
	int pair[2];
	if (is_unix) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
			exit(77);
	} else {
		struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		socklen_t size = sizeof(address);
		int listener = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 1) < 0)
			exit(77);
		(void)getsockname(listener, (struct sockaddr *)&address, &size);
		pair[0] = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(pair[0], (struct sockaddr *)&address, size) < 0)
			exit(77);
		pair[1] = accept(listener, NULL, NULL);
		(void)fprintf(stderr, "%d\n", ntohs(address.sin_port));
	}
	(void)dup2(pair[0], STDIN_FILENO);
	(void)dup2(pair[0], STDOUT_FILENO);
}

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	const char *how = argv[1];
	const char *program = argv[2];
	char path[4096];
	const char *tmp = getenv("TMPDIR");
	(void)snprintf(path, sizeof(path), "%s/vehicle-%d",
		       strcmp(how, "shm") == 0 ? "/dev/shm"
		       : tmp                   ? tmp
					       : "/tmp",
		       (int)getpid());
	int fd = -1;
	if (strcmp(how, "memfd") == 0) {
		fd = memfd_create("vehicle", MFD_CLOEXEC);
		copy(program, fd);
	} else if (strcmp(how, "deleted") == 0 || strcmp(how, "script") == 0) {
		fd = copy_to(program, path);
		unlink(path);
	} else if (strcmp(how, "shm") == 0) {
		close(copy_to(program, path));
		/* It removes itself: the name is there until the program runs. */
		execl("/bin/sh", "sh", "-c", "\"$0\" \"$@\"; code=$?; rm -f \"$0\"; exit $code", path, argv[3], NULL);
		return 77;
	} else {
		connect_stdio(strcmp(how, "unix") == 0);
		execv(program, argv + 2);
		return 77;
	}
	fexecve(fd, argv + 2, environ);
	return 77;
}

/* A program that traces, and goes on when it may not.
 *
 * usage: ptraces traceme    a child asks to be traced, then executes
 *        ptraces attach     attach to a child by PTRACE_ATTACH and by PTRACE_SEIZE
 *        ptraces read       read the memory of a child by process_vm_readv(2) and by /proc/PID/mem: no tracing
 *        ptraces exec       what the first one executes */

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static const char *result(long r)
{
	return r < 0 ? strerrorname_np(errno) : "works";
}

static pid_t start_paused(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	while (pid == 0)
		(void)pause();
	return pid;
}

static int traceme(const char *self)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		printf("traceme %s\n", result(ptrace(PTRACE_TRACEME, 0, NULL, NULL)));
		(void)execl(self, self, "exec", (char *)NULL);
		_exit(127);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
	while (WIFSTOPPED(status)) {
		printf("stop %x\n", (unsigned)status);
		CHECK(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0 && waitpid(pid, &status, 0) == pid);
	}
	printf("status %x\n", (unsigned)status);
	return 0;
}

static int attach(void)
{
	static const struct {
		const char *name;
		enum __ptrace_request request;
	} ways[] = {{"attach", PTRACE_ATTACH}, {"seize", PTRACE_SEIZE}};
	for (int i = 0; i < 2; i++) {
		pid_t pid = start_paused();
		printf("%s %s\n", ways[i].name, result(ptrace(ways[i].request, pid, NULL, NULL)));
		int status;
		CHECK(kill(pid, SIGKILL) == 0);
		do
			CHECK(waitpid(pid, &status, 0) == pid);
		while (WIFSTOPPED(status));
		printf("status %x\n", (unsigned)status);
	}
	return 0;
}

static int read_memory(void)
{
	static volatile int value = 1234;
	pid_t pid = start_paused();
	int copy = 0;
	struct iovec local = {&copy, sizeof(copy)};
	struct iovec remote = {(void *)&value, sizeof(value)};
	ssize_t n = process_vm_readv(pid, &local, 1, &remote, 1, 0);
	printf("process_vm_readv %s %d\n", result(n), copy);
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)pid);
	int fd = open(path, O_RDONLY);
	copy = 0;
	n = fd < 0 ? -1 : pread(fd, &copy, sizeof(copy), (off_t)&value);
	printf("mem %s %d\n", result(n), copy);
	CHECK(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	if (strcmp(what, "traceme") == 0)
		return traceme(argv[0]);
	if (strcmp(what, "attach") == 0)
		return attach();
	if (strcmp(what, "read") == 0)
		return read_memory();
	if (strcmp(what, "exec") == 0) {
		printf("executed\n");
		return 6;
	}
	return 2;
}

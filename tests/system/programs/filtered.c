/* Programs that bring a seccomp filter of their own.
 *
 * usage: filtered errno | kill | killthread | trap | trace | notify | strict     what the filter does with getppid(2)
 *        filtered nnp COMMAND [ARG…]      execute COMMAND with no_new_privs and a filter that allows everything */

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static int filter_getppid(uint32_t verdict, unsigned flags)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {.len = sizeof(filter) / sizeof(*filter), .filter = filter};
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	long r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
	CHECK(r >= 0);
	return (int)r;
}

static long try_getppid(void)
{
	return syscall(SYS_getppid);
}

static void print_getppid(void)
{
	errno = 0;
	long r = try_getppid();
	printf("%ld %s\n", r, strerrorname_np(errno));
}

static void on_trap(int number, siginfo_t *info, void *context)
{
	(void)context;
	printf("signal %d code %d call %d errno %d\n", number, info->si_code, info->si_syscall == SYS_getppid,
	       info->si_errno);
}

static void *call_in_thread(void *data)
{
	(void)try_getppid();
	printf("not killed\n");
	return data;
}

static int notify(void)
{
	pid_t parent = getpid();
	int pipes[2];
	CHECK(pipe(pipes) == 0);
	int listener = filter_getppid(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		long told = try_getppid();
		printf("told %ld\n", told);
		told = try_getppid();
		printf("told its parent: %d\n", told == parent);
		(void)fflush(stdout);
		_exit(4);
	}
	for (int i = 0; i < 2; i++) {
		struct seccomp_notif request = {0};
		CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) == 0);
		struct seccomp_notif_resp response = {.id = request.id};
		if (i == 0)
			response.val = 4242;
		else
			response.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &response) == 0);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("status %x\n", (unsigned)status);
	return 0;
}

static int strict(void)
{
	pid_t pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0);
		(void)write(1, "strict\n", 7);
		(void)try_getppid();
		(void)syscall(SYS_exit, 0);
	}
	int status;
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("status %x\n", (unsigned)status);
	return 0;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	struct rlimit none = {0};
	CHECK(setrlimit(RLIMIT_CORE, &none) == 0);
	(void)setvbuf(stdout, NULL, _IONBF, 0);
	if (strcmp(what, "errno") == 0) {
		(void)filter_getppid(SECCOMP_RET_ERRNO | EXDEV, 0);
		print_getppid();
	} else if (strcmp(what, "kill") == 0) {
		(void)filter_getppid(SECCOMP_RET_KILL_PROCESS, 0);
		(void)try_getppid();
	} else if (strcmp(what, "killthread") == 0) {
		pthread_t thread;
		(void)filter_getppid(SECCOMP_RET_KILL_THREAD, 0);
		CHECK(pthread_create(&thread, NULL, call_in_thread, NULL) == 0);
		CHECK(pthread_join(thread, NULL) == 0);
		printf("the process goes on\n");
	} else if (strcmp(what, "trap") == 0) {
		struct sigaction action = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};
		CHECK(sigaction(SIGSYS, &action, NULL) == 0);
		(void)filter_getppid(SECCOMP_RET_TRAP | 33, 0);
		(void)try_getppid();
		printf("goes on\n");
	} else if (strcmp(what, "trace") == 0) {
		/* Nobody who traces for it: the call fails. */
		(void)filter_getppid(SECCOMP_RET_TRACE | 1, 0);
		print_getppid();
	} else if (strcmp(what, "notify") == 0) {
		return notify();
	} else if (strcmp(what, "strict") == 0) {
		return strict();
	} else if (strcmp(what, "nnp") == 0 && argc > 2) {
		(void)filter_getppid(SECCOMP_RET_ALLOW, 0);
		(void)execvp(argv[2], argv + 2);
	} else {
		return 2;
	}
	return 0;
}

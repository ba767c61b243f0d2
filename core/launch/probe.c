#include "launch/probe.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	/* The tracer's options: core/trace/tracer.c. */
	OPTIONS = PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC,
	ERRNO_MAX = 120, /* fits an exit status, apart from OTHER */
	OTHER = 121,
};

/* A process that only waits, and dies with its parent. */
static pid_t make_waiter(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	for (;;)
		(void)pause();
}

static void end_waiter(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, __WALL);
}

static int seize(pid_t pid)
{
	if (ptrace(PTRACE_SEIZE, pid, 0, OPTIONS) < 0)
		return -errno;
	int status;
	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0) < 0 || waitpid(pid, &status, __WALL) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return -ESRCH;
	return ptrace(PTRACE_DETACH, pid, 0, 0) < 0 ? -errno : 0;
}

int mw_probe_ptrace_child(void)
{
	pid_t pid = make_waiter();
	if (pid < 0)
		return -errno;
	int r = seize(pid);
	end_waiter(pid);
	return r;
}

int mw_probe_ptrace_other(void)
{
	pid_t target = make_waiter();
	if (target < 0)
		return -errno;
	pid_t tracer = fork();
	if (tracer < 0) {
		int r = -errno;
		end_waiter(target);
		return r;
	}
	if (tracer == 0) {
		int r = seize(target);
		_exit(r == 0 ? 0 : -r <= ERRNO_MAX ? -r : OTHER);
	}
	int status = 0;
	pid_t waited = waitpid(tracer, &status, 0);
	end_waiter(target);
	if (waited < 0 || !WIFEXITED(status))
		return -ECHILD;
	return -WEXITSTATUS(status);
}

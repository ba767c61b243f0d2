#include "launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "event/board.h"
#include "launch/filter.h"
#include "launch/guard.h"
#include "proc/procfs.h"

/* fork() whose child sends no signal at its end: wait(2) without __WALL does not see such a child (clone(2)).  The C
 * library's fork cannot do that; this process has one thread, so nothing that fork would do besides is missed. */
static pid_t fork_unseen(void)
{
	return (pid_t)syscall(SYS_clone, 0L, NULL, NULL, NULL, 0L);
}

/* Can it be had here?  Otherwise leave it out. */
static void prepare_notify(struct mw_launch *launch)
{
	int r = mw_filter_probe();
	if (r == 0 && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, launch->listener_sockets) < 0)
		r = -errno;
	uint64_t wanted = launch->board->attention[atomic_load(&launch->board->attention_now)].kinds;
	launch->notify_kinds = mw_filter_kinds() & (wanted ? wanted : UINT64_MAX);
	if (r == 0)
		return;
	launch->engines++;
	(void)snprintf(launch->refused, sizeof(launch->refused), "seccomp user notification is refused (%s)",
		       r == -EBUSY ? "another program has it already" : strerror(-r));
}

/* The guard is there, and waits for the listener. */
static void hand_over_filter(struct mw_launch *launch, struct mw_err *note)
{
	int listener = -1;
	bool no_new_privs = false;
	(void)close(launch->listener_sockets[1]);
	(void)mw_filter_install(launch->notify_kinds, &listener, &no_new_privs);
	mw_filter_send(launch->listener_sockets[0], listener);
	(void)close(launch->listener_sockets[0]);
	/* Not to be open in the application: as long as anybody has it, calls wait for an answer. */
	if (listener >= 0)
		(void)close(listener);
	if (no_new_privs)
		(void)mw_err_set(
			note, 0,
			"--engine=notify takes no_new_privs here: setuid programs (su, sudo) have no effect; with "
			"the capability SYS_ADMIN they would");
}

static bool get_capabilities(struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3])
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	return syscall(SYS_capget, &header, data) == 0;
}

/* What is traced without the capability gains nothing by execve(2), where it could gain something. */
static bool loses_privilege(void)
{
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 && get_capabilities(data) &&
	       !(data[CAP_TO_INDEX(CAP_SYS_PTRACE)].effective & CAP_TO_MASK(CAP_SYS_PTRACE));
}

int mw_launch_guard(const struct mw_launch *asked, struct mw_err *err)
{
	struct mw_launch own = *asked;
	struct mw_launch *launch = &own;
	struct mw_board *board = launch->board;
	pid_t root = getpid();
	board->root_pid = root;
	launch->listener_sockets[0] = launch->listener_sockets[1] = -1;
	if (launch->is_traced && launch->engines[0] == MW_ENGINE_NOTIFY)
		prepare_notify(launch);

	pid_t guard = fork_unseen();
	if (guard < 0)
		return mw_err_set(err, -errno, "cannot start the sensor: clone: %s; the application runs unobserved",
				  strerror(errno));
	if (guard == 0)
		mw_guard_run(launch, root);
	if (!launch->is_traced)
		return 0;

	/* Where Yama is in force (ptrace_scope 1), a process without CAP_SYS_PTRACE may be traced by its ancestors, and
	 * by whom it names and their descendants.  Elsewhere the call fails, and is not needed. */
	(void)prctl(PR_SET_PTRACER, guard);
	*err = (struct mw_err){0};
	if (launch->listener_sockets[0] >= 0)
		hand_over_filter(launch, err);

	int r;
	do
		r = mw_futex_wait(&board->attach, MW_ATTACH_PENDING, launch->attach_timeout_ms);
	while (r == -EINTR);
	if (r < 0)
		return mw_err_set(err, r,
				  "process events are off: the tracer did not attach within %lld ms "
				  "(attach_timeout_ms)",
				  (long long)launch->attach_timeout_ms);
	int error = atomic_load(&board->attach_errno);
	if (error)
		return mw_err_set(err, -error,
				  "process events are off: ptrace is refused (%s); add the capability SYS_PTRACE to "
				  "the container",
				  strerror(error));
	if (atomic_load(&board->engine) == MW_ENGINE_PTRACE && loses_privilege())
		(void)mw_err_set(
			err, 0,
			"setuid programs and those with file capabilities (su, sudo, ping) have no effect while "
			"they are watched without the capability SYS_PTRACE; add it to the container, or run it "
			"as root");
	return 0;
}

static void give_up_tracing(void)
{
	if (prctl(PR_CAPBSET_READ, CAP_SYS_PTRACE) != 1)
		return;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_LOWER, CAP_SYS_PTRACE, 0, 0);
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
	if (get_capabilities(data)) {
		data[CAP_TO_INDEX(CAP_SYS_PTRACE)].inheritable &= ~CAP_TO_MASK(CAP_SYS_PTRACE);
		(void)syscall(SYS_capset, &header, data);
	}
	/* Refused without CAP_SETPCAP; then the application keeps what it would have had without us. */
	(void)prctl(PR_CAPBSET_DROP, CAP_SYS_PTRACE);
}

pid_t mw_launch_watched_by(void)
{
	MW_AUTO_FD procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MW_AUTO_FD selffd = -1;
	MW_AUTO_FD tracerfd = -1;
	struct mw_proc_status status;
	struct mw_proc_stat tracer;
	if (procfd < 0 || mw_procfs_open_pid(procfd, getpid(), &selffd) < 0 || mw_procfs_status(selffd, &status) < 0 ||
	    status.tracer_pid == 0 || mw_procfs_open_pid(procfd, status.tracer_pid, &tracerfd) < 0 ||
	    mw_procfs_stat(tracerfd, &tracer) < 0)
		return 0;
	return strcmp(tracer.comm, "moonwatch-trace") == 0 ? status.tracer_pid : 0;
}

int mw_launch_wait(void)
{
	sigset_t set;
	give_up_tracing();
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	int signal;
	return sigwait(&set, &signal) == 0 ? 0 : 1;
}

int mw_launch_application(char *const argv[])
{
	give_up_tracing();
	(void)execvp(argv[0], argv);
	return -errno;
}

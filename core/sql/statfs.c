#include "sql/statfs.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	/* A child that hangs in the kernel cannot be ended: no more than these are left behind. */
	STUCK = 4,
	REAP_MS = 50,
};

/* Served by another process or machine. */
static bool may_hang(const char *type)
{
	static const char *const types[] = {"nfs",    "cifs", "smb",      "fuse",  "9p",   "ceph", "ncp",   "gluster",
					    "lustre", "afs",  "virtiofs", "ocfs2", "gfs2", "coda", "beegfs"};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strncmp(type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

/* To look at one would mount what is behind it. */
static bool is_trigger(const char *type)
{
	return strcmp(type, "autofs") == 0;
}

struct answer {
	size_t n;
	struct statvfs space;
};

static _Noreturn void ask(const struct mw_statfs *mounts, size_t count, int fd)
{
	for (size_t i = 0; i < count; i++) {
		struct answer answer = {.n = i};
		if (may_hang(mounts[i].type) && statvfs(mounts[i].path, &answer.space) == 0 &&
		    write(fd, &answer, sizeof(answer)) != sizeof(answer))
			break;
	}
	_exit(0);
}

/* Read answers until the child has ended; false when the time is over before. */
static bool listen_to(int fd, struct mw_statfs *mounts, size_t count, int deadline_ms)
{
	int64_t end_ns = mw_clock_mono_ns() + deadline_ms * MW_NS_PER_MS;
	for (;;) {
		struct answer answer;
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		int64_t left_ms = (end_ns - mw_clock_mono_ns()) / MW_NS_PER_MS;
		if (left_ms <= 0 || poll(&poller, 1, (int)left_ms) <= 0) {
			if (left_ms > 0 && errno == EINTR)
				continue;
			return false;
		}
		ssize_t n = read(fd, &answer, sizeof(answer)); /* a pipe gives what was written in one piece whole */
		if (n != sizeof(answer) || answer.n >= count)
			return true;
		mounts[answer.n].space = answer.space;
		mounts[answer.n].is_known = true;
	}
}

/* False when it hangs. */
static bool end_child(pid_t pid)
{
	(void)kill(pid, SIGKILL);
	for (int ms = 0; ms < REAP_MS; ms++) {
		pid_t r = waitpid(pid, NULL, WNOHANG);
		if (r == pid || (r < 0 && errno != EINTR))
			return true;
		(void)poll(NULL, 0, 1);
	}
	return false;
}

static bool ask_by_child(struct mw_statfs *mounts, size_t count, int deadline_ms)
{
	static unsigned stuck;
	int fds[2];
	if (stuck >= STUCK || pipe2(fds, O_CLOEXEC) < 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		ask(mounts, count, fds[1]);
	(void)close(fds[1]);
	bool is_done = pid > 0 && listen_to(fds[0], mounts, count, deadline_ms);
	if (pid > 0 && !end_child(pid))
		stuck++;
	(void)close(fds[0]);
	return is_done;
}

bool mw_statfs(struct mw_statfs *mounts, size_t count, int deadline_ms)
{
	bool is_child_needed = false;
	for (size_t i = 0; i < count; i++) {
		if (may_hang(mounts[i].type))
			is_child_needed = true;
		else if (!is_trigger(mounts[i].type))
			mounts[i].is_known = statvfs(mounts[i].path, &mounts[i].space) == 0;
	}
	return !is_child_needed || ask_by_child(mounts, count, deadline_ms);
}

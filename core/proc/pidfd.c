#include "proc/pidfd.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/procfs.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* linux/pidfd.h of Linux 6.13, its first version; the headers here may be older. */
struct info {
	uint64_t mask;
	uint64_t cgroupid;
	uint32_t pid, tgid, ppid;
	uint32_t ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
	uint32_t spare;
};
#define GET_INFO _IOWR(0xFF, 11, struct info)
#define INFO_CREDS 2u

int mw_pidfd_open(pid_t pid, int *ret_fd)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return errno == ENOSYS || errno == EPERM ? -ENOTTY : -errno;
	*ret_fd = fd;
	return 0;
}

int mw_pidfd_ids(int fd, struct mw_pidfd_ids *ret)
{
	struct info info = {.mask = INFO_CREDS};
	if (ioctl(fd, GET_INFO, &info) < 0)
		return errno == ESRCH ? -ESRCH : -ENOTTY;
	if (!(info.mask & INFO_CREDS))
		return -ENOTTY;
	*ret = (struct mw_pidfd_ids){
		.uid = info.ruid,
		.gid = info.rgid,
		.euid = info.euid,
		.egid = info.egid,
		.suid = info.suid,
		.sgid = info.sgid,
	};
	return 0;
}

bool mw_pidfd_fits(int procfd)
{
	struct statfs fs;
	char text[MW_PROC_STATUS_BYTES];
	if (procfd < 0 || fstatfs(procfd, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
		return false;
	ssize_t n = mw_procfs_read_small(procfd, "self/status", text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	/* "NStgid:\t1234\t1": our number in each PID namespace from the one this /proc shows down to ours. */
	static const char key[] = "\nNStgid:\t";
	const char *ids = strstr(text, key);
	if (!ids)
		return false;
	char *end;
	long own = strtol(ids + sizeof(key) - 1, &end, 10);
	return *end == '\n' && own == getpid();
}

/* Times on a 2-core machine: process_vm_readv 1.3 us whatever the size, readlink or statx in /proc 2 us. */

#include "trace/tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "proc/procfs.h"

enum {
	/* "PID/fdinfo/2147483647" */
	NAME_BYTES = 48,
	FDINFO_BYTES = 512,
	/* The smallest page there is; larger ones only make more of these readable. */
	PAGE_BYTES = 4096,
	SLICES = 16,
};

/* Pointers of arm64 may carry a tag in their top byte, which the kernel ignores; no address of any program reaches so
 * high otherwise. */
#define ADDRESS_BITS 0x00ffffffffffffffULL

/* Bytes read from `address` on, fewer when a page is not there. */
static ssize_t read_slowly(const struct mw_tracee *tracee, uint64_t address, void *out, size_t n)
{
	char path[MW_PROC_NAME_BYTES];
	mw_procfs_name(tracee->tid, "mem", path);
	MW_AUTO_FD fd = openat(tracee->procfd, path, O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -1 : pread(fd, out, n, (off_t)address);
}

static ssize_t read_memory(const struct mw_tracee *tracee, uint64_t address, void *out, size_t n)
{
	/* A slice is read whole or not at all, so none may cross into a page that perhaps is not there. */
	struct iovec remote[SLICES];
	unsigned slices = 0;
	size_t wanted = 0;
	while (wanted < n && slices < SLICES) {
		uint64_t from = (address & ADDRESS_BITS) + wanted;
		size_t size = PAGE_BYTES - from % PAGE_BYTES;
		if (size > n - wanted)
			size = n - wanted;
		remote[slices++] = (struct iovec){(void *)(uintptr_t)from, size};
		wanted += size;
	}
	const struct iovec local = {out, wanted};
	ssize_t got = process_vm_readv(tracee->tid, &local, 1, remote, slices, 0);
	/* ENOSYS, EPERM: a seccomp profile that knows nothing of it; proc(5) asks nobody. */
	return got < 0 && errno != EFAULT && errno != ESRCH ? read_slowly(tracee, address & ADDRESS_BITS, out, wanted)
							    : got;
}

ssize_t mw_tracee_string(const struct mw_tracee *tracee, uint64_t address, char *out, size_t room, bool *ret_cut)
{
	ssize_t got = address ? read_memory(tracee, address, out, room) : -1;
	if (got <= 0)
		return -EFAULT;
	const char *end = memchr(out, '\0', (size_t)got);
	*ret_cut = !end;
	if (end)
		return end - out;
	size_t length = (size_t)got < room ? (size_t)got : room - 1;
	out[length] = '\0';
	return (ssize_t)length;
}

int mw_tracee_bytes(const struct mw_tracee *tracee, uint64_t address, void *out, size_t n)
{
	return address && read_memory(tracee, address, out, n) == (ssize_t)n ? 0 : -EFAULT;
}

size_t mw_tracee_link(const struct mw_tracee *tracee, const char *name, char out[MW_PATH_BYTES])
{
	char path[MW_PROC_NAME_BYTES];
	mw_procfs_name(tracee->tid, name, path);
	ssize_t n = readlinkat(tracee->procfd, path, out, MW_PATH_BYTES - 1);
	return n < 0 ? 0 : (size_t)n;
}

size_t mw_tracee_fd_link(const struct mw_tracee *tracee, int fd, char out[MW_PATH_BYTES])
{
	char name[NAME_BYTES];
	(void)snprintf(name, sizeof(name), "fd/%d", fd);
	return fd < 0 ? 0 : mw_tracee_link(tracee, name, out);
}

bool mw_tracee_fd_stat(const struct mw_tracee *tracee, int fd, struct statx *ret)
{
	char path[MW_PROC_NAME_BYTES];
	mw_procfs_fd_name(tracee->tid, "fd", fd, path);
	return fd >= 0 && statx(tracee->procfd, path, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT,
				STATX_BASIC_STATS | STATX_BTIME, ret) == 0;
}

pid_t mw_tracee_pidfd_pid(const struct mw_tracee *tracee, int fd)
{
	char path[MW_PROC_NAME_BYTES];
	char text[FDINFO_BYTES];
	mw_procfs_fd_name(tracee->tid, "fdinfo", fd, path);
	MW_AUTO_FD info = openat(tracee->procfd, path, O_RDONLY | O_CLOEXEC);
	ssize_t n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	const char *line = strstr(text, "\nPid:");
	long pid = line ? strtol(line + strlen("\nPid:"), NULL, 10) : 0;
	return pid > 0 ? (pid_t)pid : 0;
}

bool mw_tracee_shares_pids(const struct mw_tracee *tracee)
{
	char path[MW_PROC_NAME_BYTES];
	struct stat its;
	struct stat ours;
	mw_procfs_name(tracee->tid, "ns/pid", path);
	return fstatat(tracee->procfd, path, &its, 0) == 0 && fstatat(tracee->procfd, "self/ns/pid", &ours, 0) == 0 &&
	       its.st_ino == ours.st_ino;
}

/* The descriptor is borrowed for a moment, by pidfd_getfd(2): that needs what tracing needs. */

#include "trace/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "event/record.h"
#include "trace/tracee.h"

#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL /* linux/pidfd.h, since 6.9 */
#endif

static int borrow(const struct mw_tracee *tracee, int fd)
{
	MW_AUTO_FD pidfd = -1;
	/* A thread may have descriptors of its own, and the first thread may have ended. */
	if (tracee->tid != tracee->tgid)
		pidfd = (int)syscall(SYS_pidfd_open, tracee->tid, PIDFD_THREAD);
	if (pidfd < 0)
		pidfd = (int)syscall(SYS_pidfd_open, tracee->tgid, 0);
	int ours = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	return ours < 0 ? -errno : ours;
}

static uint16_t option(int fd, int name)
{
	int value = 0;
	socklen_t size = sizeof(value);
	return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? (uint16_t)value : 0;
}

/* What getsockname(2) and getpeername(2) say is longer than the room when it was cut. */
static uint16_t kept(socklen_t size)
{
	return (uint16_t)(size < MW_SOCKADDR_BYTES ? size : MW_SOCKADDR_BYTES);
}

int mw_sockets_describe(const struct mw_tracee *tracee, int fd, struct mw_record_call *record)
{
	MW_AUTO_FD ours = borrow(tracee, fd);
	if (ours < 0)
		return ours;
	struct stat status;
	if (fstat(ours, &status) < 0 || !S_ISSOCK(status.st_mode))
		return -ENOTSOCK;
	record->inode = status.st_ino;
	record->socket_type = option(ours, SO_TYPE);
	record->socket_protocol = option(ours, SO_PROTOCOL);
	socklen_t size = sizeof(record->local);
	if (getsockname(ours, (struct sockaddr *)record->local, &size) == 0)
		record->local_bytes = kept(size);
	size = sizeof(record->remote);
	if (getpeername(ours, (struct sockaddr *)record->remote, &size) == 0)
		record->remote_bytes = kept(size);
	return 0;
}

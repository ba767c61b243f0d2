#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"

enum {
	CHUNK_BYTES = 4096
};

int mw_file_read_fd(int fd, struct mw_buf *buf)
{
	for (;;) {
		size_t want = buf->max - buf->size;
		if (want == 0) {
			char more;
			ssize_t n = read(fd, &more, 1);
			if (n < 0 && errno == EINTR)
				continue;
			return n > 0 ? -EFBIG : n < 0 ? -errno : 0;
		}
		if (want > CHUNK_BYTES)
			want = CHUNK_BYTES;
		char *room = mw_buf_reserve(buf, want);
		if (!room)
			return -ENOMEM;
		ssize_t n = read(fd, room, want);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			room[0] = '\0';
			return -errno;
		}
		room[n] = '\0';
		buf->size += (size_t)n;
		if (n == 0)
			return 0;
	}
}

int mw_file_read_at(int dirfd, const char *path, struct mw_buf *buf)
{
	/* O_NONBLOCK: a FIFO that nobody writes to must not hold us; files proper know no difference. */
	MW_AUTO_FD fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	return mw_file_read_fd(fd, buf);
}

int mw_file_trusted(int fd, const char *path, struct mw_err *err)
{
	struct stat st;
	if (fstat(fd, &st) < 0)
		return mw_err_set(err, -errno, "%s: cannot be examined: %s", path, strerror(errno));
	uid_t me = geteuid();
	if (st.st_uid != 0 && st.st_uid != me)
		return mw_err_set(err, -EPERM, "%s: owned by user %u; refused, chown it to %s", path,
				  (unsigned)st.st_uid, me == 0 ? "root" : "root or the user that runs this");
	mode_t others = me == 0 ? S_IWGRP | S_IWOTH : S_IWOTH;
	/* Writing to a device (/dev/null, a terminal) doesn't change what is read from it. */
	if (!S_ISCHR(st.st_mode) && (st.st_mode & others))
		return mw_err_set(err, -EPERM, "%s: mode %04o lets others write; refused, chmod go-w it", path,
				  (unsigned)(st.st_mode & 07777));
	return 0;
}

int mw_file_make_dirs(const char *path, mode_t mode)
{
	char part[MW_PATH_BYTES];
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(part))
		return length ? -ENAMETOOLONG : -ENOENT;
	memcpy(part, path, length + 1);
	for (char *slash = part + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = '\0';
		if (mkdir(part, mode) < 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	if (mkdir(part, mode) == 0)
		return 0;
	if (errno != EEXIST)
		return -errno;
	struct stat st;
	if (stat(part, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? 0 : -ENOTDIR;
}

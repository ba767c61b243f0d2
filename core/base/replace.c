#include "base/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"

#define UNFINISHED ".unfinished"

static int write_all(int fd, const char *text, size_t n)
{
	while (n) {
		ssize_t written = write(fd, text, n);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			text += written;
			n -= (size_t)written;
		}
	}
	return 0;
}

static int write_into(const char *path, const char *text, size_t n, struct mw_err *err)
{
	MW_AUTO_FD fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	int r = fd < 0 ? -errno : write_all(fd, text, n);
	return r < 0 ? mw_err_set(err, r, "%.300s: %s", path, strerror(-r)) : 0;
}

/* The mode last: another owner takes away the bits for set-user-ID. */
static int keep(int fd, const struct stat *old, const char *path, struct mw_err *err)
{
	struct stat new;
	if (fstat(fd, &new) < 0)
		return mw_err_set(err, -errno, "%.300s: %s", path, strerror(errno));
	if (new.st_gid != old->st_gid && fchown(fd, (uid_t)-1, old->st_gid) < 0)
		return mw_err_set(err, -errno, "%.300s: its group (%u) cannot be kept: %s", path, old->st_gid,
				  strerror(errno));
	if (new.st_uid != old->st_uid && fchown(fd, old->st_uid, (gid_t)-1) < 0)
		return mw_err_set(err, -errno, "%.300s: its owner (%u) cannot be kept: %s", path, old->st_uid,
				  strerror(errno));
	if (fchmod(fd, old->st_mode & 07777) < 0)
		return mw_err_set(err, -errno, "%.300s: its mode cannot be kept: %s", path, strerror(errno));
	return 0;
}

int mw_file_replace(const char *path, const char *text, size_t n, struct mw_err *err)
{
	static const struct stat none;
	struct stat old = none;
	char target[PATH_MAX];
	char unfinished[PATH_MAX + sizeof(UNFINISHED)];
	bool is_there = stat(path, &old) == 0;
	if (is_there && !S_ISREG(old.st_mode))
		return write_into(path, text, n, err);
	if (!is_there && errno != ENOENT)
		return mw_err_set(err, -errno, "%.300s: %s", path, strerror(errno));
	/* A link whose end is not there yet is replaced itself. */
	if (is_there && !realpath(path, target))
		return mw_err_set(err, -errno, "%.300s: %s", path, strerror(errno));
	if (!is_there && snprintf(target, sizeof(target), "%s", path) >= (int)sizeof(target))
		return mw_err_set(err, -ENAMETOOLONG, "%.300s: %s", path, strerror(ENAMETOOLONG));
	(void)snprintf(unfinished, sizeof(unfinished), "%s" UNFINISHED, target);
	(void)unlink(unfinished); /* of one who was killed */

	MW_AUTO_FD fd = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, is_there ? 0600 : 0666);
	if (fd < 0)
		return mw_err_set(err, -errno, "%.300s: %s", unfinished, strerror(errno));
	int r = is_there ? keep(fd, &old, path, err) : 0;
	if (r == 0) {
		r = write_all(fd, text, n);
		/* What does not fit may show only now. */
		if (r == 0 && fsync(fd) < 0 && errno != EINVAL)
			r = -errno;
		if (r == 0 && rename(unfinished, target) < 0)
			r = -errno;
		if (r < 0)
			(void)mw_err_set(err, r, "%.300s: %s", path, strerror(-r));
	}
	if (r < 0)
		(void)unlink(unfinished);
	return r;
}

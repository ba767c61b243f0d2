#include "bundle/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "bundle/bundle.h"

static const char kept_name[] = "bundle.mwb";
static const char new_name[] = "bundle.new";

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		bytes += written;
		n -= (size_t)written;
	}
	return 0;
}

int mw_bundle_keep(const char *dir, const void *bytes, size_t n, struct mw_err *err)
{
	MW_AUTO_FD dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return mw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	(void)unlinkat(dirfd, new_name, 0);
	MW_AUTO_FD fd = openat(dirfd, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = fd < 0 ? -errno : write_all(fd, bytes, n);
	if (r == 0 && (fsync(fd) < 0 || renameat(dirfd, new_name, dirfd, kept_name) < 0 || fsync(dirfd) < 0))
		r = -errno;
	if (r < 0) {
		(void)unlinkat(dirfd, new_name, 0);
		return mw_err_set(err, r, "%s/%s: %s", dir, new_name, strerror(-r));
	}
	return 0;
}

int mw_bundle_kept(const char *dir, struct mw_buf *out, struct mw_err *err)
{
	MW_AUTO_FD dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return mw_err_set(err, -errno, "%s: %s", dir, strerror(errno));
	MW_AUTO_FD fd = openat(dirfd, kept_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat about;
	int r = fd < 0 || fstat(fd, &about) < 0 ? -errno : S_ISREG(about.st_mode) ? mw_file_read_fd(fd, out) : -EPERM;
	return r < 0 ? mw_err_set(err, r, "%s/%s: %s", dir, kept_name, strerror(-r)) : 0;
}

void mw_bundle_forget(const char *dir)
{
	MW_AUTO_FD dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd >= 0)
		(void)unlinkat(dirfd, kept_name, 0);
}

/* The folders of `path`, below `dirfd`. */
static int make_folders(int dirfd, const char *path)
{
	char folder[MW_BUNDLE_PATH_BYTES];
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		(void)snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
		if (mkdirat(dirfd, folder, 0700) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int extract_file(int dirfd, const struct mw_bundle_file *file)
{
	int r = make_folders(dirfd, file->path);
	if (r < 0)
		return r;
	MW_AUTO_FD fd = openat(dirfd, file->path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : write_all(fd, file->text, file->bytes);
}

int mw_bundle_extract(const struct mw_bundle *bundle, const char *dir, char out[MW_PATH_BYTES], struct mw_err *err)
{
	int n = snprintf(out, MW_PATH_BYTES, "%s/bundle.XXXXXX", dir);
	if (n < 0 || n >= MW_PATH_BYTES)
		return mw_err_set(err, -ENAMETOOLONG, "%s: path too long", dir);
	if (!mkdtemp(out))
		return mw_err_set(err, -errno, "%s: %s", out, strerror(errno));
	MW_AUTO_FD dirfd = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = dirfd < 0 ? -errno : 0;
	for (size_t i = 0; i < bundle->file_count && r == 0; i++)
		r = extract_file(dirfd, &bundle->files[i]);
	if (r < 0) {
		(void)mw_err_set(err, r, "%s: %s", out, strerror(-r));
		mw_bundle_remove(bundle, out);
	}
	return r;
}

void mw_bundle_remove(const struct mw_bundle *bundle, const char *path)
{
	char folder[MW_BUNDLE_PATH_BYTES];
	MW_AUTO_FD dirfd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dirfd < 0)
		return;
	for (size_t i = 0; i < bundle->file_count; i++)
		(void)unlinkat(dirfd, bundle->files[i].path, 0);
	/* Each folder once it is empty. */
	for (size_t i = 0; i < bundle->file_count; i++) {
		(void)snprintf(folder, sizeof(folder), "%s", bundle->files[i].path);
		for (char *slash; (slash = strrchr(folder, '/'));) {
			*slash = '\0';
			(void)unlinkat(dirfd, folder, AT_REMOVEDIR);
		}
	}
	(void)rmdir(path);
}

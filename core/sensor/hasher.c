#include "sensor/hasher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "crypto/sha256.h"
#include "event/process.h"

enum {
	/* Files remembered. */
	FILES = 256,
};

/* What is larger is not hashed: the sensor does nothing else meanwhile: most of a second for as much. */
static const uint64_t LIMIT_BYTES = UINT64_C(512) << 20;

struct file {
	uint64_t device, inode, size;
	int64_t mtime_ns, ctime_ns;
	uint64_t used;
	char sha256[MW_SHA256_HEX_BYTES]; /* empty: cannot be had */
};

struct mw_hasher {
	int proc_fd;
	uint64_t clock;
	struct file files[FILES];
};

int mw_hasher_new(int proc_fd, struct mw_hasher **ret_hasher)
{
	struct mw_hasher *hasher = calloc(1, sizeof(*hasher));
	if (!hasher)
		return -ENOMEM;
	hasher->proc_fd = proc_fd;
	*ret_hasher = hasher;
	return 0;
}

void mw_hasher_free(struct mw_hasher *hasher)
{
	free(hasher);
}

static int64_t ns_of(const struct timespec *time)
{
	return (int64_t)time->tv_sec * MW_NS_PER_S + time->tv_nsec;
}

/* The file as it was at exec, or -1: what has been written to since is another program.  Linking and unlinking change its
 * ctime, which therefore does not count. */
static int open_if_same(int dirfd, const char *path, const struct mw_image *image)
{
	int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat stat;
	if (fd >= 0 && fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_dev == image->device &&
	    stat.st_ino == image->inode && (uint64_t)stat.st_size == image->exe_size &&
	    ns_of(&stat.st_mtim) == image->exe_mtime_ns)
		return fd;
	if (fd >= 0)
		(void)close(fd);
	return -1;
}

static int open_exe(const struct mw_hasher *hasher, const struct mw_image *image)
{
	char path[32];
	(void)snprintf(path, sizeof(path), "%d/exe", (int)image->pid);
	int fd = open_if_same(hasher->proc_fd, path, image);
	/* It has ended, or runs another program by now. */
	if (fd < 0 && image->exe && image->exe[0] == '/')
		fd = open_if_same(AT_FDCWD, image->exe, image);
	return fd;
}

/* Where the file is remembered, or a place for it (with another inode then). */
static struct file *place(struct mw_hasher *hasher, const struct mw_image *image)
{
	struct file *oldest = &hasher->files[0];
	for (size_t i = 0; i < FILES; i++) {
		struct file *file = &hasher->files[i];
		if (file->inode == image->inode && file->device == image->device && file->size == image->exe_size &&
		    file->mtime_ns == image->exe_mtime_ns && file->ctime_ns == image->exe_ctime_ns)
			return file;
		if (file->used < oldest->used)
			oldest = file;
	}
	*oldest = (struct file){0};
	return oldest;
}

void mw_hasher_hash(void *data, struct mw_image *image)
{
	struct mw_hasher *hasher = data;
	if (!image->inode)
		return;
	struct file *file = place(hasher, image);
	file->used = ++hasher->clock;
	if (!file->inode) {
		MW_AUTO_FD fd = open_exe(hasher, image);
		if (fd < 0) {
			image->hash = NULL; /* it will not come back */
			file->used = 0;
			return;
		}
		if (image->exe_size > LIMIT_BYTES || mw_sha256_fd(fd, LIMIT_BYTES, file->sha256) < 0)
			file->sha256[0] = '\0';
		file->device = image->device;
		file->inode = image->inode;
		file->size = image->exe_size;
		file->mtime_ns = image->exe_mtime_ns;
		file->ctime_ns = image->exe_ctime_ns;
	}
	memcpy(image->sha256, file->sha256, sizeof(image->sha256));
	image->hash = NULL;
}

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "crypto/sha256.h"
#include "pkg/cache.h"
#include "pkg/tree.h"
#include "pkg/walk.h"

static const char magic[16] = "moonwatch pkg 1";

/* Before the tree. */
struct header {
	char magic[sizeof(magic)];
	/* Of the program that wrote it, whose finders and structures it has, and of the root it is about. */
	struct mw_tree_identity program;
	dev_t root_dev;
	ino_t root_ino;
	unsigned char sum[MW_SHA256_BYTES]; /* of what follows: what was cut or damaged is not read */
};

static bool make_header(int rootfd, const char *tree, size_t n, struct header *ret)
{
	struct stat program;
	struct stat root;
	memset(ret, 0, sizeof(*ret)); /* what is between the members, too */
	if (stat("/proc/self/exe", &program) < 0 || fstat(rootfd, &root) < 0)
		return false;
	memcpy(ret->magic, magic, sizeof(magic));
	struct mw_tree_identity identity = mw_tree_identity(&program);
	ret->program.dev = identity.dev;
	ret->program.ino = identity.ino;
	ret->program.size = identity.size;
	ret->program.mtime = identity.mtime;
	ret->root_dev = root.st_dev;
	ret->root_ino = root.st_ino;
	mw_sha256(tree, n, ret->sum);
	return true;
}

static bool is_ours(int fd, mode_t type, mode_t forbidden)
{
	struct stat st;
	return fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == type && st.st_uid == geteuid() &&
	       !(st.st_mode & forbidden);
}

/* -1 for a folder that somebody else could have prepared. */
static int open_folder(const char *state_dir)
{
	int fd = open(state_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || is_ours(fd, S_IFDIR, S_IWGRP | S_IWOTH))
		return fd;
	(void)close(fd);
	return -1;
}

void mw_package_cache_load(struct mw_package_walk *walk, const char *state_dir, int rootfd)
{
	MW_AUTO(mw_buf) bytes = MW_BUF(MW_PACKAGE_CACHE_BYTES);
	MW_AUTO_FD dirfd = open_folder(state_dir);
	MW_AUTO_FD fd = dirfd < 0 ? -1
				  : openat(dirfd, MW_PACKAGE_CACHE_FILE,
					   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct header header;
	struct mw_tree *tree = mw_package_walk_tree(walk, "/");
	if (!tree || fd < 0 || !is_ours(fd, S_IFREG, S_IRWXG | S_IRWXO) || mw_file_read_fd(fd, &bytes) < 0 ||
	    bytes.size < sizeof(header))
		return;
	const char *body = bytes.data + sizeof(header);
	size_t n = bytes.size - sizeof(header);
	if (make_header(rootfd, body, n, &header) && memcmp(&header, bytes.data, sizeof(header)) == 0)
		(void)mw_package_cache_parse(body, n, tree);
}

static bool write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return false;
		bytes += written;
		n -= (size_t)written;
	}
	return true;
}

/* Whole or not at all: under another name first. */
void mw_package_cache_save(struct mw_package_walk *walk, const char *state_dir, int rootfd)
{
	MW_AUTO(mw_buf) body = MW_BUF(MW_PACKAGE_CACHE_BYTES);
	const struct mw_tree *tree = mw_package_walk_news(walk);
	struct header header;
	char name[64];
	if (!tree)
		return;
	MW_AUTO_FD dirfd = open_folder(state_dir);
	if (dirfd < 0)
		return;
	mw_package_cache_write(tree, &body);
	if (mw_buf_status(&body) < 0 || !make_header(rootfd, body.data, body.size, &header))
		return;
	(void)snprintf(name, sizeof(name), "." MW_PACKAGE_CACHE_FILE ".%d", (int)getpid());
	(void)unlinkat(dirfd, name, 0); /* left by one of that number that was killed */
	MW_AUTO_FD fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	bool is_whole = write_all(fd, (const char *)&header, sizeof(header)) && write_all(fd, body.data, body.size);
	if (is_whole && renameat(dirfd, name, dirfd, MW_PACKAGE_CACHE_FILE) == 0)
		mw_package_walk_no_news(walk);
	else
		(void)unlinkat(dirfd, name, 0);
}

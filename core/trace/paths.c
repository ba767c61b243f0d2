/* openat2(2) does the work: RESOLVE_IN_ROOT walks an absolute path, and what symbolic links in it make absolute, from the
 * thread's root; RESOLVE_BENEATH a relative one, until it leaves its folder, when it is put behind the name of that
 * folder and walked from the root.
 *
 * We must not wait for the thread we hold, nor for anyone who waits for it.  A file system in user space may be served
 * by just such a process, so where there can be one, only what the kernel has in memory is looked at
 * (RESOLVE_CACHED), and that is nearly always all: the thread has just used the same path. */

#include "trace/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "trace/tracee.h"

enum {
	/* "PID/fd/2147483647" */
	NAME_BYTES = 32,
	/* Of a path that is not there, so many folders are looked for from its end on. */
	FOLDERS = 8,
};

#ifndef RESOLVE_CACHED
#define RESOLVE_CACHED 0x20 /* linux/openat2.h, since 5.12 */
#endif

static const char SELF[] = "/proc/self/";

/* Could a process here serve a file system?  Asked once. */
static bool may_have_fuse(void)
{
	static atomic_int known; /* 0: not asked yet; 1: no; 2: yes */
	int answer = atomic_load(&known);
	if (!answer) {
		answer = access("/dev/fuse", F_OK) == 0 ? 2 : 1;
		atomic_store(&known, answer);
	}
	return answer == 2;
}

static int open_how(int base, const char *path, int flags, uint64_t resolve)
{
	const struct open_how how = {.flags = (unsigned)(O_PATH | O_CLOEXEC | flags), .resolve = resolve};
	int fd = (int)syscall(SYS_openat2, base, path, &how, sizeof(how));
	return fd < 0 ? -errno : fd;
}

static int walk(int base, const char *path, int flags, uint64_t resolve)
{
	int fd = open_how(base, path, flags, resolve | RESOLVE_CACHED);
	if (fd == -EINVAL || (fd == -EAGAIN && !may_have_fuse()))
		return open_how(base, path, flags, resolve); /* EINVAL: a kernel that knows nothing of RESOLVE_CACHED */
	if (fd == -EAGAIN && resolve == RESOLVE_IN_ROOT) {
		/* The file system of the root itself is served by nobody in it. */
		fd = open_how(base, path, flags, resolve | RESOLVE_NO_XDEV);
		return fd == -EXDEV ? -EAGAIN : fd;
	}
	return fd;
}

/* The folder that relative paths begin at; `name` has room for NAME_BYTES. */
static const char *base_name(int dirfd, char *name)
{
	if (dirfd == AT_FDCWD)
		return "cwd";
	(void)snprintf(name, NAME_BYTES, "fd/%d", dirfd);
	return name;
}

static int open_base(const struct mw_tracee *tracee, const char *name)
{
	char path[NAME_BYTES * 2];
	(void)snprintf(path, sizeof(path), "%d/%s", (int)tracee->tid, name);
	int fd = openat(tracee->procfd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* `path` from the thread's root on. */
static int open_from_root(const struct mw_tracee *tracee, const char *path, int flags)
{
	char own[MW_PATH_BYTES];
	size_t self = sizeof(SELF) - 1;
	if (strncmp(path, SELF, self) == 0) {
		/* It means itself, not us. */
		(void)snprintf(own, sizeof(own), "/proc/%d/%.*s", (int)tracee->tgid, MW_PATH_BYTES - NAME_BYTES,
			       path + self);
		path = own;
	}
	MW_AUTO_FD root = open_base(tracee, "root");
	if (root < 0)
		return root;
	int fd = walk(root, path, flags, RESOLVE_IN_ROOT);
	if (fd == -ENOSYS || fd == -EPERM) {
		/* Before 5.6, or forbidden: right but for absolute links under a root that is not ours. */
		while (*path == '/')
			path++;
		fd = openat(root, *path ? path : ".", O_PATH | O_CLOEXEC | flags);
		return fd < 0 ? -errno : fd;
	}
	return fd;
}

/* The name of the folder as the thread's root has it, and `path` behind it.  False when that is too long, or outside. */
static bool name_from_root(const struct mw_tracee *tracee, const char *base, const char *path, char out[MW_PATH_BYTES])
{
	char root[MW_PATH_BYTES];
	size_t root_bytes = mw_tracee_link(tracee, "root", root);
	size_t base_bytes = mw_tracee_link(tracee, base, out);
	if (!root_bytes || !base_bytes)
		return false;
	if (root_bytes > 1) {
		if (base_bytes < root_bytes || memcmp(root, out, root_bytes) != 0 ||
		    (base_bytes > root_bytes && out[root_bytes] != '/'))
			return false;
		memmove(out, out + root_bytes, base_bytes - root_bytes);
		base_bytes -= root_bytes;
	}
	int n = snprintf(out + base_bytes, MW_PATH_BYTES - base_bytes, "/%s", path);
	return n > 0 && (size_t)n < MW_PATH_BYTES - base_bytes;
}

static int open_path(const struct mw_tracee *tracee, int dirfd, const char *path, int flags)
{
	if (path[0] == '/')
		return open_from_root(tracee, path, flags);
	char name[NAME_BYTES];
	const char *base = base_name(dirfd, name);
	MW_AUTO_FD folder = open_base(tracee, base);
	if (folder < 0)
		return folder;
	int fd = walk(folder, path, flags, RESOLVE_BENEATH);
	if (fd == -ENOSYS || fd == -EPERM) {
		fd = openat(folder, path, O_PATH | O_CLOEXEC | flags);
		return fd < 0 ? -errno : fd;
	}
	/* EAGAIN: with RESOLVE_CACHED that is said of a path that leaves its folder by "..", too. */
	if (fd != -EXDEV && fd != -EAGAIN)
		return fd;
	char whole[MW_PATH_BYTES];
	return name_from_root(tracee, base, path, whole) ? open_from_root(tracee, whole, flags) : fd;
}

static size_t name_of(const struct mw_tracee *tracee, int fd, char out[MW_PATH_BYTES])
{
	char path[NAME_BYTES];
	(void)snprintf(path, sizeof(path), "self/fd/%d", fd);
	ssize_t n = readlinkat(tracee->procfd, path, out, MW_PATH_BYTES - 1);
	return n < 0 ? 0 : (size_t)n;
}

/* Put `n` bytes of `path` behind the `have` of `out`, with one slash between; empty names and "." are left out, ".." is
 * not: nobody knows where that leads. */
static size_t append(char out[MW_PATH_BYTES], size_t have, const char *path, size_t n, bool *ret_cut)
{
	const char *end = path + n;
	while (have && out[have - 1] == '/')
		have--;
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		size_t length = (size_t)((slash ? slash : end) - path);
		if (length && !(length == 1 && *path == '.')) {
			if (have + 1 + length >= MW_PATH_BYTES) {
				*ret_cut = true;
				length = have + 2 < MW_PATH_BYTES ? MW_PATH_BYTES - have - 2 : 0;
			}
			if (length) {
				out[have] = '/';
				memcpy(out + have + 1, path, length);
				have += 1 + length;
			}
		}
		path += length + 1;
		if (*ret_cut)
			break;
	}
	if (!have)
		out[have++] = '/';
	return have;
}

/* Name of the folder that the first `n` bytes of `path` are, in `out`; 0 when it is not to be had. */
static ssize_t folder_name(const struct mw_tracee *tracee, int dirfd, const char *path, size_t n,
			   char out[MW_PATH_BYTES])
{
	char name[NAME_BYTES];
	char folder[MW_PATH_BYTES];
	if (n == 0)
		return (ssize_t)mw_tracee_link(tracee, base_name(dirfd, name), out);
	if (n == 1 && path[0] == '/')
		return (ssize_t)mw_tracee_link(tracee, "root", out);
	memcpy(folder, path, n);
	folder[n] = '\0';
	MW_AUTO_FD fd = open_path(tracee, dirfd, folder, O_DIRECTORY);
	return fd < 0 ? fd : (ssize_t)name_of(tracee, fd, out);
}

/* The entry that the last name in `path` stands for: its folder's name and that one.  When there is no such folder, that of
 * the last one that there is, and the rest as it was given: it leads nowhere. */
static size_t resolve_entry(const struct mw_tracee *tracee, int dirfd, const char *path, size_t n,
			    char out[MW_PATH_BYTES], bool *ret_sure)
{
	size_t folder = n;
	bool is_cut = false;
	ssize_t have = -ENOENT;
	for (unsigned i = 0; i < FOLDERS && have == -ENOENT && folder; i++) {
		size_t end = folder;
		while (end > 1 && path[end - 1] == '/')
			end--;
		const char *last = memrchr(path, '/', end);
		last = last ? last + 1 : path;
		size_t last_bytes = (size_t)(path + end - last);
		bool is_name = last_bytes && !(last_bytes <= 2 && strncmp(last, "..", last_bytes) == 0);
		/* "." and ".." are no entries, but folders themselves. */
		folder = is_name || i ? (size_t)(last - path) : end;
		have = folder_name(tracee, dirfd, path, folder, out);
	}
	*ret_sure = have > 0 && have < MW_PATH_BYTES - 1 && out[0] == '/';
	if (!*ret_sure) {
		/* Too deep, or hidden from us. */
		char name[NAME_BYTES];
		folder = 0;
		have = (ssize_t)mw_tracee_link(tracee, path[0] == '/' ? "root" : base_name(dirfd, name), out);
	}
	size_t length = append(out, (size_t)have, path + folder, n - folder, &is_cut);
	*ret_sure = *ret_sure && !is_cut;
	return length;
}

size_t mw_paths_resolve(const struct mw_tracee *tracee, int dirfd, const char *path, bool follows,
			char out[MW_PATH_BYTES], bool *ret_sure)
{
	size_t n = strnlen(path, MW_PATH_BYTES - 1);
	if (follows) {
		MW_AUTO_FD fd = open_path(tracee, dirfd, path, 0);
		size_t have = fd < 0 ? 0 : name_of(tracee, fd, out);
		if (have && out[0] == '/') {
			*ret_sure = have < MW_PATH_BYTES - 1;
			return have;
		}
	}
	return resolve_entry(tracee, dirfd, path, n, out, ret_sure);
}

int mw_paths_exists(const struct mw_tracee *tracee, int dirfd, const char *path)
{
	MW_AUTO_FD fd = open_path(tracee, dirfd, path, 0);
	if (fd >= 0)
		return 1;
	return fd == -ENOENT ? 0 : fd;
}

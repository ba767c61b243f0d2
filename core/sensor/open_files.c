#include "sensor/open_files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "proc/procfs.h"

enum {
	FDINFO_BYTES = 256,
};

struct search {
	int procfd;
	size_t links;
	struct mw_open_file *files;
	size_t count;
};

static struct mw_open_file *find(const struct search *search, const char *path)
{
	size_t low = 0;
	size_t high = search->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = strcmp(path, search->files[middle].path);
		if (order == 0)
			return &search->files[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* Was it the last to write, as far as its position tells?  proc(5), fdinfo. */
static bool has_written(int procfd, pid_t pid, int fd)
{
	char name[MW_PROC_NAME_BYTES];
	char text[FDINFO_BYTES];
	mw_procfs_fd_name(pid, "fdinfo", fd, name);
	ssize_t n = mw_procfs_read_small(procfd, name, text, sizeof(text) - 1);
	if (n <= 0)
		return false;
	text[n] = '\0';
	long long position;
	unsigned flags;
	const char *line = strstr(text, "flags:");
	if (sscanf(text, "pos: %lld", &position) != 1 || !line || sscanf(line, "flags: %o", &flags) != 1)
		return false;
	struct stat stat;
	mw_procfs_fd_name(pid, "fd", fd, name);
	return (flags & O_ACCMODE) != O_RDONLY && !(flags & O_PATH) && fstatat(procfd, name, &stat, 0) == 0 &&
	       stat.st_size == position;
}

/* False when no more links may be looked at. */
static bool look_at(struct search *search, pid_t pid)
{
	char name[MW_PROC_NAME_BYTES];
	mw_procfs_name(pid, "fd", name);
	int fd = openat(search->procfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	if (!folder) {
		if (fd >= 0)
			(void)close(fd);
		return true;
	}
	for (struct dirent *entry; search->links && (entry = readdir(folder));) {
		char target[MW_PATH_BYTES];
		if (entry->d_name[0] == '.')
			continue;
		search->links--;
		ssize_t n = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		if (n <= 0 || target[0] != '/')
			continue;
		target[n] = '\0';
		struct mw_open_file *file = find(search, target);
		if (!file || !has_written(search->procfd, pid, atoi(entry->d_name)))
			continue;
		file->is_many |= file->pid && file->pid != pid;
		file->pid = pid;
	}
	(void)closedir(folder);
	return search->links > 0;
}

static bool is_ours(const pid_t *ours, pid_t pid)
{
	for (; *ours; ours++)
		if (*ours == pid)
			return true;
	return false;
}

/* It has ended, and only waits to be waited for; or it is a thread of the kernel. */
static bool is_nobody(int procfd, pid_t pid)
{
	enum {
		PF_KTHREAD = 0x00200000 /* linux/sched.h */
	};
	MW_AUTO_FD pidfd = -1;
	struct mw_proc_stat stat;
	return mw_procfs_open_pid(procfd, pid, &pidfd) < 0 || mw_procfs_stat(pidfd, &stat) < 0 || stat.state == 'Z' ||
	       stat.state == 'X' || stat.flags & PF_KTHREAD;
}

void mw_open_files_find(int procfd, const pid_t *ours, size_t links, struct mw_open_file *files, size_t n,
			struct mw_open_files_walk *ret)
{
	struct search search = {.procfd = procfd, .links = links, .files = files, .count = n};
	struct mw_procfs_walk *walk;
	pid_t pid;
	*ret = (struct mw_open_files_walk){.is_taken = true};
	if (mw_procfs_walk_open(procfd, &walk) < 0)
		return;
	bool is_whole = true;
	/* Without files it is but for the number. */
	while (is_whole && (n || ret->processes < 2) && mw_procfs_next(walk, &pid) > 0) {
		if (is_ours(ours, pid))
			continue;
		is_whole = n == 0 || look_at(&search, pid);
		/* One more than one is as good as many. */
		if (ret->processes < 2 && !is_nobody(procfd, pid)) {
			ret->processes++;
			ret->last = pid;
		}
	}
	ret->is_whole = is_whole;
	mw_procfs_walk_close(walk);
}

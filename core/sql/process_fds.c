#include "sql/process_fds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

int mw_process_each_fd(int pidfd, mw_each_fd *each, void *data)
{
	int fd = openat(pidfd, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir) {
		int error = errno;
		if (fd >= 0)
			(void)close(fd);
		return error == ENOENT ? -ESRCH : -error;
	}
	int r = 0;
	for (const struct dirent *entry;
	     r == 0 && (entry = readdir(dir));) { /* NOLINT(concurrency-mt-unsafe): own stream */
		if (entry->d_name[0] < '0' || entry->d_name[0] > '9')
			continue;
		char target[MW_PATH_BYTES];
		ssize_t n = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue; /* closed meanwhile */
		target[n] = '\0';
		r = each(data, (int)strtol(entry->d_name, NULL, 10), target);
	}
	(void)closedir(dir);
	return r;
}

uint64_t mw_fd_inode(const char *target, const char *kind)
{
	size_t n = strlen(kind);
	if (strncmp(target, kind, n) != 0 || target[n] != ':' || target[n + 1] != '[')
		return 0;
	return strtoull(target + n + 2, NULL, 10);
}

#include "sql/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int walk_folder(struct mw_sql_walk *walk, int fd, unsigned depth);

static int walk_entry(struct mw_sql_walk *walk, int dirfd, const char *name, unsigned depth)
{
	struct stat st;
	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT) < 0 || st.st_dev != walk->device)
		return 0;
	if (S_ISREG(st.st_mode))
		return walk->file(walk, dirfd, walk->path, name, &st);
	if (!S_ISDIR(st.st_mode) || depth == walk->depth_limit)
		return 0;
	int fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	return fd < 0 ? 0 : walk_folder(walk, fd, depth + 1);
}

/* Takes `fd`. */
static int walk_folder(struct mw_sql_walk *walk, int fd, unsigned depth)
{
	DIR *folder = fdopendir(fd);
	size_t length = strlen(walk->path);
	size_t room = sizeof(walk->path) - length;
	const struct dirent *entry;
	int r = 0;
	if (!folder) {
		(void)close(fd);
		return 0;
	}
	while (r == 0 && walk->entries_left && (entry = readdir(folder))) {
		const char *name = entry->d_name;
		int n = snprintf(walk->path + length, room, "%s%s", length ? "/" : "", name);
		walk->entries_left--;
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 && n > 0 && (size_t)n < room)
			r = walk_entry(walk, fd, name, depth);
		walk->path[length] = '\0';
	}
	(void)closedir(folder);
	return r;
}

int mw_sql_walk(struct mw_sql_walk *walk, int fd, const char *path)
{
	struct stat st;
	int n = snprintf(walk->path, sizeof(walk->path), "%s", path);
	if (n < 0 || (size_t)n >= sizeof(walk->path) || fstat(fd, &st) < 0) {
		(void)close(fd);
		return 0;
	}
	walk->device = st.st_dev;
	return walk_folder(walk, fd, 0);
}

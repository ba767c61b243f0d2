/* How many inotify watches and instances a user may have, and how many are in use: by all its processes that we may see. */
#include "watch/state.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PROCESSES = 4096, /* looked at */
	DESCRIPTORS = 65536,
	FDINFO_BYTES = 8 << 20, /* of one descriptor: a line of about 100 bytes a watch */
};

static uint64_t read_number(const char *path)
{
	MW_AUTO(mw_buf) text = MW_BUF(64);
	return mw_file_read_at(AT_FDCWD, path, &text) == 0 ? strtoull(text.data, NULL, 10) : 0;
}

/* The limit of the user, and that of the user namespace. */
static uint64_t least(const char *one, const char *other)
{
	uint64_t a = read_number(one), b = read_number(other);
	return b != 0 && b < a ? b : a;
}

static uint64_t count_watches(const char *pid, const char *fd)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%.20s/fdinfo/%.20s", pid, fd);
	MW_AUTO(mw_buf) text = MW_BUF(FDINFO_BYTES);
	(void)mw_file_read_at(AT_FDCWD, path, &text);
	uint64_t count = 0;
	for (const char *at = text.data; at && (at = strstr(at, "inotify wd:")); at++)
		count++;
	return count;
}

/* One process; false when it may not be looked at. */
static bool look_at(const char *pid, struct mw_limits *limits, unsigned *descriptors)
{
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
	DIR *dir = opendir(path);
	if (!dir)
		return errno == ENOENT;
	for (struct dirent *entry; *descriptors < DESCRIPTORS && (entry = readdir(dir));) {
		char target[32];
		if (entry->d_name[0] == '.')
			continue;
		++*descriptors;
		ssize_t n = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);
		if (n < 0)
			continue;
		target[n] = '\0';
		if (strcmp(target, "anon_inode:inotify") != 0)
			continue;
		limits->instances_used++;
		limits->watches_used += count_watches(pid, entry->d_name);
	}
	(void)closedir(dir);
	return true;
}

void mw_limits_read(struct mw_limits *ret)
{
	*ret = (struct mw_limits){
		.watches = least("/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"),
		.instances = least("/proc/sys/fs/inotify/max_user_instances", "/proc/sys/user/max_inotify_instances"),
	};
	DIR *proc = opendir("/proc");
	if (!proc)
		return;
	unsigned processes = 0, descriptors = 0;
	char self[24];
	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	for (struct dirent *entry; processes < PROCESSES && (entry = readdir(proc));) {
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || strcmp(entry->d_name, self) == 0)
			continue;
		struct stat st;
		if (fstatat(dirfd(proc), entry->d_name, &st, 0) < 0 || st.st_uid != geteuid())
			continue;
		processes++;
		if (!look_at(entry->d_name, ret, &descriptors))
			ret->hidden++;
	}
	(void)closedir(proc);
}

/* How many inotify watches and instances a user may have, and how many are in use: by all its processes that we may see. */
#include "watch/state.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
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
	DESCRIPTORS_A_LOOK = 16, /* at the clock */
	FDINFO_BYTES = 8 << 20,  /* of one descriptor: a line of about 100 bytes a watch */
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

/* The next process of this user; false when there is none. */
static bool next_process(struct mw_limits *limits)
{
	char self[24], path[64];
	(void)snprintf(self, sizeof(self), "%d", (int)getpid());
	for (struct dirent *entry; limits->processes < PROCESSES && (entry = readdir(limits->proc));) {
		struct stat st;
		if (entry->d_name[0] < '1' || entry->d_name[0] > '9' || strcmp(entry->d_name, self) == 0 ||
		    fstatat(dirfd(limits->proc), entry->d_name, &st, 0) < 0 || st.st_uid != geteuid())
			continue;
		limits->processes++;
		(void)snprintf(limits->pid, sizeof(limits->pid), "%.20s", entry->d_name);
		(void)snprintf(path, sizeof(path), "/proc/%.20s/fd", limits->pid);
		limits->fds = opendir(path);
		limits->hidden += !limits->fds && errno != ENOENT;
		return true;
	}
	return false;
}

/* The next descriptor of the process. */
static void next_descriptor(struct mw_limits *limits)
{
	char target[32];
	struct dirent *entry = limits->descriptors < DESCRIPTORS ? readdir(limits->fds) : NULL;
	if (!entry) {
		limits->hidden += limits->descriptors >= DESCRIPTORS;
		(void)closedir(limits->fds);
		limits->fds = NULL;
		return;
	}
	if (entry->d_name[0] == '.')
		return;
	limits->descriptors++;
	ssize_t n = readlinkat(dirfd(limits->fds), entry->d_name, target, sizeof(target) - 1);
	if (n < 0)
		return;
	target[n] = '\0';
	if (strcmp(target, "anon_inode:inotify") != 0)
		return;
	limits->instances_used++;
	limits->watches_used += count_watches(limits->pid, entry->d_name);
}

void mw_limits_begin(struct mw_limits *limits)
{
	mw_limits_end(limits);
	*limits = (struct mw_limits){
		.watches = least("/proc/sys/fs/inotify/max_user_watches", "/proc/sys/user/max_inotify_watches"),
		.instances = least("/proc/sys/fs/inotify/max_user_instances", "/proc/sys/user/max_inotify_instances"),
		.proc = opendir("/proc"),
	};
}

bool mw_limits_go_on(struct mw_limits *limits, int64_t until_ns)
{
	for (unsigned i = 1; limits->proc; i++) {
		if (limits->fds)
			next_descriptor(limits);
		else if (!next_process(limits))
			mw_limits_end(limits);
		if (i % DESCRIPTORS_A_LOOK == 0 && mw_clock_mono_ns() >= until_ns)
			return !limits->proc;
	}
	return true;
}

void mw_limits_end(struct mw_limits *limits)
{
	if (limits->fds)
		(void)closedir(limits->fds);
	if (limits->proc)
		(void)closedir(limits->proc);
	limits->fds = limits->proc = NULL;
}

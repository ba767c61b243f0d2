/* The kernel tells of changes in its folder; where it cannot, or the folder is not there yet, the file is looked at every few
 * seconds.  What counts is what it is, device, inode, size and times: it may be replaced by another, or by way of a symbolic
 * link above it. */
#include "sensor/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "loop/loop.h"

enum {
	/* Whoever writes it may not have finished. */
	SETTLE_MS = 50,
	LOOK_MS = 5000,
};

struct mw_config_file {
	struct mw_config_file_options options;
	char path[MW_PATH_BYTES];
	struct mw_timer timer;
	int inotify_fd; /* -1: it is looked at now and then */
	bool was_there;
	struct stat seen;
};

int mw_config_file_read(const char *path, struct mw_buf *out, struct mw_err *err)
{
	/* O_NONBLOCK: a FIFO under that name must not hold us. */
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return mw_err_set(err, -errno, "%s: %s", path, strerror(errno));
	struct stat stat;
	if (fstat(fd, &stat) < 0 || !S_ISREG(stat.st_mode))
		return mw_err_set(err, -EINVAL, "%s: not a regular file", path);
	int r = mw_file_trusted(fd, path, err);
	if (r < 0)
		return r;
	r = mw_file_read_fd(fd, out);
	if (r == -EFBIG)
		return mw_err_set(err, r, "%s: longer than %d bytes", path, MW_CONFIG_FILE_BYTES);
	return r < 0 ? mw_err_set(err, r, "%s: %s", path, strerror(-r)) : 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

static void look(struct mw_config_file *file, bool is_first)
{
	struct stat now = {0};
	bool is_there = stat(file->path, &now) == 0;
	if (!is_first && is_there == file->was_there && (!is_there || is_same(&now, &file->seen)))
		return;
	file->was_there = is_there;
	file->seen = now;
	MW_AUTO(mw_buf) text = MW_BUF(MW_CONFIG_FILE_BYTES);
	struct mw_err err = {""};
	if (mw_config_file_read(file->path, &text, &err) < 0)
		file->options.failed(file->options.data, err.text);
	else
		file->options.changed(file->options.data, text.data ? text.data : "", text.size);
}

static void on_time(void *data)
{
	struct mw_config_file *file = data;
	look(file, false);
	if (file->inotify_fd < 0)
		mw_timer_set(file->options.loop, &file->timer, LOOK_MS);
}

static void on_event(void *data, uint32_t events)
{
	struct mw_config_file *file = data;
	(void)events;
	_Alignas(struct inotify_event) char buffer[4096];
	while (read(file->inotify_fd, buffer, sizeof(buffer)) > 0)
		;
	/* Others may write into that folder all the time. */
	if (!file->timer.is_set)
		mw_timer_set(file->options.loop, &file->timer, SETTLE_MS);
}

static void watch_folder(struct mw_config_file *file)
{
	char copy[MW_PATH_BYTES];
	memcpy(copy, file->path, sizeof(copy));
	file->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (file->inotify_fd < 0)
		return;
	const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM | IN_ATTRIB |
			      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
	if (inotify_add_watch(file->inotify_fd, dirname(copy), mask) < 0 ||
	    mw_loop_watch(file->options.loop, file->inotify_fd, EPOLLIN, on_event, file) < 0) {
		(void)close(file->inotify_fd);
		file->inotify_fd = -1;
	}
}

int mw_config_file_new(const struct mw_config_file_options *options, struct mw_config_file **ret_file)
{
	struct mw_config_file *file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	if (strlen(options->path) >= sizeof(file->path)) {
		free(file);
		return -ENAMETOOLONG;
	}
	file->options = *options;
	memcpy(file->path, options->path, strlen(options->path) + 1);
	file->options.path = file->path;
	file->timer = (struct mw_timer){.fire = on_time, .data = file};
	watch_folder(file);
	look(file, true);
	if (file->inotify_fd < 0)
		mw_timer_set(options->loop, &file->timer, LOOK_MS);
	*ret_file = file;
	return 0;
}

void mw_config_file_free(struct mw_config_file *file)
{
	if (!file)
		return;
	mw_timer_clear(file->options.loop, &file->timer);
	if (file->inotify_fd >= 0) {
		mw_loop_unwatch(file->options.loop, file->inotify_fd);
		(void)close(file->inotify_fd);
	}
	free(file);
}

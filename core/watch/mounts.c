/* What is mounted where: a mount on top of a watched directory hides it, and the watch stays with what is hidden.  The
 * kernel says by POLLPRI on mountinfo that mounts have changed, proc_pid_mountinfo(5). */
#include "watch/state.h"

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
	MOUNTINFO_BYTES = 4 << 20,
};

/* A mount: what it is, and where.  Only whether it is the same as before counts. */
static uint64_t hash_line(const char *line, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325;
	unsigned field = 0;
	for (size_t i = 0; i < size && field < 5; i++) { /* id, parent, device, root, mount point: no options */
		field += line[i] == ' ';
		hash = (hash ^ (unsigned char)line[i]) * 0x100000001b3;
	}
	return hash;
}

/* Field 5 of a line, with its \040 and the like turned back. */
static bool mount_point(const char *line, size_t size, char path[MW_PATH_BYTES])
{
	const char *at = line, *end = line + size;
	for (unsigned field = 0; field < 4; field++) {
		at = memchr(at, ' ', (size_t)(end - at));
		if (!at)
			return false;
		at++;
	}
	size_t n = 0;
	for (; at < end && *at != ' ' && n + 1 < MW_PATH_BYTES; at++) {
		if (*at == '\\' && end - at > 3) {
			path[n++] = (char)((at[1] - '0') * 64 + (at[2] - '0') * 8 + (at[3] - '0'));
			at += 3;
		} else {
			path[n++] = *at;
		}
	}
	path[n] = '\0';
	return n > 0;
}

static void changed_at(struct mw_watch *watch, const char *path)
{
	struct mw_node *node = mw_tree_at(&watch->tree, path);
	if (node && mw_node_is_directory(node) && mw_node_dir(node)->where != MW_WHERE_NOWHERE)
		mw_scan_queue(watch, node, MW_DIR_TELL | MW_DIR_DEEP);
	else if (node && node->parent) /* a file that something was mounted on */
		mw_scan_queue(watch, node->parent, MW_DIR_TELL);
}

/* Read all mounts; what is new or gone is looked at. */
static void reread(struct mw_watch *watch, bool is_first)
{
	MW_AUTO(mw_buf) text = MW_BUF(MOUNTINFO_BYTES);
	if (lseek(watch->mounts_fd, 0, SEEK_SET) < 0 || mw_file_read_fd(watch->mounts_fd, &text) < 0 || !text.data)
		return;
	size_t lines = 0;
	for (size_t i = 0; i < text.size; i++)
		lines += text.data[i] == '\n';
	struct mw_mount *mounts = calloc(lines + 1, sizeof(*mounts));
	if (!mounts)
		return;
	size_t count = 0;
	for (const char *line = text.data, *next; line < text.data + text.size; line = next) {
		const char *end = strchr(line, '\n');
		next = end ? end + 1 : text.data + text.size;
		size_t size = (size_t)((end ? end : next) - line);
		char path[MW_PATH_BYTES];
		if (count < lines && mount_point(line, size, path) && (mounts[count].path = strdup(path)))
			mounts[count++].hash = hash_line(line, size);
	}
	for (int pass = 0; pass < 2 && !is_first; pass++) { /* what is new, then what is gone */
		const struct mw_mount *these = pass ? watch->mounts : mounts, *those = pass ? mounts : watch->mounts;
		size_t n = pass ? watch->mount_count : count, m = pass ? count : watch->mount_count;
		for (size_t i = 0; i < n; i++) {
			size_t k = 0;
			while (k < m && those[k].hash != these[i].hash)
				k++;
			if (k == m)
				changed_at(watch, these[i].path);
		}
	}
	for (size_t i = 0; i < watch->mount_count; i++)
		free(watch->mounts[i].path);
	free(watch->mounts);
	watch->mounts = mounts;
	watch->mount_count = count;
}

static void ready(void *data, uint32_t events)
{
	(void)events;
	reread(data, false);
}

int mw_mounts_open(struct mw_watch *watch)
{
	watch->mounts_fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	if (watch->mounts_fd < 0)
		return -errno;
	reread(watch, true);
	int r = mw_loop_watch(watch->options.loop, watch->mounts_fd, EPOLLPRI, ready, watch);
	if (r < 0)
		mw_watch_mounts_release(watch);
	return r;
}

void mw_watch_mounts_release(struct mw_watch *watch)
{
	for (size_t i = 0; i < watch->mount_count; i++)
		free(watch->mounts[i].path);
	free(watch->mounts);
	watch->mounts = NULL;
	watch->mount_count = 0;
	if (watch->mounts_fd < 0)
		return;
	mw_loop_unwatch(watch->options.loop, watch->mounts_fd);
	(void)close(watch->mounts_fd);
	watch->mounts_fd = -1;
}

/* Directories gone through, a slice at a time: the watch first, then what is there, so that what comes in between is in
 * one of them at least. */
#include "watch/state.h"

#include "base/clock.h"
#include "base/limits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

enum {
	SLICE_NS =
		2 * MW_NS_PER_MS, /* the sensor has other things to do, and shares its processor with the application */
	REST_MAX_MS = 100,
	THROTTLED_MS = 40, /* see cpu.max in cgroups(7): usually some part of 100 ms */
	BUFFER = 32 << 10,
	NAMES_A_LOOK = 16, /* and steps; at the clock */
	NAMES_UNBROKEN = 256,
};

/* As getdents64(2) writes them. */
struct kernel_dirent {
	uint64_t inode;
	int64_t offset;
	unsigned short size;
	unsigned char type;
	char name[];
};

/* File systems of the kernel's own state: their files are no files, and come and go untold. */
static bool is_pseudo(long type)
{
	static const long types[] = {PROC_SUPER_MAGIC,   SYSFS_MAGIC,
				     CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
				     DEBUGFS_MAGIC,      TRACEFS_MAGIC,
				     SECURITYFS_MAGIC,   DEVPTS_SUPER_MAGIC,
				     BPF_FS_MAGIC,       PSTOREFS_MAGIC,
				     EFIVARFS_MAGIC,     SELINUX_MAGIC,
				     NSFS_MAGIC,         0x19800202 /* mqueue */,
				     0x62656570 /* configfs */};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (types[i] == type)
			return true;
	return false;
}

/* Those where others may change files behind this kernel's back; statfs(2) has the numbers. */
const char *mw_scan_unheard(unsigned long type)
{
	static const struct {
		unsigned type;
		const char *name;
	} types[] = {
		{NFS_SUPER_MAGIC, "nfs"},   {0xff534d42, "cifs"},         {0xfe534d42, "smb2"},
		{SMB_SUPER_MAGIC, "smb"},   {V9FS_MAGIC, "9p"},           {FUSE_SUPER_MAGIC, "fuse"},
		{0x00c36400, "ceph"},       {AFS_SUPER_MAGIC, "afs"},     {0x47504653, "gpfs"},
		{0x0bd00bd0, "lustre"},     {OCFS2_SUPER_MAGIC, "ocfs2"}, {0x01161970, "gfs2"},
		{CODA_SUPER_MAGIC, "coda"},
	};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (type == types[i].type)
			return types[i].name;
	return NULL;
}

void mw_scan_queue(struct mw_watch *watch, struct mw_node *node, uint16_t flags)
{
	struct mw_dir *dir = mw_node_dir(node);
	/* One that tells what is new, and one that does not: the telling one, since nothing may be silent. */
	dir->flags |= flags;
	watch->scan.is_deep |= (flags & MW_DIR_DEEP) != 0;
	if (dir->flags & MW_DIR_QUEUED)
		return;
	dir->flags |= MW_DIR_QUEUED;
	mw_node_hold(node);
	node->same = NULL;
	if (watch->scan.last)
		watch->scan.last->same = node;
	else
		watch->scan.first = node;
	watch->scan.last = node;
	if (!watch->scan.is_running && !watch->scan.timer.is_set)
		mw_timer_set(watch->options.loop, &watch->scan.timer, 0);
}

void mw_scan_all(struct mw_watch *watch)
{
	if (mw_node_dir(watch->tree.root)->where != MW_WHERE_NOWHERE)
		mw_scan_queue(watch, watch->tree.root, MW_DIR_TELL | MW_DIR_DEEP);
}

static void polled(struct mw_watch *watch, struct mw_dir *dir, bool is_polled)
{
	if (!(dir->flags & MW_DIR_POLLED) == !is_polled)
		return;
	dir->flags ^= MW_DIR_POLLED;
	watch->counters.polled += is_polled ? 1 : (uint64_t)-1;
	if (is_polled)
		mw_poll_start(watch);
}

/* Whether the directory's watch could be had, or is done without. */
static bool take_watch(struct mw_watch *watch, struct mw_node *node, const char *path)
{
	struct mw_dir *dir = mw_node_dir(node);
	int r = mw_dirs_watch(watch, node, path);
	switch (r) {
	case 0:
		if (!(dir->flags & MW_DIR_ALSO))
			polled(watch, dir, false);
		return true;
	case -ENOENT:
	case -ENOTDIR:
		return false;
	case -EACCES: /* those in it may be had by name */
		if (!(dir->flags & MW_DIR_UNREADABLE))
			watch->counters.unreadable++;
		dir->flags |= MW_DIR_UNREADABLE;
		mw_said(watch, MW_SAID_UNREADABLE, false,
			"files: '%s' may not be read: it is looked at now and then by the names that are known; run the "
			"sensor as a user that may read it, or leave it out",
			path);
		polled(watch, dir, true);
		return true;
	case -EMFILE:
		polled(watch, dir, true);
		return true;
	default:
		watch->counters.refused++;
		mw_said(watch, MW_SAID_NO_WATCHES, true,
			"files: no inotify watch for '%s' (%llu in use of %llu that we may take): it and others are looked at "
			"every %lld ms instead; raise fs.inotify.max_user_watches or inotify_watch_share, or watch less",
			path, (unsigned long long)watch->tree.watched + watch->link_count,
			(unsigned long long)watch->share, (long long)watch->options.poll_ms);
		polled(watch, dir, true);
		return true;
	}
}

static int open_directory(const char *path)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	int fd = open(path, flags | O_NOATIME);
	return fd < 0 && errno == EPERM ? open(path, flags) : fd;
}

/* Is it, by mount, one of its own ancestors? */
static bool is_loop(const struct mw_node *node)
{
	for (const struct mw_node *above = node->parent; above; above = above->parent)
		if (above->flags & MW_NODE_HAS_STAT && above->inode == node->inode && above->device == node->device)
			return true;
	return false;
}

/* What is to be known of the file system it is on, asked when it is another than its parent's.  False: not to be watched. */
static bool check_file_system(struct mw_watch *watch, struct mw_node *node, int fd, const char *path)
{
	struct mw_dir *dir = mw_node_dir(node);
	if (node->parent && node->parent->flags & MW_NODE_HAS_STAT && node->parent->device == node->device) {
		if (mw_node_dir(node->parent)->flags & MW_DIR_ALSO) {
			dir->flags |= MW_DIR_ALSO;
			polled(watch, dir, true);
		}
		return true;
	}
	struct statfs fs;
	if (fstatfs(fd, &fs) < 0)
		return true;
	if (is_pseudo(fs.f_type) || is_loop(node))
		return false;
	if (fs.f_type == OVERLAYFS_SUPER_MAGIC)
		mw_said(watch, MW_SAID_OVERLAY, false,
			"files: '%s' is on an overlay: what is changed in its lower layers from outside, and not through it, is not "
			"told",
			path);
	const char *name = mw_scan_unheard((unsigned long)fs.f_type);
	if (name) {
		mw_said(watch, MW_SAID_FILE_SYSTEM, false,
			"files: '%s' is on %s, where others can change files without inotify telling: it is looked at every "
			"%lld ms, too",
			path, name, (long long)watch->options.poll_ms);
		dir->flags |= MW_DIR_ALSO;
		polled(watch, dir, true);
	}
	return true;
}

static void give_up(struct mw_watch *watch, struct mw_node *node)
{
	struct mw_dir *dir = mw_node_dir(node);
	polled(watch, dir, false);
	mw_dirs_unwatch(watch, node);
	while (dir->children)
		mw_dirs_remove(watch, dir->children, dir->flags & MW_DIR_TELL, MW_FOUND_BY_SCAN, 0);
}

/* 0; 1: nothing (more) to do with it. */
static int begin(struct mw_watch *watch, struct mw_node *node)
{
	struct mw_dir *dir = mw_node_dir(node);
	char path[MW_PATH_BYTES];
	if (dir->where == MW_WHERE_NOWHERE)
		return 1;
	if (mw_tree_path(node, path, sizeof(path)) < 0) {
		watch->counters.beyond += !(dir->flags & MW_DIR_BEYOND);
		dir->flags |= MW_DIR_BEYOND;
		mw_said(watch, MW_SAID_DEEP, false,
			"files: below '%.100s…' paths are longer than %d bytes: not watched",
			path[0] == '/' ? path : "/", MW_PATH_BYTES - 1);
		return 1;
	}
	if (!take_watch(watch, node, path))
		return 1;
	watch->counters.scans += (dir->flags & MW_DIR_TELL) != 0;
	bool is_listed = mw_map_where(watch->map, dir->where)->is_listed;
	watch->scan.fd = open_directory(path);
	if (watch->scan.fd < 0 && !is_listed)
		watch->scan.fd = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (watch->scan.fd < 0) {
		if (errno == EACCES && !(dir->flags & MW_DIR_UNREADABLE)) {
			watch->counters.unreadable++;
			dir->flags |= MW_DIR_UNREADABLE;
		}
		return 1;
	}
	struct stat st;
	if (fstat(watch->scan.fd, &st) == 0) {
		bool is_other = node->flags & MW_NODE_HAS_STAT &&
				(node->inode != st.st_ino || watch->tree.devices[node->device] != st.st_dev);
		if (!(node->flags & MW_NODE_HAS_STAT)) {
			mw_tree_set_stat(&watch->tree, node, &st);
		} else if (is_other) {
			node->inode = st.st_ino;
			node->device = mw_tree_device(&watch->tree, st.st_dev);
			dir->flags |= MW_DIR_DEEP; /* another: those below are others, too */
		}
		if (!check_file_system(watch, node, watch->scan.fd, path)) {
			give_up(watch, node);
			return 1;
		}
	}
	mw_dirs_unsettle(watch, node);
	for (struct mw_node *child = dir->children; child; child = child->next)
		child->flags &= (uint16_t)~MW_NODE_SEEN;
	return 0;
}

/* Some names; 1 when there are no more. */
static int some(struct mw_watch *watch, struct mw_node *node)
{
	int fd = watch->scan.fd;
	if (!mw_map_where(watch->map, mw_node_dir(node)->where)->is_listed) {
		const char *name = mw_map_name(watch->map, mw_node_dir(node)->where, watch->scan.name++);
		struct stat st;
		if (name && fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			mw_scan_entry(watch, node, fd, name, DT_UNKNOWN);
		return name ? 0 : 1;
	}
	if (watch->scan.at >= watch->scan.size) {
		watch->scan.at = 0;
		watch->scan.is_stale = false;
		watch->scan.size = syscall(SYS_getdents64, fd, watch->scan.buffer, BUFFER);
	}
	for (unsigned i = 0; i < NAMES_A_LOOK && watch->scan.at < watch->scan.size; i++) {
		const struct kernel_dirent *entry =
			(const struct kernel_dirent *)(void *)(watch->scan.buffer + watch->scan.at);
		const char *name = entry->name;
		watch->scan.at += entry->size;
		watch->scan.looked++;
		if (!(name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'))))
			mw_scan_entry(watch, node, fd, name, watch->scan.is_stale ? DT_UNKNOWN : entry->type);
		if (node->flags & MW_NODE_DEAD)
			return 1;
	}
	return watch->scan.size > 0 ? 0 : 1;
}

/* What was not seen is gone, if it is. */
static void end(struct mw_watch *watch, struct mw_node *node)
{
	struct mw_dir *dir = mw_node_dir(node);
	enum mw_change_source found_by = dir->flags & MW_DIR_BY_POLL ? MW_FOUND_BY_POLL : MW_FOUND_BY_SCAN;
	for (struct mw_node *child = dir->children, *next; child; child = next) {
		next = child->next;
		struct stat st;
		if (child->flags & MW_NODE_SEEN || !(dir->flags & MW_DIR_TELL))
			continue;
		char name[256]; /* the node may go */
		(void)snprintf(name, sizeof(name), "%s", mw_node_name(child));
		if (fstatat(watch->scan.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
			mw_scan_entry(watch, node, watch->scan.fd, name, DT_UNKNOWN);
		else if (errno == ENOENT)
			mw_dirs_remove(watch, child, true, found_by, 0);
	}
	dir->flags |= MW_DIR_COMPLETE;
	dir->flags &= (uint16_t) ~(MW_DIR_ABSENT | MW_DIR_UNREADABLE);
}

static void finish(struct mw_watch *watch)
{
	struct mw_node *node = watch->scan.now;
	if (!node)
		return;
	if (watch->scan.fd >= 0)
		(void)close(watch->scan.fd);
	watch->scan.fd = -1;
	watch->scan.now = NULL;
	watch->scan.name = 0;
	watch->scan.at = watch->scan.size = 0;
	struct mw_dir *dir = mw_node_dir(node);
	uint16_t once = MW_DIR_TELL | MW_DIR_DEEP | MW_DIR_BY_POLL;
	if (!(dir->flags & MW_DIR_QUEUED)) /* else asked for again meanwhile */
		dir->flags &= (uint16_t)~once;
	mw_node_release(node);
}

static bool is_new(const struct mw_node *node)
{
	return mw_node_dir(node)->flags & MW_DIR_TELL;
}

/* Is it known how many watches may be taken, or was it?  In a hurry there is no time to find out. */
static bool may_take(const struct mw_watch *watch)
{
	return !watch->is_counting || (watch->scan.is_hurried && watch->share > 0);
}

bool mw_scan_has_new(const struct mw_watch *watch)
{
	if (!may_take(watch))
		return false;
	const struct mw_node *node = watch->scan.first;
	while (node && !is_new(node))
		node = node->same;
	return node || (watch->scan.now && is_new(watch->scan.now));
}

static bool next(struct mw_watch *watch)
{
	struct mw_node *node = watch->scan.first, *before = NULL;
	while (node && watch->scan.is_hurried && !is_new(node)) {
		before = node;
		node = node->same;
	}
	if (!node)
		return false;
	if (before)
		before->same = node->same;
	else
		watch->scan.first = node->same;
	if (!node->same)
		watch->scan.last = before;
	node->same = NULL;
	mw_node_dir(node)->flags &= (uint16_t)~MW_DIR_QUEUED;
	watch->scan.now = node;
	watch->scan.is_started = false;
	watch->scan.fd = -1;
	watch->scan.name = 0;
	return true;
}

/* Events were read since the directory was opened: it may be elsewhere by now, or was another's place then. */
static bool is_still_there(const struct mw_watch *watch, const struct mw_node *node)
{
	char path[MW_PATH_BYTES];
	struct stat here, open_one;
	return mw_tree_path(node, path, sizeof(path)) > 0 && lstat(path, &here) == 0 &&
	       fstat(watch->scan.fd, &open_one) == 0 && here.st_ino == open_one.st_ino &&
	       here.st_dev == open_one.st_dev;
}

static void again(struct mw_watch *watch)
{
	struct mw_node *node = watch->scan.now;
	uint16_t flags = mw_node_dir(node)->flags & (MW_DIR_TELL | MW_DIR_DEEP | MW_DIR_BY_POLL);
	mw_node_hold(node);
	finish(watch);
	mw_scan_queue(watch, node, flags);
	mw_node_release(node);
}

/* One step of what is scanned. */
static void step(struct mw_watch *watch)
{
	struct mw_node *node = watch->scan.now;
	bool is_resumed = watch->scan.is_resumed;
	watch->scan.is_resumed = false;
	if (node->flags & MW_NODE_DEAD) {
		finish(watch);
		return;
	}
	if (!watch->scan.is_started) {
		watch->scan.is_started = true;
		if (begin(watch, node))
			finish(watch);
		return;
	}
	if (is_resumed && !is_still_there(watch, node)) {
		again(watch);
		return;
	}
	if (!some(watch, node))
		return;
	if (!(node->flags & MW_NODE_DEAD))
		end(watch, node);
	finish(watch);
}

static int64_t own_cpu_ns(void)
{
	struct timespec time = {0};
	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
	return (int64_t)time.tv_sec * MW_NS_PER_S + time.tv_nsec;
}

/* What is gone through for the first time is not urgent.  When we had to wait for the processor for longer than others have
 * it in turn, our container has used up its share for a while: then rest for as long, so that the application goes on. */
static int64_t rest_ms(const struct mw_watch *watch, int64_t wall_ns, int64_t cpu_ns)
{
	if (watch->scan.is_settled || wall_ns - cpu_ns < (int64_t)THROTTLED_MS * MW_NS_PER_MS)
		return 0;
	int64_t ms = wall_ns / MW_NS_PER_MS;
	return ms < REST_MAX_MS ? ms : REST_MAX_MS;
}

void mw_scan_slice(struct mw_watch *watch)
{
	int64_t began_ns = mw_clock_mono_ns();
	if (watch->scan.is_running || (!watch->scan.is_hurried && began_ns < watch->scan.rests_until_ns))
		return;
	watch->scan.is_running = true;
	bool is_any = watch->scan.now || watch->scan.first || watch->is_counting;
	int64_t began_cpu_ns = is_any ? own_cpu_ns() : 0;
	int64_t until = began_ns + SLICE_NS;
	watch->scan.looked = 0;
	bool is_share_known = may_take(watch) || (!watch->scan.is_hurried && mw_watch_take_share(watch, until));
	while (is_share_known && (watch->scan.now || next(watch))) {
		step(watch);
		/* A directory that is not large is gone through without a break, since what events tell may be about it. */
		if (++watch->scan.looked < (watch->scan.now ? (unsigned)NAMES_UNBROKEN : (unsigned)NAMES_A_LOOK))
			continue;
		watch->scan.looked = 0;
		if (mw_clock_mono_ns() >= until)
			break;
	}
	watch->scan.is_running = false;
	watch->scan.is_stale = watch->scan.is_resumed = true;
	int waiting = 0;
	if (watch->inotify_fd < 0 || (ioctl(watch->inotify_fd, FIONREAD, &waiting) == 0 && waiting == 0))
		mw_dirs_settle(watch);
	if (!watch->scan.now && !watch->scan.first && !watch->is_counting) {
		watch->scan.is_settled = true;
		watch->scan.is_deep = false;
		return;
	}
	int64_t ms = is_any ? rest_ms(watch, mw_clock_mono_ns() - began_ns, own_cpu_ns() - began_cpu_ns) : 0;
	watch->scan.rests_until_ns = ms ? mw_clock_mono_ns() + ms * MW_NS_PER_MS : 0;
	if (ms || !watch->scan.timer.is_set)
		mw_timer_set(watch->options.loop, &watch->scan.timer, ms ? ms + 1 : 0);
}

void mw_scan_release(struct mw_watch *watch)
{
	do
		finish(watch);
	while (next(watch));
}

/* The bytes of inotify(7), and the two halves of a rename.
 *
 * The kernel tells the second half right behind the first, both under the locks of the two directories, but others may tell
 * something in between, and a read may end there.  Between the two nothing can happen to names in either directory, so the
 * next event about a name in the first directory says that no other half will come. */
#include "watch/state.h"

#include "base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	BUFFER = 64 << 10,
	LARGEST = sizeof(struct inotify_event) + 256, /* an event with the longest name */
	READS = 16,                                   /* in a row, then the loop does something else */
	WAIT_MS = 50,                                 /* for the other half */
	NAMES = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
};

/* The directories of a watch, held: what is done for one may take another out of the tree. */
struct group {
	struct mw_node *nodes[MW_WATCH_SAME];
	size_t count;
};

static struct group group_of(struct mw_watch *watch, int wd)
{
	struct group group = {.count = 0};
	for (struct mw_dir *dir = mw_tree_by_wd(&watch->tree, wd); dir && group.count < MW_WATCH_SAME;
	     dir = mw_tree_next_by_wd(dir)) {
		mw_node_hold(mw_dir_node(dir));
		group.nodes[group.count++] = mw_dir_node(dir);
	}
	return group;
}

/* The i-th, unless it is out of the tree. */
static struct mw_node *member(const struct group *group, size_t i)
{
	return i < group->count && !(group->nodes[i]->flags & MW_NODE_DEAD) ? group->nodes[i] : NULL;
}

static void let_go(const struct group *group)
{
	for (size_t i = 0; i < group->count; i++)
		mw_node_release(group->nodes[i]);
}

static void flush_one(struct mw_watch *watch, size_t i)
{
	struct mw_half_move move = watch->moves[i];
	memmove(&watch->moves[i], &watch->moves[i + 1], (--watch->move_count - i) * sizeof(*watch->moves));
	struct group group = group_of(watch, move.wd);
	for (size_t k = 0; k < group.count; k++)
		if (member(&group, k))
			mw_names_deleted(watch, group.nodes[k], move.name, move.is_directory, move.cookie);
	let_go(&group);
}

void mw_read_flush_moves(struct mw_watch *watch, int64_t before_ns)
{
	while (watch->move_count > 0 && watch->moves[0].read_ns <= before_ns)
		flush_one(watch, 0);
}

static void half_moved(struct mw_watch *watch, const struct inotify_event *event)
{
	if (watch->move_count == MW_WATCH_MOVES)
		flush_one(watch, 0);
	struct mw_half_move *move = &watch->moves[watch->move_count++];
	*move = (struct mw_half_move){.cookie = event->cookie,
				      .is_directory = event->mask & IN_ISDIR,
				      .wd = event->wd,
				      .read_ns = mw_clock_mono_ns()};
	(void)snprintf(move->name, sizeof(move->name), "%s", event->name);
	if (!watch->move_timer.is_set)
		mw_timer_set(watch->options.loop, &watch->move_timer, WAIT_MS);
}

static bool moved(struct mw_watch *watch, const struct inotify_event *event)
{
	size_t i = 0;
	while (i < watch->move_count && watch->moves[i].cookie != event->cookie)
		i++;
	if (i == watch->move_count)
		return false;
	struct mw_half_move move = watch->moves[i];
	memmove(&watch->moves[i], &watch->moves[i + 1], (--watch->move_count - i) * sizeof(*watch->moves));
	bool is_directory = event->mask & IN_ISDIR;
	/* Usually one each; of directories mounted several times the first with the first. */
	struct group from = group_of(watch, move.wd);
	struct group to = group_of(watch, event->wd);
	for (size_t k = 0; k < from.count || k < to.count; k++) {
		struct mw_node *source = member(&from, k), *target = member(&to, k);
		if (source && target)
			mw_names_moved(watch, source, move.name, target, event->name, is_directory, event->cookie);
		else if (source)
			mw_names_deleted(watch, source, move.name, is_directory, event->cookie);
		else if (target)
			mw_names_created(watch, target, event->name, is_directory, event->cookie);
	}
	let_go(&from);
	let_go(&to);
	return true;
}

/* The kernel has taken the watch away: the directory is deleted, or its file system is no more mounted there. */
static void ignored(struct mw_watch *watch, int wd)
{
	for (struct mw_dir *dir = mw_tree_by_wd(&watch->tree, wd), *next; dir; dir = next) {
		next = mw_tree_next_by_wd(dir);
		mw_tree_set_wd(&watch->tree, dir, -1);
		dir->flags |= MW_DIR_ABSENT;
		mw_scan_queue(watch, mw_dir_node(dir), MW_DIR_TELL | MW_DIR_DEEP);
	}
}

static void overflow(struct mw_watch *watch)
{
	watch->counters.overflows++;
	mw_said(watch, MW_SAID_OVERFLOW, true,
		"files: inotify's queue was full and events were lost: all that is watched is compared with what was known; raise "
		"fs.inotify.max_queued_events, or watch less");
	mw_read_flush_moves(watch, INT64_MAX);
	watch->was_directory_moved = true;
	watch->unsettled_full = true; /* then all is gone through when the queue is empty */
	mw_watch_resolve_soon(watch);
}

static void about_name(struct mw_watch *watch, struct mw_node *node, const struct inotify_event *event)
{
	if (event->mask & IN_CREATE)
		mw_names_created(watch, node, event->name, event->mask & IN_ISDIR, 0);
	else if (event->mask & IN_MOVED_TO)
		mw_names_created(watch, node, event->name, event->mask & IN_ISDIR, event->cookie);
	else if (event->mask & IN_DELETE)
		mw_names_deleted(watch, node, event->name, event->mask & IN_ISDIR, 0);
	else
		mw_names_touched(watch, node, event->name, event->mask);
}

static void one(struct mw_watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW) {
		overflow(watch);
		return;
	}
	if (event->mask & IN_IGNORED) {
		if (!mw_links_event(watch, event->wd, event->mask))
			ignored(watch, event->wd);
		return;
	}
	struct mw_dir *dir = mw_tree_by_wd(&watch->tree, event->wd);
	if (!dir || event->len == 0) {
		if (!dir)
			(void)mw_links_event(watch, event->wd, event->mask);
		return;
	}
	if (event->mask & NAMES)
		for (size_t i = 0; i < watch->move_count; i++)
			if (watch->moves[i].wd == event->wd &&
			    !(event->mask & IN_MOVED_TO && watch->moves[i].cookie == event->cookie))
				flush_one(watch, i--);
	if (event->mask & IN_MOVED_FROM) {
		half_moved(watch, event);
		return;
	}
	if (event->mask & IN_MOVED_TO && moved(watch, event))
		return;
	if (!mw_tree_next_by_wd(dir)) {
		about_name(watch, mw_dir_node(dir), event);
		return;
	}
	struct group group = group_of(watch, event->wd);
	for (size_t i = 0; i < group.count; i++)
		if (member(&group, i))
			about_name(watch, group.nodes[i], event);
	let_go(&group);
}

void mw_read_events(struct mw_watch *watch)
{
	if (watch->inotify_fd < 0)
		return;
	bool is_empty = false;
	for (unsigned reads = 0; !is_empty && reads < READS; reads++) {
		ssize_t n = read(watch->inotify_fd, watch->buffer, BUFFER);
		is_empty = n < BUFFER - LARGEST;
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *event = (const struct inotify_event *)(void *)(watch->buffer + at);
			at += (ssize_t)(sizeof(*event) + event->len);
			watch->bytes_read += sizeof(*event) + event->len;
			one(watch, event);
		}
	}
	if (is_empty)
		mw_dirs_settle(watch);
	mw_scan_slice(watch);
}

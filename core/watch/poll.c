/* Directories without a watch, and those whose file system does not tell everything: gone through every poll_ms. */
#include "watch/state.h"

enum {
	POLLS_A_LOOK = 12, /* at who uses how many watches */
};

static struct mw_node *next_of(struct mw_node *node)
{
	if (mw_node_is_directory(node) && mw_node_dir(node)->children)
		return mw_node_dir(node)->children;
	while (node->parent && !node->next)
		node = node->parent;
	return node->next;
}

/* All that is polled, or has become so: through the queue of scans, in slices as they are.  Where watches could not be had
 * a scan tries again to take them. */
static void poll_all(struct mw_watch *watch)
{
	for (struct mw_node *node = watch->tree.root; node; node = next_of(node)) {
		if (!mw_node_is_directory(node))
			continue;
		struct mw_dir *dir = mw_node_dir(node);
		if (dir->flags & MW_DIR_POLLED && !(dir->flags & MW_DIR_QUEUED) && dir->where != MW_WHERE_NOWHERE)
			mw_scan_queue(watch, node, MW_DIR_TELL | MW_DIR_BY_POLL);
	}
}

static void fire(void *data)
{
	struct mw_watch *watch = data;
	if (watch->counters.polled == 0) {
		if (mw_said_over(watch, MW_SAID_NO_WATCHES) && watch->options.report)
			watch->options.report(watch->options.data, "files: all directories have an inotify watch again",
					      false);
		return;
	}
	/* Others may have given back what we could not have. */
	if (watch->inotify_fd < 0)
		mw_watch_open_inotify(watch);
	if (watch->said & (uint64_t)1 << MW_SAID_NO_WATCHES && ++watch->polls % POLLS_A_LOOK == 0)
		mw_watch_begin_share(watch);
	/* Not while the last round goes on: then it takes longer than poll_ms, and that is what it takes. */
	if (!watch->scan.now && !watch->scan.first)
		poll_all(watch);
	mw_timer_set(watch->options.loop, &watch->poll_timer, watch->options.poll_ms);
}

void mw_poll_start(struct mw_watch *watch)
{
	if (watch->poll_timer.is_set)
		return;
	watch->poll_timer.fire = fire;
	watch->poll_timer.data = watch;
	mw_timer_set(watch->options.loop, &watch->poll_timer, watch->options.poll_ms);
}

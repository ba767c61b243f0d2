/* Directories of the tree: their watches, how they go, and what becomes of them when they mean something else. */
#include "watch/state.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

enum {
	/* What only leads to something is asked for names alone. */
	NAMES = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO,
	CONTENTS = NAMES | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB,
	ACCESSES = IN_OPEN | IN_ACCESS,
	/* A file that is deleted and still written to has no name any more. */
	HOW = IN_ONLYDIR | IN_DONT_FOLLOW | IN_EXCL_UNLINK,
};

static uint32_t mask_of(struct mw_watch *watch, const struct mw_dir *dir)
{
	const struct mw_where *where = mw_map_where(watch->map, dir->where);
	return (where->has_matches ? CONTENTS : NAMES) | (where->wants_access ? ACCESSES : 0);
}

/* A directory has one watch, whatever its paths.  Those that have it, too: where it is mounted twice they share it; else we
 * took them for what is at `path` now, and have to look at them again. */
static void share_or_take(struct mw_watch *watch, int wd, const char *path)
{
	struct stat here, there;
	if (!mw_tree_by_wd(&watch->tree, wd))
		return;
	if (lstat(path, &here) < 0)
		memset(&here, 0, sizeof(here));
	for (struct mw_dir *other = mw_tree_by_wd(&watch->tree, wd), *next; other; other = next) {
		next = mw_tree_next_by_wd(other);
		char other_path[MW_PATH_BYTES];
		if (mw_tree_path(mw_dir_node(other), other_path, sizeof(other_path)) > 0 &&
		    lstat(other_path, &there) == 0 && here.st_ino == there.st_ino && here.st_dev == there.st_dev)
			continue;
		mw_tree_set_wd(&watch->tree, other, -1);
		other->flags |= MW_DIR_ABSENT;
		mw_scan_queue(watch, mw_dir_node(other), MW_DIR_TELL);
	}
}

int mw_dirs_watch(struct mw_watch *watch, struct mw_node *node, const char *path)
{
	struct mw_dir *dir = mw_node_dir(node);
	if (watch->inotify_fd < 0)
		return -EMFILE;
	if (dir->wd < 0 && watch->tree.watched + watch->link_count >= watch->share)
		return -ENOSPC;
	uint32_t mask = mask_of(watch, dir);
	int wd = inotify_add_watch(watch->inotify_fd, path, mask | HOW);
	if (wd < 0)
		return -errno;
	struct mw_dir *other = mw_tree_by_wd(&watch->tree, wd);
	if (wd == dir->wd && other == dir && !mw_tree_next_by_wd(other))
		return 0;
	if (wd != dir->wd) {
		mw_dirs_unwatch(watch, node);
		share_or_take(watch, wd, path);
		mw_tree_set_wd(&watch->tree, dir, wd);
	}
	if (mw_tree_next_by_wd(mw_tree_by_wd(&watch->tree, wd))) { /* what all of them want */
		for (other = mw_tree_by_wd(&watch->tree, wd); other; other = mw_tree_next_by_wd(other))
			mask |= mask_of(watch, other);
		(void)inotify_add_watch(watch->inotify_fd, path, mask | HOW);
	}
	return 0;
}

void mw_dirs_unwatch(struct mw_watch *watch, struct mw_node *node)
{
	struct mw_dir *dir = mw_node_dir(node);
	int wd = dir->wd;
	if (wd < 0)
		return;
	mw_tree_set_wd(&watch->tree, dir, -1);
	if (!mw_tree_by_wd(&watch->tree, wd))
		(void)inotify_rm_watch(watch->inotify_fd, wd);
}

uint64_t mw_dirs_categories(const struct mw_watch *watch, const struct mw_node *node)
{
	if (!node->parent)
		return 0;
	const char *name = mw_node_name(node);
	return mw_map_step(watch->map, mw_node_dir(node->parent)->where, name, strlen(name)).categories;
}

static void remove_one(struct mw_watch *watch, struct mw_node *node, bool tells, enum mw_change_source found_by,
		       uint32_t cookie)
{
	uint64_t categories = tells ? mw_dirs_categories(watch, node) : 0;
	char path[MW_PATH_BYTES];
	if (categories && mw_tree_path(node, path, sizeof(path)) > 0)
		mw_changes_add(watch, &(struct mw_change_what){.kind = MW_CHANGE_DELETE,
							       .found_by = found_by,
							       .node = node,
							       .path = path,
							       .categories = categories,
							       .cookie = cookie,
							       .is_directory = mw_node_is_directory(node)});
	if (mw_node_is_directory(node)) {
		if (mw_node_dir(node)->flags & MW_DIR_POLLED)
			watch->counters.polled--;
		mw_dirs_unwatch(watch, node);
	} else {
		mw_links_forget(watch, node);
	}
	mw_tree_remove(&watch->tree, node);
}

void mw_dirs_remove(struct mw_watch *watch, struct mw_node *node, bool tells, enum mw_change_source found_by,
		    uint32_t cookie)
{
	for (struct mw_node *at = node;;) {
		while (mw_node_is_directory(at) && mw_node_dir(at)->children)
			at = mw_node_dir(at)->children;
		struct mw_node *parent = at->parent;
		bool is_last = at == node;
		remove_one(watch, at, tells, found_by, is_last ? cookie : 0);
		if (is_last)
			return;
		at = parent;
	}
}

/* Was meant, is meant: what that makes of one name.  False when it is gone. */
static bool relabel_one(struct mw_watch *watch, struct mw_map *old_map, uint16_t old_where, uint16_t where,
			struct mw_node *node, bool tells, uint16_t *ret_old, uint16_t *ret_new)
{
	const char *name = mw_node_name(node);
	size_t size = strlen(name);
	struct mw_meaning was = mw_map_step(old_map, old_where, name, size);
	struct mw_meaning is = mw_map_step(watch->map, where, name, size);
	*ret_old = was.below;
	*ret_new = is.below;
	char path[MW_PATH_BYTES];
	if (tells && !was.categories != !is.categories && mw_tree_path(node, path, sizeof(path)) > 0)
		mw_changes_add(watch,
			       &(struct mw_change_what){.kind = is.categories ? MW_CHANGE_CREATE : MW_CHANGE_DELETE,
							.found_by = MW_FOUND_BY_INOTIFY,
							.node = node,
							.path = path,
							.categories = is.categories ? is.categories : was.categories,
							.is_directory = mw_node_is_directory(node)});
	if (is.categories || (mw_node_is_directory(node) && is.below != MW_WHERE_NOWHERE))
		return true;
	mw_dirs_remove(watch, node, false, MW_FOUND_BY_INOTIFY, 0);
	return false;
}

void mw_dirs_relabel(struct mw_watch *watch, struct mw_map *old_map, struct mw_node *node, uint16_t where, bool tells)
{
	struct mw_dir *dir = mw_node_dir(node);
	uint16_t old_where = dir->where;
	bool is_like = mw_map_where(old_map, old_where)->likeness == mw_map_where(watch->map, where)->likeness;
	dir->where = where;
	if (is_like && old_map == watch->map)
		return; /* and so is all below */
	for (struct mw_node *child = dir->children, *next; child; child = next) {
		next = child->next;
		uint16_t was_below, is_below;
		if (!relabel_one(watch, old_map, old_where, where, child, tells, &was_below, &is_below) ||
		    !mw_node_is_directory(child))
			continue;
		if (is_below != MW_WHERE_NOWHERE) { /* no deeper than a path has names */
			mw_dirs_relabel(watch, old_map, child, is_below, tells);
			continue;
		}
		while (mw_node_dir(child)->children) {
			struct mw_node *below = mw_node_dir(child)->children;
			mw_dirs_remove(watch, below, false, MW_FOUND_BY_INOTIFY, 0);
		}
		mw_node_dir(child)->where = MW_WHERE_NOWHERE;
		mw_dirs_unwatch(watch, child);
	}
	if (!is_like && where != MW_WHERE_NOWHERE)
		mw_scan_queue(watch, node, tells ? MW_DIR_TELL : 0);
}

void mw_dirs_unsettle(struct mw_watch *watch, struct mw_node *node)
{
	if (node->flags & MW_NODE_UNSETTLED)
		return;
	if (watch->unsettled_count == MW_WATCH_UNSETTLED) {
		watch->unsettled_full = true;
		return;
	}
	if ((watch->unsettled_count & (watch->unsettled_count - 1)) == 0) { /* full at each power of two */
		size_t capacity = watch->unsettled_count ? watch->unsettled_count * 2 : 1;
		struct mw_node **nodes = realloc(watch->unsettled, capacity * sizeof(struct mw_node *));
		if (!nodes) {
			watch->unsettled_full = true;
			return;
		}
		watch->unsettled = nodes;
	}
	mw_node_hold(node);
	node->flags |= MW_NODE_UNSETTLED;
	watch->unsettled[watch->unsettled_count++] = node;
}

static void recheck(struct mw_watch *watch, struct mw_node *node)
{
	char path[MW_PATH_BYTES];
	if (mw_tree_path(node, path, sizeof(path)) < 0)
		return;
	if (mw_node_is_directory(node) && mw_node_dir(node)->where != MW_WHERE_NOWHERE) {
		struct stat st;
		if (lstat(path, &st) == 0 && st.st_ino == node->inode && watch->tree.devices[node->device] == st.st_dev)
			return;
		mw_scan_queue(watch, node, MW_DIR_TELL);
		return;
	}
	uint64_t categories = mw_dirs_categories(watch, node);
	if (categories)
		mw_changes_add(watch, &(struct mw_change_what){.kind = MW_CHANGE_MODIFY,
							       .found_by = MW_FOUND_BY_SCAN,
							       .node = node,
							       .path = path,
							       .categories = categories,
							       .is_directory = mw_node_is_directory(node),
							       .is_check = true});
}

void mw_dirs_settle(struct mw_watch *watch)
{
	size_t count = watch->unsettled_count;
	struct mw_node **nodes = watch->unsettled;
	bool has_to_look = watch->was_directory_moved;
	watch->unsettled_count = 0;
	watch->unsettled = NULL;
	watch->was_directory_moved = false;
	if (has_to_look && watch->unsettled_full)
		mw_scan_all(watch);
	watch->unsettled_full = false;
	for (size_t i = 0; i < count; i++) {
		nodes[i]->flags &= (uint16_t) ~(MW_NODE_UNSETTLED | MW_NODE_SCANNED | MW_NODE_NEW | MW_NODE_RACY);
		if (has_to_look && !(nodes[i]->flags & MW_NODE_DEAD))
			recheck(watch, nodes[i]);
		mw_node_release(nodes[i]);
	}
	free(nodes);
}

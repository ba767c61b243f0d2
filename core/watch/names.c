/* What an event about one name means for the tree, and what is told of it. */
#include "watch/state.h"

#include "base/limits.h"

#include <errno.h>
#include <string.h>
#include <sys/inotify.h>

struct at {
	struct mw_node *directory;
	const char *name;
	size_t size;
	struct mw_meaning meaning;
	struct mw_node *node; /* NULL: not known */
};

static struct at look_up(struct mw_watch *watch, struct mw_node *directory, const char *name)
{
	struct at at = {.directory = directory, .name = name, .size = strlen(name)};
	at.meaning = mw_map_step(watch->map, mw_node_dir(directory)->where, name, at.size);
	if (at.meaning.categories || at.meaning.below != MW_WHERE_NOWHERE)
		at.node = mw_tree_find(&watch->tree, directory, name, at.size);
	return at;
}

/* What it may be a path of, as the tree has it now. */
static bool path_of(const struct at *at, char path[MW_PATH_BYTES])
{
	int size = mw_tree_path(at->directory, path, MW_PATH_BYTES);
	if (size < 0 || (size_t)size + at->size + 2 > MW_PATH_BYTES)
		return false;
	if (size > 1)
		path[size++] = '/';
	memcpy(path + size, at->name, at->size + 1);
	return true;
}

static bool is_meant(const struct at *at, bool is_directory)
{
	return at->meaning.categories || (is_directory && at->meaning.below != MW_WHERE_NOWHERE);
}

static void tell(struct mw_watch *watch, const struct at *at, struct mw_change_what what)
{
	char path[MW_PATH_BYTES];
	what.categories = at->meaning.categories;
	what.node = at->node;
	what.path = path;
	if (what.categories && path_of(at, path))
		mw_changes_add(watch, &what);
}

/* Into the tree, if there is room. */
static void know(struct mw_watch *watch, struct at *at, bool is_directory)
{
	if (is_directory && watch->tree.directories >= watch->options.directory_limit) {
		watch->counters.beyond++;
		mw_said(watch, MW_SAID_DIRECTORIES, true,
			"files: more than %u directories: '%s' and others are not watched; watch less, or exclude what is of no "
			"interest",
			watch->options.directory_limit, at->name);
	} else if (is_directory || watch->tree.bytes < watch->options.state_bytes) {
		at->node = mw_tree_add(&watch->tree, at->directory, at->name, at->size, is_directory);
	}
	if (at->node)
		at->node->flags |= MW_NODE_SEEN;
	else
		mw_node_dir(at->directory)->flags |= MW_DIR_PARTIAL;
}

static void descend(struct mw_watch *watch, const struct at *at)
{
	if (!at->node || !mw_node_is_directory(at->node) || at->meaning.below == MW_WHERE_NOWHERE)
		return;
	mw_node_dir(at->node)->where = at->meaning.below;
	mw_scan_queue(watch, at->node, MW_DIR_TELL);
}

static void created(struct mw_watch *watch, struct at *at, bool is_directory, const struct mw_change_what *what)
{
	if (at->node && mw_node_is_directory(at->node) != is_directory) {
		mw_dirs_remove(watch, at->node, true, MW_FOUND_BY_INOTIFY, 0);
		at->node = NULL;
	}
	if (at->node && at->node->flags & MW_NODE_SCANNED) { /* a scan told of it, or of what came after it */
		tell(watch, at,
		     (struct mw_change_what){.kind = MW_CHANGE_MODIFY, .is_directory = is_directory, .is_check = true});
	} else {
		if (!at->node)
			know(watch, at, is_directory);
		else
			at->node->flags &= (uint16_t)~MW_NODE_NEW;
		tell(watch, at, *what);
	}
	descend(watch, at);
}

void mw_names_created(struct mw_watch *watch, struct mw_node *directory, const char *name, bool is_directory,
		      uint32_t cookie)
{
	struct at at = look_up(watch, directory, name);
	if (at.meaning.is_link)
		mw_watch_resolve_soon(watch);
	if (!is_meant(&at, is_directory))
		return;
	if (cookie && is_directory)
		watch->was_directory_moved = true;
	if (cookie && at.node) { /* moved over what was there, which is gone without a word */
		mw_dirs_remove(watch, at.node, false, MW_FOUND_BY_INOTIFY, 0);
		at.node = NULL;
	}
	created(watch, &at, is_directory,
		&(struct mw_change_what){.kind = MW_CHANGE_CREATE, .is_directory = is_directory, .cookie = cookie});
}

void mw_names_deleted(struct mw_watch *watch, struct mw_node *directory, const char *name, bool is_directory,
		      uint32_t cookie)
{
	struct at at = look_up(watch, directory, name);
	if (at.meaning.is_link)
		mw_watch_resolve_soon(watch);
	if (cookie && is_directory)
		watch->was_directory_moved = true;
	if (at.node) {
		mw_dirs_remove(watch, at.node, true, MW_FOUND_BY_INOTIFY, cookie);
		return;
	}
	/* Not known though all in it is: a scan saw already that it is gone. */
	uint16_t flags = mw_node_dir(directory)->flags;
	if (flags & MW_DIR_PARTIAL || !(flags & MW_DIR_COMPLETE))
		tell(watch, &at,
		     (struct mw_change_what){.kind = MW_CHANGE_DELETE, .is_directory = is_directory, .cookie = cookie});
}

/* Both are meant. */
static void renamed(struct mw_watch *watch, struct at *from, struct at *to, bool is_directory, uint32_t cookie)
{
	char old_path[MW_PATH_BYTES];
	if (!path_of(from, old_path))
		return;
	struct mw_change_what what = {
		.kind = MW_CHANGE_RENAME, .is_directory = is_directory, .cookie = cookie, .old_path = old_path};
	if (from->node && mw_node_is_directory(from->node) != is_directory) {
		mw_dirs_remove(watch, from->node, true, MW_FOUND_BY_INOTIFY, 0);
		from->node = NULL;
	}
	if (from->node && mw_tree_move(&watch->tree, from->node, to->directory, to->name, to->size) < 0) {
		mw_dirs_remove(watch, from->node, false, MW_FOUND_BY_INOTIFY, 0);
		from->node = NULL;
	}
	if (!from->node) { /* known under its new name at the most: then it is as if it had come from outside */
		know(watch, to, is_directory);
		tell(watch, to, what);
		descend(watch, to);
		return;
	}
	to->node = from->node;
	to->node->flags |= MW_NODE_SEEN;
	tell(watch, to, what);
	if (!is_directory)
		return;
	struct mw_dir *dir = mw_node_dir(to->node);
	mw_dirs_relabel(watch, watch->map, to->node, to->meaning.below, true);
	/* From where a scan has yet to come to where one was already: it would miss it. */
	if (dir->where != MW_WHERE_NOWHERE && watch->scan.is_deep)
		mw_scan_queue(watch, to->node, MW_DIR_TELL | MW_DIR_DEEP);
	else if (dir->where != MW_WHERE_NOWHERE && (dir->wd < 0 || dir->flags & MW_DIR_ABSENT))
		mw_scan_queue(watch, to->node, MW_DIR_TELL);
	else if (dir->where == MW_WHERE_NOWHERE)
		mw_dirs_unwatch(watch, to->node);
}

static bool is_within(const struct mw_node *node, const struct mw_node *directory)
{
	while (node && node != directory)
		node = node->parent;
	return node;
}

void mw_names_moved(struct mw_watch *watch, struct mw_node *from_directory, const char *from_name,
		    struct mw_node *to_directory, const char *to_name, bool is_directory, uint32_t cookie)
{
	struct at from = look_up(watch, from_directory, from_name);
	struct at to = look_up(watch, to_directory, to_name);
	if (!from.meaning.categories || !to.meaning.categories) {
		mw_names_deleted(watch, from_directory, from_name, is_directory, cookie);
		if (!(to_directory->flags & MW_NODE_DEAD)) /* events were lost: it was known to be within */
			mw_names_created(watch, to_directory, to_name, is_directory, cookie);
		return;
	}
	if (from.meaning.is_link || to.meaning.is_link)
		mw_watch_resolve_soon(watch);
	watch->was_directory_moved |= is_directory;
	/* Into or over what is within the other, as far as we know: that is out of date, as events were lost.  All is looked at;
	 * in the tree it would make a circle. */
	struct mw_node *outer = from.node && is_within(to_directory, from.node)              ? from.node
				: from.node && to.node && is_within(from_directory, to.node) ? to.node
											     : NULL;
	if (outer) {
		mw_dirs_remove(watch, outer, true, MW_FOUND_BY_INOTIFY, 0);
		mw_scan_all(watch);
		return;
	}
	if (!from.node && to.node && to.node->flags & MW_NODE_SCANNED) { /* a scan saw it under its new name only */
		created(watch, &to, is_directory, NULL);
		return;
	}
	if (to.node && to.node != from.node) /* overwritten */
		mw_dirs_remove(watch, to.node, false, MW_FOUND_BY_INOTIFY, 0);
	to.node = NULL;
	renamed(watch, &from, &to, is_directory, cookie);
}

/* Is it one of our own opens and reads? */
static bool is_own(struct mw_watch *watch, const struct at *at, bool is_open)
{
	char path[MW_PATH_BYTES];
	if (watch->own_count == 0 || !path_of(at, path))
		return false;
	for (size_t i = 0; i < MW_WATCH_OWN; i++) {
		struct mw_own_read *own = &watch->own[i];
		if (!own->path || strcmp(own->path, path) != 0 || watch->bytes_read <= own->from ||
		    watch->bytes_read > own->to)
			continue;
		if (!is_open)
			return true;
		if (own->opens == 0)
			continue;
		own->opens--;
		return true;
	}
	return false;
}

static void accessed(struct mw_watch *watch, struct at *at, uint32_t mask)
{
	at->meaning.categories &= mw_map_access(watch->map);
	if (!at->meaning.categories || is_own(watch, at, mask & IN_OPEN))
		return;
	tell(watch, at,
	     (struct mw_change_what){.kind = mask & IN_OPEN ? MW_CHANGE_OPEN : MW_CHANGE_ACCESS,
				     .found_by = MW_FOUND_BY_INOTIFY});
}

void mw_names_touched(struct mw_watch *watch, struct mw_node *directory, const char *name, uint32_t mask)
{
	struct at at = look_up(watch, directory, name);
	bool is_directory = mask & IN_ISDIR;
	if (!at.meaning.categories)
		return;
	if (mask & (IN_OPEN | IN_ACCESS)) {
		if (!is_directory) /* we read directories ourselves */
			accessed(watch, &at, mask);
		return;
	}
	if (at.node && mw_node_is_directory(at.node) != is_directory)
		return; /* of one that was there before, or will be known in a moment */
	struct mw_change_what what = {
		.kind = mask & (IN_MODIFY | IN_CLOSE_WRITE) ? MW_CHANGE_MODIFY : MW_CHANGE_ATTRIBUTES,
		.is_directory = is_directory,
		.is_closed = mask & IN_CLOSE_WRITE,
		.is_check = at.node && at.node->flags & MW_NODE_SCANNED,
	};
	uint16_t flags = mw_node_dir(directory)->flags;
	if (!at.node && flags & MW_DIR_COMPLETE && !(flags & MW_DIR_PARTIAL)) {
		/* It went elsewhere while this was on its way: look where, once the queue is empty. */
		watch->was_directory_moved = true;
		return;
	}
	if (!at.node) {
		char path[MW_PATH_BYTES];
		struct stat st;
		if (!path_of(&at, path) || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode) != !is_directory)
			return; /* gone, which was told or will be */
		know(watch, &at, is_directory);
		/* In a new directory, before its scan has come to this name, which it will then find known. */
		if (flags & MW_DIR_TELL && !(flags & MW_DIR_COMPLETE))
			tell(watch, &at,
			     (struct mw_change_what){.kind = MW_CHANGE_CREATE,
						     .found_by = MW_FOUND_BY_SCAN,
						     .is_directory = is_directory});
		descend(watch, &at);
	}
	tell(watch, &at, what);
}

/* One name that a scan has come across: is it new, is it as it was? */
#include "watch/state.h"

#include "base/clock.h"
#include "base/limits.h"

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>

enum {
	TICK_NS = 20 * MW_NS_PER_MS, /* files have their times from a clock that ticks every 1 to 10 ms */
};

struct seen {
	struct mw_watch *watch;
	struct mw_node *directory;
	int fd;
	const char *name;
	struct mw_meaning meaning;
	enum mw_change_source found_by;
	bool tells;
};

static void tell(const struct seen *seen, enum mw_change_kind kind, struct mw_node *node, bool is_directory)
{
	char path[MW_PATH_BYTES];
	if (!seen->tells || !seen->meaning.categories)
		return;
	int size = mw_tree_path(node ? node : seen->directory, path, sizeof(path));
	if (size < 0)
		return;
	if (!node) {
		size_t n = strlen(seen->name);
		if ((size_t)size + n + 2 > sizeof(path))
			return;
		path[size] = '/';
		memcpy(path + size + (size > 1 ? 1 : 0), seen->name, n + 1);
	}
	mw_changes_add(seen->watch, &(struct mw_change_what){.kind = kind,
							     .found_by = seen->found_by,
							     .node = node,
							     .path = path,
							     .categories = seen->meaning.categories,
							     .is_directory = is_directory,
							     .is_fresh = node && node->flags & MW_NODE_HAS_STAT});
}

/* A file that has contents already was written after it was made.  Both are told, as they would have been had the watch been
 * there in time, so that what is told does not hang on who was faster. */
static void tell_new(const struct seen *seen, struct mw_node *node, const struct stat *st, bool is_directory)
{
	tell(seen, MW_CHANGE_CREATE, node, is_directory);
	if (st && S_ISREG(st->st_mode) && st->st_size > 0)
		tell(seen, MW_CHANGE_MODIFY, node, false);
}

static uint16_t racy(const struct stat *st)
{
	int64_t mtime_ns = (int64_t)st->st_mtim.tv_sec * MW_NS_PER_S + st->st_mtim.tv_nsec;
	return S_ISREG(st->st_mode) && st->st_size > 0 && mw_clock_real_ns() - mtime_ns < TICK_NS ? MW_NODE_RACY : 0;
}

static bool has_other_name(const struct mw_watch *watch, const struct mw_node *node)
{
	const struct mw_node *same = mw_tree_same_first(&watch->tree, node->device, node->inode);
	return same && (same != node || mw_tree_same(&watch->tree, same));
}

/* False when a category has had its share of looks. */
static bool may_look(const struct seen *seen)
{
	struct mw_watch *watch = seen->watch;
	uint64_t categories = seen->meaning.categories;
	if (!categories)
		return true;
	unsigned category = (unsigned)__builtin_ctzll(categories);
	if (watch->scan.entries[category]++ < watch->options.entries_limit)
		return true;
	mw_said(watch, MW_SAID_ENTRIES, true,
		"files: category %u has more than %llu files: what is beyond is not known, and directories in it are not watched; "
		"watch less, or exclude what changes much",
		category, (unsigned long long)watch->options.entries_limit);
	return false;
}

static void added_directory(const struct seen *seen, struct mw_node *node)
{
	struct mw_watch *watch = seen->watch;
	struct mw_dir *dir = mw_node_dir(node);
	dir->where = seen->meaning.below;
	if (dir->where != MW_WHERE_NOWHERE)
		mw_scan_queue(watch, node, seen->tells ? MW_DIR_TELL : 0);
}

static void add(const struct seen *seen, bool is_directory, const struct stat *st)
{
	struct mw_watch *watch = seen->watch;
	struct mw_dir *parent = mw_node_dir(seen->directory);
	if (!may_look(seen)) {
		watch->counters.beyond += is_directory;
		parent->flags |= MW_DIR_PARTIAL;
		return;
	}
	if (is_directory && watch->tree.directories >= watch->options.directory_limit) {
		watch->counters.beyond++;
		parent->flags |= MW_DIR_PARTIAL;
		mw_said(watch, MW_SAID_DIRECTORIES, true,
			"files: more than %u directories: '%s' and others are not watched; watch less, or exclude what is of no "
			"interest",
			watch->options.directory_limit, seen->name);
		return;
	}
	struct mw_node *node = NULL;
	if (is_directory || watch->tree.bytes < watch->options.state_bytes)
		node = mw_tree_add(&watch->tree, seen->directory, seen->name, strlen(seen->name), is_directory);
	if (!node) {
		parent->flags |= MW_DIR_PARTIAL;
		mw_said(watch, MW_SAID_STATE, false,
			"files: more than %zu MiB of what is known of files: changes of the others are told by inotify only, and not "
			"found where its queue was full",
			watch->options.state_bytes >> 20);
		tell_new(seen, NULL, st, is_directory);
		return;
	}
	node->flags |= MW_NODE_SEEN | (seen->tells ? MW_NODE_SCANNED : MW_NODE_NEW);
	mw_dirs_unsettle(watch, node);
	if (st) {
		mw_tree_set_stat(&watch->tree, node, st);
		node->flags |= racy(st);
	}
	mw_links_check(watch, node);
	/* Known by another name: then this one was made by link(2), which writes nothing. */
	bool is_linked = st && st->st_nlink > 1 && has_other_name(watch, node);
	tell_new(seen, node, is_linked ? NULL : st, is_directory);
	if (is_directory)
		added_directory(seen, node);
}

static void compare(const struct seen *seen, struct mw_node *node, const struct stat *st)
{
	struct mw_watch *watch = seen->watch;
	struct mw_change_stat was, is;
	bool is_directory = mw_node_is_directory(node);
	bool was_known = node->flags & MW_NODE_HAS_STAT;
	if (node->change) { /* when that is told, it may have changed again, or not */
		char path[MW_PATH_BYTES];
		if (mw_tree_path(node, path, sizeof(path)) > 0)
			mw_changes_add(watch, &(struct mw_change_what){.kind = MW_CHANGE_MODIFY,
								       .found_by = seen->found_by,
								       .node = node,
								       .path = path,
								       .categories = seen->meaning.categories,
								       .is_directory = is_directory,
								       .is_check = true});
		return;
	}
	mw_tree_get_stat(&watch->tree, node, &was);
	mw_stat_of(st, &is);
	if (was_known && !is_directory && (was.inode != is.inode || was.device != is.device)) {
		mw_dirs_remove(watch, node, true, seen->found_by, 0);
		add(seen, false, st);
		return;
	}
	bool has_moved_on = is_directory && (was.inode != is.inode || was.device != is.device);
	mw_tree_set_stat(&watch->tree, node, st);
	mw_links_check(watch, node); /* which may look again */
	mw_tree_get_stat(&watch->tree, node, &is);
	bool is_modified = !is_directory && (!was_known || was.size != is.size || was.mtime_ns != is.mtime_ns);
	bool has_attributes = was.mode != is.mode || was.uid != is.uid || was.gid != is.gid ||
			      (!is_directory && (was.ctime_ns != is.ctime_ns || was.nlink != is.nlink));
	if (is_modified)
		tell(seen, MW_CHANGE_MODIFY, node, is_directory);
	else if (was_known && has_attributes)
		tell(seen, MW_CHANGE_ATTRIBUTES, node, is_directory);
	if (is_modified || has_attributes) {
		node->flags |= MW_NODE_SCANNED | racy(st);
		mw_dirs_unsettle(watch, node);
	}
	if (has_moved_on && mw_node_dir(node)->where != MW_WHERE_NOWHERE)
		mw_scan_queue(watch, node, MW_DIR_TELL | MW_DIR_DEEP);
}

void mw_scan_entry(struct mw_watch *watch, struct mw_node *directory, int fd, const char *name, unsigned char d_type)
{
	struct mw_dir *dir = mw_node_dir(directory);
	struct seen seen = {
		.watch = watch,
		.directory = directory,
		.fd = fd,
		.name = name,
		.meaning = mw_map_step(watch->map, dir->where, name, strlen(name)),
		.found_by = dir->flags & MW_DIR_BY_POLL ? MW_FOUND_BY_POLL : MW_FOUND_BY_SCAN,
		.tells = dir->flags & MW_DIR_TELL,
	};
	if (!seen.meaning.categories && seen.meaning.below == MW_WHERE_NOWHERE)
		return;
	struct mw_node *node = mw_tree_find(&watch->tree, directory, name, strlen(name));
	if (node)
		node->flags |= MW_NODE_SEEN;
	struct stat st;
	bool has_stat = false;
	/* Of a new directory what is to be known is asked when it is gone through; of one known before, nothing if silent. */
	bool is_asked = d_type == DT_UNKNOWN ||
			(node ? seen.tells : d_type != DT_DIR || seen.meaning.below == MW_WHERE_NOWHERE);
	if (is_asked && (node || d_type == DT_UNKNOWN || watch->tree.bytes < watch->options.state_bytes)) {
		if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return; /* gone meanwhile */
		has_stat = true;
		d_type = S_ISDIR(st.st_mode) ? DT_DIR : DT_REG;
	}
	bool is_directory = d_type == DT_DIR;
	if (!is_directory && !seen.meaning.categories)
		return;
	if (node && mw_node_is_directory(node) != is_directory) {
		mw_dirs_remove(watch, node, true, seen.found_by, 0);
		node = NULL;
	}
	if (!node) {
		add(&seen, is_directory, has_stat ? &st : NULL);
		return;
	}
	if (is_directory && seen.meaning.below != MW_WHERE_NOWHERE) {
		struct mw_dir *below = mw_node_dir(node);
		below->where = seen.meaning.below;
		if (dir->flags & MW_DIR_DEEP)
			mw_scan_queue(watch, node, MW_DIR_TELL | MW_DIR_DEEP);
		else if (below->flags & MW_DIR_ABSENT)
			mw_scan_queue(watch, node, dir->flags & MW_DIR_TELL);
	}
	if (seen.tells && has_stat && seen.meaning.categories)
		compare(&seen, node, &st);
}

/* What is to be told, in order.  A change keeps the path it had; what lstat(2) says is asked for when it is told, once for all
 * changes of a file that are told together, and of where the file is then. */
#include "watch/state.h"

#include "base/clock.h"
#include "base/limits.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_CHANGES = 256,
	KEPT_BYTES = 16 << 20, /* past it the oldest are told at once */
};

struct mw_change_entry {
	struct mw_node *node;         /* held; NULL: none */
	struct mw_change_stat *known; /* a deletion: what was known */
	uint64_t categories;
	int64_t time_ns, read_ns;
	uint32_t cookie, times;
	uint32_t former; /* change of the same node */
	uint8_t kind, found_by;
	bool is_directory, is_closed, is_fresh, is_check;
	uint16_t path_size;
	char paths[]; /* the path, the old path, each ended by NUL; the second empty when there is none */
};

static struct mw_change_entry *entry_at(struct mw_watch *watch, uint32_t sequence)
{
	if (sequence == 0 || sequence - watch->changes.head >= watch->changes.tail - watch->changes.head)
		return NULL;
	return watch->changes.ring[sequence & (watch->changes.capacity - 1)];
}

/* What the entry takes, near enough; the same when it comes as when it goes. */
static size_t entry_bytes(const struct mw_change_entry *entry)
{
	return sizeof(*entry) + entry->path_size + (entry->known ? sizeof(*entry->known) : 0);
}

static void entry_free(struct mw_change_entry *entry)
{
	if (entry->node)
		mw_node_release(entry->node);
	free(entry->known);
	free(entry);
}

static bool is_state(unsigned kind)
{
	return kind == MW_CHANGE_MODIFY || kind == MW_CHANGE_ATTRIBUTES || kind == MW_CHANGE_OPEN ||
	       kind == MW_CHANGE_ACCESS;
}

/* Into one that waits already: of the same file and kind, with nothing between but what can be told in any order. */
static bool fold(struct mw_watch *watch, const struct mw_change_what *what)
{
	if (!what->node || !is_state(what->kind))
		return false;
	struct mw_change_entry *entry = entry_at(watch, what->node->change);
	for (unsigned i = 0; entry && i < MW_CHANGE_KINDS && is_state(entry->kind); i++) {
		if (entry->kind == what->kind && what->kind != MW_CHANGE_OPEN &&
		    (entry->is_check || !what->is_check || !entry->is_fresh)) {
			if (!what->is_echo) {
				entry->times++;
				watch->counters.folded++;
			}
			entry->is_closed |= what->is_closed;
			entry->is_check = entry->is_check && what->is_check;
			entry->is_fresh = entry->is_fresh && what->is_fresh;
			what->node->flags &= (uint16_t)~MW_NODE_ROUND;
			return true;
		}
		entry = entry_at(watch, entry->former);
	}
	return false;
}

static bool grow(struct mw_watch *watch)
{
	size_t count = watch->changes.tail - watch->changes.head;
	if (count < watch->changes.capacity)
		return true;
	size_t capacity = watch->changes.capacity ? watch->changes.capacity * 2 : FIRST_CHANGES;
	struct mw_change_entry **ring = malloc(capacity * sizeof(*ring));
	if (!ring)
		return false;
	for (uint32_t i = watch->changes.head; i != watch->changes.tail; i++)
		ring[i & (capacity - 1)] = watch->changes.ring[i & (watch->changes.capacity - 1)];
	free(watch->changes.ring);
	watch->changes.ring = ring;
	watch->changes.capacity = capacity;
	return true;
}

static void drop(struct mw_watch *watch)
{
	watch->counters.dropped++;
	mw_said(watch, MW_SAID_MEMORY, true, "files: out of memory: changes of files are lost; give the sensor more");
}

void mw_changes_add(struct mw_watch *watch, const struct mw_change_what *what)
{
	if (fold(watch, what))
		return;
	size_t path_size = strlen(what->path) + 1;
	size_t old_size = what->old_path ? strlen(what->old_path) + 1 : 1;
	if (watch->changes.tail == UINT32_MAX) /* once in four thousand million: begin anew */
		(void)mw_changes_tell(watch, 0);
	if (watch->changes.head == watch->changes.tail &&
	    (watch->changes.tail == 0 || watch->changes.tail == UINT32_MAX))
		watch->changes.head = watch->changes.tail = 1;
	struct mw_change_entry *entry = grow(watch) ? malloc(sizeof(*entry) + path_size + old_size) : NULL;
	if (!entry) {
		drop(watch);
		return;
	}
	*entry = (struct mw_change_entry){
		.node = what->node,
		.categories = what->categories,
		.time_ns = mw_clock_real_ns(),
		.read_ns = mw_clock_mono_ns(),
		.cookie = what->cookie,
		.times = 1,
		.kind = (uint8_t)what->kind,
		.found_by = (uint8_t)what->found_by,
		.is_directory = what->is_directory,
		.is_closed = what->is_closed,
		.is_fresh = what->is_fresh,
		.is_check = what->is_check,
		.path_size = (uint16_t)path_size,
	};
	memcpy(entry->paths, what->path, path_size);
	memcpy(entry->paths + path_size, what->old_path ? what->old_path : "", old_size);
	if (entry->node) {
		mw_node_hold(entry->node);
		if (what->kind == MW_CHANGE_DELETE && entry->node->flags & MW_NODE_HAS_STAT) {
			entry->known = malloc(sizeof(*entry->known));
			if (entry->known)
				mw_tree_get_stat(&watch->tree, entry->node, entry->known);
		}
		entry->former = entry->node->change;
		entry->node->change = watch->changes.tail;
		entry->node->flags &= (uint16_t)~MW_NODE_ROUND;
	}
	watch->changes.ring[watch->changes.tail & (watch->changes.capacity - 1)] = entry;
	bool was_empty = watch->changes.head == watch->changes.tail;
	watch->changes.tail++;
	watch->changes.bytes += entry_bytes(entry);
	if (watch->changes.bytes > KEPT_BYTES && !watch->changes.is_telling)
		(void)mw_changes_tell(watch, 0);
	else if (was_empty && watch->options.wake)
		watch->options.wake(watch->options.data);
}

/* What differs: MODIFY, ATTRIBUTES, or nothing. */
static enum mw_change_kind difference(const struct mw_change_stat *was, const struct mw_change_stat *is)
{
	if (was->inode != is->inode || was->size != is->size || was->mtime_ns != is->mtime_ns)
		return MW_CHANGE_MODIFY;
	if (was->ctime_ns != is->ctime_ns || was->mode != is->mode || was->uid != is->uid || was->gid != is->gid ||
	    was->nlink != is->nlink)
		return MW_CHANGE_ATTRIBUTES;
	return MW_CHANGE_KINDS;
}

/* See what the file is now.  False when it is not there, or another. */
static bool look(struct mw_watch *watch, struct mw_node *node)
{
	char path[MW_PATH_BYTES];
	struct stat st;
	if (mw_tree_path(node, path, sizeof(path)) < 0 || lstat(path, &st) < 0 ||
	    !S_ISDIR(st.st_mode) != !mw_node_is_directory(node)) {
		mw_dirs_unsettle(watch, node); /* may be elsewhere, by a directory's rename that is yet to be read */
		return false;
	}
	if (mw_node_is_directory(node) && node->flags & MW_NODE_HAS_STAT && mw_node_dir(node)->wd >= 0 &&
	    (node->inode != st.st_ino || watch->tree.devices[node->device] != st.st_dev))
		mw_scan_queue(watch, node,
			      MW_DIR_TELL |
				      MW_DIR_DEEP); /* not the one that is watched: another has come in its place */
	mw_tree_set_stat(&watch->tree, node, &st);
	mw_links_check(watch, node);
	mw_dirs_unsettle(watch, node);
	return true;
}

/* False: nothing to tell. */
static bool finish(struct mw_watch *watch, struct mw_change_entry *entry, struct mw_change *change)
{
	struct mw_node *node = entry->node;
	if (entry->kind == MW_CHANGE_DELETE) {
		change->has_stat = entry->known;
		if (entry->known)
			change->stat = *entry->known;
		return true;
	}
	if (!node) {
		struct stat st;
		change->has_stat = lstat(change->path, &st) == 0 && !S_ISDIR(st.st_mode) == !change->is_directory;
		if (change->has_stat)
			mw_stat_of(&st, &change->stat);
		return true;
	}
	if (node->flags & MW_NODE_DEAD)
		return !entry->is_check;
	struct mw_change_stat was;
	bool was_known = node->flags & MW_NODE_HAS_STAT;
	mw_tree_get_stat(&watch->tree, node, &was);
	if (!entry->is_fresh && (entry->is_check || !(node->flags & MW_NODE_ROUND))) {
		if (!look(watch, node)) {
			if (!entry->is_check)
				node->flags |= MW_NODE_BLIND;
			return !entry->is_check;
		}
		node->flags |= MW_NODE_ROUND;
	}
	change->has_stat = true;
	mw_tree_get_stat(&watch->tree, node, &change->stat);
	if (entry->is_check) {
		bool was_told = was_known && !(node->flags & MW_NODE_BLIND);
		enum mw_change_kind kind = was_told ? difference(&was, &change->stat) : MW_CHANGE_MODIFY;
		if (kind == MW_CHANGE_KINDS && node->flags & MW_NODE_RACY && entry->kind == MW_CHANGE_MODIFY &&
		    entry->found_by == MW_FOUND_BY_INOTIFY)
			kind = MW_CHANGE_MODIFY; /* rather twice than not at all */
		if (kind == MW_CHANGE_KINDS)
			return false;
		change->kind = kind;
	}
	node->flags &= (uint16_t)~MW_NODE_BLIND;
	return true;
}

size_t mw_changes_tell(struct mw_watch *watch, int64_t hold_ns)
{
	if (watch->changes.is_telling)
		return 0;
	watch->changes.is_telling = true;
	int64_t until_ns = hold_ns > 0 ? mw_clock_mono_ns() - hold_ns : INT64_MAX;
	size_t told = 0;
	while (watch->changes.head != watch->changes.tail) { /* and what is found in doubt meanwhile */
		uint32_t sequence = watch->changes.head;
		struct mw_change_entry *entry = watch->changes.ring[sequence & (watch->changes.capacity - 1)];
		if (entry->read_ns > until_ns)
			break;
		struct mw_change change = {
			.kind = entry->kind,
			.found_by = entry->found_by,
			.path = entry->paths,
			.old_path = entry->paths[entry->path_size] ? entry->paths + entry->path_size : NULL,
			.categories = entry->categories,
			.category = entry->categories ? (unsigned)__builtin_ctzll(entry->categories) : 0,
			.cookie = entry->cookie,
			.is_directory = entry->is_directory,
			.is_closed = entry->is_closed,
			.times = entry->times,
			.time_ns = entry->time_ns,
		};
		if (finish(watch, entry, &change)) {
			watch->counters.told++;
			watch->counters.found += change.found_by != MW_FOUND_BY_INOTIFY;
			told++;
			watch->options.change(watch->options.data, &change);
		} else {
			watch->counters.folded += entry->times;
		}
		watch->changes.head++;
		watch->changes.bytes -= entry_bytes(entry);
		if (entry->node && entry->node->change == sequence) {
			entry->node->change = 0;
			entry->node->flags &= (uint16_t)~MW_NODE_ROUND;
		}
		entry_free(entry);
	}
	watch->changes.is_telling = false;
	return told;
}

void mw_changes_release(struct mw_watch *watch)
{
	while (watch->changes.head != watch->changes.tail)
		entry_free(watch->changes.ring[watch->changes.head++ & (watch->changes.capacity - 1)]);
	free(watch->changes.ring);
}

/* Files of several names.  A directory's watch tells of a file by the name it was changed by, which may be one that is not
 * watched at all.  So such a file gets a watch of its own, and what that tells is told of all its names that are known.
 *
 * What no watch can tell: a name that is made, by which the file is changed, and that is gone again before it was looked at.
 * The other names then keep what was known of them until they are looked at for another reason. */
#include "watch/state.h"

#include "base/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/inotify.h>

enum {
	SLOTS = 1024,
	CHANGES = IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB,
	NAMES = 64, /* of one file, told of */
};

struct mw_link {
	int wd;
	uint16_t device;
	uint64_t inode;
	struct mw_link *by_wd, *by_inode;
};

/* Two tables in one: by watch, and behind it by inode. */
static struct mw_link **slot_of_wd(struct mw_watch *watch, int wd)
{
	return &watch->links[(unsigned)wd % SLOTS];
}

static struct mw_link **slot_of_inode(struct mw_watch *watch, uint64_t inode)
{
	return &watch->links[SLOTS + inode % SLOTS];
}

static struct mw_link *find(struct mw_watch *watch, const struct mw_node *node)
{
	struct mw_link *link = watch->links ? *slot_of_inode(watch, node->inode) : NULL;
	while (link && (link->inode != node->inode || link->device != node->device))
		link = link->by_inode;
	return link;
}

static void drop(struct mw_watch *watch, struct mw_link *link)
{
	struct mw_link **at = slot_of_wd(watch, link->wd);
	while (*at != link)
		at = &(*at)->by_wd;
	*at = link->by_wd;
	at = slot_of_inode(watch, link->inode);
	while (*at != link)
		at = &(*at)->by_inode;
	*at = link->by_inode;
	watch->link_count--;
	free(link);
}

/* Before there was a watch it may have been changed by another of its names, of which that one alone was told. */
static void check_names(struct mw_watch *watch, uint16_t device, uint64_t inode, const struct mw_node *but)
{
	struct mw_node *node = mw_tree_same_first(&watch->tree, device, inode);
	for (unsigned i = 0; node && i < NAMES; i++, node = mw_tree_same(&watch->tree, node)) {
		char path[MW_PATH_BYTES];
		uint64_t categories = mw_dirs_categories(watch, node);
		if (node == but || !categories || mw_tree_path(node, path, sizeof(path)) < 0)
			continue;
		mw_changes_add(watch, &(struct mw_change_what){
					      .kind = MW_CHANGE_MODIFY,
					      .found_by = MW_FOUND_BY_SCAN,
					      .node = node,
					      .path = path,
					      .categories = categories,
					      .is_check = true,
				      });
	}
}

void mw_links_check(struct mw_watch *watch, struct mw_node *node)
{
	if (!(node->flags & MW_NODE_HAS_STAT) || !S_ISREG(node->mode) || node->nlink < 2 || watch->inotify_fd < 0 ||
	    find(watch, node))
		return;
	char path[MW_PATH_BYTES];
	int wd = -1;
	if (watch->link_count < MW_WATCH_LINKS && watch->tree.watched + watch->link_count < watch->share &&
	    mw_tree_path(node, path, sizeof(path)) > 0)
		wd = inotify_add_watch(watch->inotify_fd, path, CHANGES | IN_DONT_FOLLOW);
	if (!watch->links)
		watch->links = calloc((size_t)2 * SLOTS, sizeof(*watch->links));
	struct mw_link *link = wd >= 0 && watch->links ? malloc(sizeof(*link)) : NULL;
	if (!link) {
		if (wd >= 0)
			(void)inotify_rm_watch(watch->inotify_fd, wd);
		else if (errno != ENOENT)
			mw_said(watch, MW_SAID_LINKS, false,
				"files: too many files of several names to watch each: what is changed by a name that is not watched is "
				"not told");
		return;
	}
	for (struct mw_link *other = *slot_of_wd(watch, wd); other; other = other->by_wd)
		if (other->wd == wd) { /* another file has come in its place meanwhile, which is known */
			free(link);
			return;
		}
	if (mw_tree_by_wd(&watch->tree, wd)) {
		free(link);
		return;
	}
	struct stat st;
	if (lstat(path, &st) < 0 || st.st_ino != node->inode || st.st_dev != watch->tree.devices[node->device]) {
		(void)inotify_rm_watch(watch->inotify_fd, wd); /* of another; what became of this one will be told */
		free(link);
		return;
	}
	mw_tree_set_stat(&watch->tree, node, &st); /* as of after the watch */
	*link = (struct mw_link){.wd = wd, .device = node->device, .inode = node->inode};
	struct mw_link **slot = slot_of_wd(watch, wd);
	link->by_wd = *slot;
	*slot = link;
	slot = slot_of_inode(watch, link->inode);
	link->by_inode = *slot;
	*slot = link;
	watch->link_count++;
	check_names(watch, node->device, node->inode, node);
}

void mw_links_forget(struct mw_watch *watch, struct mw_node *node)
{
	struct mw_link *link = watch->link_count > 0 ? find(watch, node) : NULL;
	if (!link)
		return;
	for (struct mw_node *other = mw_tree_same_first(&watch->tree, node->device, node->inode); other;
	     other = mw_tree_same(&watch->tree, other))
		if (other != node)
			return;
	(void)inotify_rm_watch(watch->inotify_fd, link->wd);
	drop(watch, link);
}

bool mw_links_event(struct mw_watch *watch, int wd, uint32_t mask)
{
	struct mw_link *link = watch->links ? *slot_of_wd(watch, wd) : NULL;
	while (link && link->wd != wd)
		link = link->by_wd;
	if (!link)
		return false;
	if (mask & IN_IGNORED) {
		struct mw_link was = *link;
		drop(watch, link);
		check_names(watch, was.device, was.inode, NULL); /* a new file may have come to that number */
		return true;
	}
	struct mw_node *node = mw_tree_same_first(&watch->tree, link->device, link->inode);
	for (unsigned i = 0; node && i < NAMES; i++, node = mw_tree_same(&watch->tree, node)) {
		char path[MW_PATH_BYTES];
		uint64_t categories = mw_dirs_categories(watch, node);
		if (!categories || mw_tree_path(node, path, sizeof(path)) < 0)
			continue;
		mw_changes_add(watch, &(struct mw_change_what){
					      .kind = mask & IN_ATTRIB ? MW_CHANGE_ATTRIBUTES : MW_CHANGE_MODIFY,
					      .node = node,
					      .path = path,
					      .categories = categories,
					      .is_closed = mask & IN_CLOSE_WRITE,
					      .is_check = node->flags & MW_NODE_SCANNED,
					      .is_echo = true,
				      });
	}
	return true;
}

void mw_links_release(struct mw_watch *watch)
{
	for (size_t i = 0; watch->links && i < SLOTS; i++)
		while (watch->links[i])
			drop(watch, watch->links[i]);
	free(watch->links);
}

#include "watch/tree.h"

#include "base/clock.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_SLOTS = 64,
	NAME_LEAST = 8, /* room for a pointer */
};

static uint32_t hash_bytes(const struct mw_node *directory, const char *name, size_t size)
{
	uint64_t hash = 0xcbf29ce484222325 ^ ((uintptr_t)directory >> 4) * 0x9e3779b97f4a7c15;
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)name[i]) * 0x100000001b3; /* FNV-1a */
	return (uint32_t)(hash ^ hash >> 32);
}

static size_t inode_slot(const struct mw_tree *tree, uint64_t inode)
{
	return (size_t)((inode * 0x9e3779b97f4a7c15) >> 20) & (tree->inodes_size - 1);
}

const char *mw_node_name(const struct mw_node *node)
{
	if (!(node->flags & MW_NODE_LONG))
		return node->name;
	const char *name;
	memcpy(&name, node->name, sizeof(name));
	return name;
}

static void node_free(struct mw_node *node)
{
	if (node->flags & MW_NODE_LONG) {
		char *name;
		memcpy(&name, node->name, sizeof(name));
		free(name);
	}
	free(mw_node_is_directory(node) ? (void *)mw_node_dir(node) : (void *)node);
}

static size_t node_bytes(const struct mw_node *node)
{
	return malloc_usable_size(mw_node_is_directory(node) ? (void *)mw_node_dir(node) : (void *)(uintptr_t)node) +
	       sizeof(size_t) + 2 * sizeof(void *);
}

int mw_tree_init(struct mw_tree *tree)
{
	tree->names = calloc(FIRST_SLOTS, sizeof(struct mw_node *));
	tree->inodes = calloc(FIRST_SLOTS, sizeof(struct mw_node *));
	tree->wds = calloc(FIRST_SLOTS, sizeof(struct mw_dir *));
	tree->names_size = tree->inodes_size = tree->wds_size = FIRST_SLOTS;
	struct mw_dir *dir = calloc(1, sizeof(*dir) + sizeof(struct mw_node) + NAME_LEAST);
	if (!tree->names || !tree->inodes || !tree->wds || !dir) {
		free(dir);
		return -ENOMEM;
	}
	dir->wd = -1;
	tree->root = mw_dir_node(dir);
	tree->root->flags = MW_NODE_DIRECTORY;
	tree->count = tree->directories = 1;
	return 0;
}

void mw_watch_tree_release(struct mw_tree *tree)
{
	struct mw_node *node = tree->root;
	while (node) { /* leaves first, without a stack */
		struct mw_node *child = mw_node_is_directory(node) ? mw_node_dir(node)->children : NULL;
		if (child) {
			mw_node_dir(node)->children = child->next;
			node = child;
			continue;
		}
		struct mw_node *parent = node->parent;
		node_free(node);
		node = parent;
	}
	free(tree->names);
	free(tree->inodes);
	free(tree->wds);
	memset(tree, 0, sizeof(*tree));
}

struct mw_node *mw_tree_find(const struct mw_tree *tree, const struct mw_node *directory, const char *name, size_t size)
{
	uint32_t hash = hash_bytes(directory, name, size);
	for (struct mw_node *node = tree->names[hash & (tree->names_size - 1)]; node; node = node->hash_next)
		if (node->hash == hash && node->parent == directory) {
			const char *known = mw_node_name(node);
			if (!strncmp(known, name, size) && known[size] == '\0')
				return node;
		}
	return NULL;
}

/* Twice the slots once there are two entries for each; when there is no memory it stays as it is, only slower. */
static void grow_names(struct mw_tree *tree)
{
	if (tree->count < 2 * tree->names_size)
		return;
	size_t size = tree->names_size * 2;
	struct mw_node **names = calloc(size, sizeof(void *));
	if (!names)
		return;
	for (size_t i = 0; i < tree->names_size; i++)
		for (struct mw_node *node = tree->names[i], *next; node; node = next) {
			next = node->hash_next;
			node->hash_next = names[node->hash & (size - 1)];
			names[node->hash & (size - 1)] = node;
		}
	free(tree->names);
	tree->names = names;
	tree->names_size = size;
}

static void grow_inodes(struct mw_tree *tree)
{
	if (tree->files < 2 * tree->inodes_size)
		return;
	struct mw_node **old = tree->inodes;
	size_t old_size = tree->inodes_size;
	struct mw_node **inodes = calloc(old_size * 2, sizeof(void *));
	if (!inodes)
		return;
	tree->inodes = inodes;
	tree->inodes_size = old_size * 2;
	for (size_t i = 0; i < old_size; i++)
		for (struct mw_node *node = old[i], *next; node; node = next) {
			next = node->same;
			size_t slot = inode_slot(tree, node->inode);
			node->same = inodes[slot];
			inodes[slot] = node;
		}
	free(old);
}

static void link_in(struct mw_tree *tree, struct mw_node *node, struct mw_node *directory, const char *name,
		    size_t size)
{
	node->parent = directory;
	node->hash = hash_bytes(directory, name, size);
	struct mw_node **slot = &tree->names[node->hash & (tree->names_size - 1)];
	node->hash_next = *slot;
	*slot = node;
	struct mw_dir *dir = mw_node_dir(directory);
	node->next = dir->children;
	node->link = &dir->children;
	if (node->next)
		node->next->link = &node->next;
	dir->children = node;
	if (!mw_node_is_directory(node))
		dir->files++;
}

static void link_out(struct mw_tree *tree, struct mw_node *node)
{
	struct mw_node **at = &tree->names[node->hash & (tree->names_size - 1)];
	while (*at != node)
		at = &(*at)->hash_next;
	*at = node->hash_next;
	*node->link = node->next;
	if (node->next)
		node->next->link = node->link;
	if (!mw_node_is_directory(node))
		mw_node_dir(node->parent)->files--;
}

struct mw_node *mw_tree_add(struct mw_tree *tree, struct mw_node *directory, const char *name, size_t size,
			    bool is_directory)
{
	grow_names(tree);
	grow_inodes(tree);
	size_t room = size + 1 < NAME_LEAST ? NAME_LEAST : size + 1;
	size_t before = is_directory ? sizeof(struct mw_dir) : 0;
	char *memory = calloc(1, before + offsetof(struct mw_node, name) + room);
	if (!memory)
		return NULL;
	struct mw_node *node = (struct mw_node *)(void *)(memory + before);
	if (is_directory) {
		node->flags = MW_NODE_DIRECTORY;
		struct mw_dir *dir = mw_node_dir(node);
		dir->wd = -1;
		dir->flags = MW_DIR_ABSENT;
		tree->directories++;
	} else {
		tree->files++;
		tree->bytes += node_bytes(node);
	}
	memcpy(node->name, name, size);
	tree->count++;
	link_in(tree, node, directory, name, size);
	return node;
}

static void leave_inodes(struct mw_tree *tree, struct mw_node *node)
{
	if (mw_node_is_directory(node) || !node->inode)
		return;
	struct mw_node **at = &tree->inodes[inode_slot(tree, node->inode)];
	while (*at && *at != node)
		at = &(*at)->same;
	if (*at)
		*at = node->same;
}

void mw_tree_remove(struct mw_tree *tree, struct mw_node *node)
{
	link_out(tree, node);
	leave_inodes(tree, node);
	tree->count--;
	if (mw_node_is_directory(node)) {
		tree->directories--;
	} else {
		tree->files--;
		tree->bytes -= node_bytes(node);
	}
	node->flags |= MW_NODE_DEAD;
	node->parent = NULL;
	if (node->refs == 0)
		node_free(node);
}

int mw_tree_move(struct mw_tree *tree, struct mw_node *node, struct mw_node *directory, const char *name, size_t size)
{
	char *base = mw_node_is_directory(node) ? (char *)mw_node_dir(node) : (char *)node;
	size_t room = malloc_usable_size(base) - (size_t)(node->name - base);
	char *far = NULL;
	if (size >= room) {
		far = strndup(name, size);
		if (!far)
			return -ENOMEM;
	}
	link_out(tree, node);
	if (node->flags & MW_NODE_LONG) {
		char *old;
		memcpy(&old, node->name, sizeof(old));
		free(old);
		node->flags &= (uint16_t)~MW_NODE_LONG;
	}
	if (far) {
		memcpy(node->name, &far, sizeof(far));
		node->flags |= MW_NODE_LONG;
	} else {
		memcpy(node->name, name, size);
		node->name[size] = '\0';
	}
	link_in(tree, node, directory, name, size);
	return 0;
}

void mw_node_hold(struct mw_node *node)
{
	node->refs++;
}

void mw_node_release(struct mw_node *node)
{
	if (--node->refs == 0 && node->flags & MW_NODE_DEAD)
		node_free(node);
}

int mw_tree_path(const struct mw_node *node, char path[], size_t bytes)
{
	size_t at = bytes - 1;
	path[at] = '\0';
	if (!node->parent) {
		path[0] = '/';
		path[1] = '\0';
		return 1;
	}
	for (; node->parent; node = node->parent) {
		const char *name = mw_node_name(node);
		size_t size = strlen(name);
		if (size + 1 > at)
			return -ENAMETOOLONG;
		at -= size;
		memcpy(path + at, name, size);
		path[--at] = '/';
	}
	memmove(path, path + at, bytes - at);
	return (int)(bytes - at - 1);
}

struct mw_node *mw_tree_at(const struct mw_tree *tree, const char *path)
{
	struct mw_node *node = tree->root;
	while (node && *path) {
		path += strspn(path, "/");
		size_t size = strcspn(path, "/");
		if (size == 0)
			break;
		node = mw_node_is_directory(node) ? mw_tree_find(tree, node, path, size) : NULL;
		path += size;
	}
	return node;
}

uint16_t mw_tree_device(struct mw_tree *tree, uint64_t device)
{
	size_t last = sizeof(tree->devices) / sizeof(*tree->devices) - 1;
	for (size_t i = 0; i < tree->device_count; i++)
		if (tree->devices[i] == device)
			return (uint16_t)i;
	if (tree->device_count > last)
		return (uint16_t)last;
	tree->devices[tree->device_count] = device;
	return (uint16_t)tree->device_count++;
}

static int64_t ns_of(struct timespec time)
{
	return (int64_t)time.tv_sec * MW_NS_PER_S + time.tv_nsec;
}

void mw_tree_set_stat(struct mw_tree *tree, struct mw_node *node, const struct stat *st)
{
	uint16_t device = mw_tree_device(tree, st->st_dev);
	if (!mw_node_is_directory(node) && (node->inode != st->st_ino || node->device != device)) {
		leave_inodes(tree, node);
		struct mw_node **slot = &tree->inodes[inode_slot(tree, st->st_ino)];
		node->same = *slot;
		*slot = node;
	}
	node->device = device;
	node->inode = st->st_ino;
	node->size = (uint64_t)st->st_size;
	node->nlink = (uint32_t)st->st_nlink;
	node->mode = (uint16_t)st->st_mode;
	node->uid = st->st_uid;
	node->gid = st->st_gid;
	node->atime_s = (uint32_t)st->st_atim.tv_sec;
	node->mtime_ns = ns_of(st->st_mtim);
	node->ctime_ns = ns_of(st->st_ctim);
	node->flags |= MW_NODE_HAS_STAT;
}

void mw_tree_get_stat(const struct mw_tree *tree, const struct mw_node *node, struct mw_change_stat *ret)
{
	*ret = (struct mw_change_stat){
		.device = tree->devices[node->device],
		.inode = node->inode,
		.size = node->size,
		.nlink = node->nlink,
		.mode = node->mode,
		.uid = node->uid,
		.gid = node->gid,
		.atime_ns = (int64_t)node->atime_s * MW_NS_PER_S,
		.mtime_ns = node->mtime_ns,
		.ctime_ns = node->ctime_ns,
	};
}

void mw_stat_of(const struct stat *st, struct mw_change_stat *ret)
{
	*ret = (struct mw_change_stat){
		.device = st->st_dev,
		.inode = st->st_ino,
		.size = (uint64_t)st->st_size,
		.nlink = st->st_nlink,
		.mode = st->st_mode,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.atime_ns = ns_of(st->st_atim),
		.mtime_ns = ns_of(st->st_mtim),
		.ctime_ns = ns_of(st->st_ctim),
	};
}

static struct mw_node *same_from(struct mw_node *node, uint16_t device, uint64_t inode)
{
	while (node && (node->inode != inode || node->device != device))
		node = node->same;
	return node;
}

struct mw_node *mw_tree_same(const struct mw_tree *tree, const struct mw_node *node)
{
	(void)tree;
	return same_from(node->same, node->device, node->inode);
}

struct mw_node *mw_tree_same_first(const struct mw_tree *tree, uint16_t device, uint64_t inode)
{
	return same_from(tree->inodes[inode_slot(tree, inode)], device, inode);
}

static void grow_wds(struct mw_tree *tree)
{
	if (tree->watched < 2 * tree->wds_size)
		return;
	size_t size = tree->wds_size * 2;
	struct mw_dir **wds = calloc(size, sizeof(void *));
	if (!wds)
		return;
	for (size_t i = 0; i < tree->wds_size; i++)
		for (struct mw_dir *dir = tree->wds[i], *next; dir; dir = next) {
			next = dir->wd_next;
			struct mw_dir **slot = &wds[(unsigned)dir->wd & (size - 1)];
			dir->wd_next = *slot;
			*slot = dir;
		}
	free(tree->wds);
	tree->wds = wds;
	tree->wds_size = size;
}

void mw_tree_set_wd(struct mw_tree *tree, struct mw_dir *dir, int wd)
{
	if (dir->wd >= 0) {
		struct mw_dir **at = &tree->wds[(unsigned)dir->wd & (tree->wds_size - 1)];
		while (*at != dir)
			at = &(*at)->wd_next;
		*at = dir->wd_next;
		tree->watched--;
	}
	dir->wd = wd;
	if (wd < 0)
		return;
	grow_wds(tree);
	struct mw_dir **slot = &tree->wds[(unsigned)wd & (tree->wds_size - 1)];
	dir->wd_next = *slot;
	*slot = dir;
	tree->watched++;
}

struct mw_dir *mw_tree_by_wd(const struct mw_tree *tree, int wd)
{
	if (wd < 0)
		return NULL;
	struct mw_dir *dir = tree->wds[(unsigned)wd & (tree->wds_size - 1)];
	while (dir && dir->wd != wd)
		dir = dir->wd_next;
	return dir;
}

struct mw_dir *mw_tree_next_by_wd(const struct mw_dir *dir)
{
	struct mw_dir *next = dir->wd_next;
	while (next && next->wd != dir->wd)
		next = next->wd_next;
	return next;
}

/* What is known of files: a tree of names from "/" down, with what lstat(2) said last.  Internal to the layer.
 *
 * Made small, since there may be millions.  A directory's own part stands in memory before its node, the name behind. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "watch/watch.h"

enum mw_node_flag {
	MW_NODE_DIRECTORY = 1 << 0,
	MW_NODE_DEAD = 1 << 1,      /* out of the tree; freed when nobody holds it */
	MW_NODE_HAS_STAT = 1 << 2,  /* what is here is what was */
	MW_NODE_SEEN = 1 << 3,      /* in the scan that goes on in its directory */
	MW_NODE_SCANNED = 1 << 4,   /* a scan told of it, and events of before may still come */
	MW_NODE_LINKED = 1 << 5,    /* several names, and watched by its inode, too */
	MW_NODE_UNSETTLED = 1 << 6, /* in that list */
	MW_NODE_LONG = 1 << 7,      /* renamed to what does not fit: the name's place holds a pointer to it */
	MW_NODE_ROUND = 1 << 8,     /* looked at for those changes of it that wait */
	MW_NODE_NEW = 1 << 9,       /* a scan found it and did not tell, and its creation may still come */
	MW_NODE_BLIND = 1 << 12,    /* told as it was not found where it was known to be, and so without what is here */
	MW_NODE_VISITED = 1 << 11,  /* by mw_watch_visit(), and all below it */
	MW_NODE_RACY =
		1 << 10, /* written to just before a scan saw it: may have been again in the same tick of its times */
};

enum mw_dir_flag {
	MW_DIR_QUEUED = 1 << 0,   /* for a scan */
	MW_DIR_TELL = 1 << 1,     /* the scan tells what it finds new */
	MW_DIR_DEEP = 1 << 2,     /* the scan goes on in those below */
	MW_DIR_POLLED = 1 << 3,   /* has no watch: looked at now and then */
	MW_DIR_COMPLETE = 1 << 4, /* was gone through once: what is not known in it is not there */
	MW_DIR_PARTIAL = 1 << 5,  /* not all files in it are known, for want of memory */
	MW_DIR_UNREADABLE = 1 << 6,
	MW_DIR_ABSENT = 1 << 7,   /* not scanned yet, or could not be */
	MW_DIR_BEYOND = 1 << 8,   /* a limit of ours: not watched */
	MW_DIR_ALSO = 1 << 9,     /* watched, and polled too, as its file system does not tell everything */
	MW_DIR_BY_POLL = 1 << 10, /* the scan is a poll */
	MW_DIR_FRESH = 1 << 11,
};

struct mw_node {
	struct mw_node *parent;
	struct mw_node *hash_next;
	struct mw_node *next, **link; /* in the directory */
	struct mw_node *same;         /* files: in the table of inodes; directories: next in the queue of scans */
	uint64_t inode, size;
	int64_t mtime_ns, ctime_ns;
	uint32_t atime_s, uid, gid, nlink;
	uint32_t hash;
	uint32_t change; /* the last that waits to be told of it, see changes.h; 0 for none */
	uint32_t refs;   /* who holds it beside the tree */
	uint16_t mode, flags, device;
	char name[]; /* see mw_node_name() */
};

struct mw_dir {
	int wd; /* -1: none */
	uint16_t where, flags;
	struct mw_dir *wd_next;
	struct mw_node *children;
	uint64_t files; /* in it, known */
};

struct mw_tree {
	struct mw_node *root; /* "/" */
	struct mw_node **names, **inodes;
	struct mw_dir **wds;
	size_t names_size, inodes_size, wds_size; /* of the tables; powers of two */
	size_t count, files, directories, watched;
	size_t bytes; /* of files */
	uint64_t devices[1024];
	size_t device_count;
};

static inline struct mw_dir *mw_node_dir(const struct mw_node *node)
{
	return (struct mw_dir *)(uintptr_t)node - 1;
}

static inline struct mw_node *mw_dir_node(const struct mw_dir *dir)
{
	return (struct mw_node *)(uintptr_t)(dir + 1);
}

static inline bool mw_node_is_directory(const struct mw_node *node)
{
	return node->flags & MW_NODE_DIRECTORY;
}

int mw_tree_init(struct mw_tree *tree);
void mw_watch_tree_release(struct mw_tree *tree);

struct mw_node *mw_tree_find(const struct mw_tree *tree, const struct mw_node *directory, const char *name,
			     size_t size);
/* NULL when there is no memory. */
struct mw_node *mw_tree_add(struct mw_tree *tree, struct mw_node *directory, const char *name, size_t size,
			    bool is_directory);
/* Take it out; it has no children, and no watch.  Freed now, or when its last holder lets go. */
void mw_tree_remove(struct mw_tree *tree, struct mw_node *node);
/* To another name, where none is.  -ENOMEM: nothing was done. */
int mw_tree_move(struct mw_tree *tree, struct mw_node *node, struct mw_node *directory, const char *name, size_t size);
const char *mw_node_name(const struct mw_node *node);
void mw_node_hold(struct mw_node *node);
void mw_node_release(struct mw_node *node);

/* The path, and its size; -ENAMETOOLONG. */
int mw_tree_path(const struct mw_node *node, char path[], size_t bytes);

/* The node of the path, as far as it is known; NULL when it is not, all of it. */
struct mw_node *mw_tree_at(const struct mw_tree *tree, const char *path);

/* What lstat said. */
void mw_tree_set_stat(struct mw_tree *tree, struct mw_node *node, const struct stat *st);
void mw_tree_get_stat(const struct mw_tree *tree, const struct mw_node *node, struct mw_change_stat *ret);
void mw_stat_of(const struct stat *st, struct mw_change_stat *ret);
uint16_t mw_tree_device(struct mw_tree *tree, uint64_t device);
/* Other names of the same file: the first, then the next after `node`; NULL at the end. */
struct mw_node *mw_tree_same(const struct mw_tree *tree, const struct mw_node *node);
struct mw_node *mw_tree_same_first(const struct mw_tree *tree, uint16_t device, uint64_t inode);

void mw_tree_set_wd(struct mw_tree *tree, struct mw_dir *dir, int wd);
/* The first directory with that watch; one that is mounted twice has several. */
struct mw_dir *mw_tree_by_wd(const struct mw_tree *tree, int wd);
struct mw_dir *mw_tree_next_by_wd(const struct mw_dir *dir);

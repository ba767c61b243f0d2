/* What a walk remembers: folders, the files in them that finders want, and the packages those had.  For the walk and its cache. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "pkg/pkg.h"

/* Enough to see that something is another or has changed. */
struct mw_tree_identity {
	dev_t dev;
	ino_t ino;
	off_t size;
	struct timespec mtime, ctime;
};

struct mw_tree_package {
	struct mw_tree_package *next;
	struct mw_package package; /* its texts follow this struct */
	uint32_t finder;           /* whose it is, its index */
	size_t bytes;              /* of this and the texts */
};

struct mw_tree_file {
	char *name;
	uint32_t finders; /* that want it, a bit each */
	uint32_t read;    /* those of them whose packages are here */
	struct mw_tree_identity identity;
	struct mw_tree_package *packages, *last;
};

struct mw_tree_folder {
	char *name;
	struct mw_tree_identity identity;
	bool is_listed;
	uint32_t finders; /* that were asked when it was listed */
	struct mw_tree_folder *folders;
	size_t folder_count;
	struct mw_tree_file *files;
	size_t file_count;
};

struct mw_tree {
	struct mw_tree_folder root;
	size_t bytes;
};

void mw_tree_release(struct mw_tree *tree);

/* Forget what is in a folder. */
void mw_tree_forget(struct mw_tree *tree, struct mw_tree_folder *folder);
/* Forget the packages of a file. */
void mw_tree_forget_packages(struct mw_tree *tree, struct mw_tree_file *file);

/* A name for a listing that is being made: a folder, or a file with its finders.  0 or -ENOMEM. */
int mw_tree_add_folder(struct mw_tree *tree, struct mw_tree_folder *folder, const char *name);
int mw_tree_add_file(struct mw_tree *tree, struct mw_tree_folder *folder, const char *name, uint32_t finders);
/* The listing is made: sort it, and take over from `old`, the listing before, what it knows of the same names.  `old` is
 * empty after that. */
void mw_tree_finish(struct mw_tree *tree, struct mw_tree_folder *folder, struct mw_tree_folder *old);

/* Keep a copy of a package with its file.  0 or -ENOMEM. */
int mw_tree_keep(struct mw_tree *tree, struct mw_tree_file *file, uint32_t finder, const struct mw_package *package);

/* The texts of a package, by number. */
extern const size_t mw_tree_text_count;
const char *mw_tree_text(const struct mw_package *package, size_t n);
const char **mw_tree_text_place(struct mw_package *package, size_t n);

struct mw_tree_identity mw_tree_identity(const struct stat *st);
bool mw_tree_is_same(const struct mw_tree_identity *a, const struct mw_tree_identity *b);

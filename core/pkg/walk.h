/* One walk of the container's file systems, for all packages of languages: those that are wherever an application put them.
 *
 * It stays on file systems that are local and real (or where it was told to begin), does not follow symbolic links, and is
 * bounded in entries, depth and time.  Folders and files that have not changed since the last walk are not read again: a
 * folder's modification time tells whether names came or went, a file's identity, size and times whether it is the same.  (A
 * file that becomes executable without its folder changing is noticed when the folder does.)
 *
 * The application hardly pays: the walk runs in a thread of its own with idle I/O priority and a low one for the CPU, and
 * what it read that was not in the page cache before is let go again. */
#pragma once

#include "pkg/pkg.h"

struct mw_package_walk;

/* A file that a finder wanted. */
struct mw_package_file {
	const char *path;      /* from the root: "/usr/lib/node_modules/express/package.json" */
	const char *name;      /* its last part */
	int fd;                /* open for reading, a regular file; at any offset: use pread(2) or rewind */
	int folderfd;          /* the folder it is in, O_PATH */
	int rootfd;            /* what `path` begins at */
	const struct stat *st; /* of fd */
};

/* What looks for one kind of package.  The list of them is in finders.c. */
struct mw_package_finder {
	enum mw_package_kind kind;
	/* Could this file be one, by its name?  Asked for every file of the walk: `folder` is its path ("/usr/lib/x"; "" for
	 * the root itself), `name` its last part. */
	bool (*matches)(const char *folder, const char *name);
	bool is_executable; /* only files with an execute bit; costs a stat(2) of each that matches */
	/* Of `file`, call the sink for each package.  Strings may be gone after the call.  Fields path, directory and uid are
	 * filled in (from file->path, its folder and owner) where they are not set.  What is not such a file: 0. */
	int (*read)(const struct mw_package_file *file, const struct mw_package_sink *sink);
};

/* Ended by NULL; at most 32. */
extern const struct mw_package_finder *const mw_package_finders[];

struct mw_package_walk_options {
	int rootfd;
	const char *start; /* folder to begin at, "/…"; NULL or "/" for all */
	unsigned depth;    /* how many folders below `start` to go; 0 for the default */
	unsigned kinds;    /* bit 1 << kind for each that is wanted */
	uint64_t entries;  /* how many to look at; 0 for the default */
	/* CLOCK_MONOTONIC: what a whole walk found that began later is given as it is, without looking again; 0 for never. */
	int64_t since_ns;
	bool is_foreground; /* for tests: in this thread, at its priority */
};

/* What a walk did, for tests and for the curious. */
struct mw_package_walk_stats {
	uint64_t folders;        /* looked at */
	uint64_t folders_listed; /* read, since not known or changed */
	uint64_t files_read;     /* given to a finder */
	uint64_t files_kept;     /* answered from memory */
	size_t bytes;            /* of memory kept */
};

int mw_package_walk_new(struct mw_package_walk **ret_walk);
void mw_package_walk_free(struct mw_package_walk *walk);

/* 0 when all was seen or what was not is told by a warning (a limit, the deadline, unreadable folders are silent); else what
 * the sink's emit() returned. */
int mw_package_walk_find(struct mw_package_walk *walk, const struct mw_package_walk_options *options,
			 const struct mw_package_sink *sink);
const struct mw_package_walk_stats *mw_package_walk_stats(const struct mw_package_walk *walk);

/* For the cache (cache.h): what is remembered of walks from `path`, NULL when memory is exhausted; and what is of those from "/",
 * NULL unless walks have read anything that was not kept. */
struct mw_tree;
struct mw_tree *mw_package_walk_tree(struct mw_package_walk *walk, const char *path);
const struct mw_tree *mw_package_walk_news(struct mw_package_walk *walk);
/* They have been kept. */
void mw_package_walk_no_news(struct mw_package_walk *walk);

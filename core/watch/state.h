/* What the parts of the watch share.  Internal to the layer.
 *
 *   read.c    bytes of inotify(7) → names.c   what one event means for the tree → changes.c   what is to be told
 *   scan.c    directories gone through, a slice at a time: new ones, all after an overflow, those polled
 *   dirs.c    watches taken and given back     links.c   files of several names
 *   mounts.c  what is mounted on top of what   limits.c  how many watches we may take
 *
 * The tree is always as the events read so far have it; what a scan sees may be of later.  So what was looked at while
 * events waited is `unsettled` until the queue was seen empty, and is looked at once more when a directory's rename, read
 * meanwhile, may have meant that another was seen in its place. */
#pragma once

#include <dirent.h>

#include "loop/loop.h"
#include "watch/tree.h"
#include "watch/watch.h"
#include "watch/where.h"

enum {
	MW_WATCH_MOVES = 64, /* halves of renames that wait for the other */
	MW_WATCH_OWN = 64,   /* files we read ourselves at a time */
	MW_WATCH_UNSETTLED = 1 << 18,
	MW_WATCH_LINKS = 16384,
	MW_WATCH_SAME = 16, /* paths of one directory, by mounts */
};

struct mw_change_entry;
struct mw_link;

struct mw_half_move {
	uint32_t cookie;
	bool is_directory;
	int wd; /* of the directory where it was */
	int64_t read_ns;
	char name[256];
};

struct mw_mount {
	uint64_t hash;
	char *path;
};

struct mw_own_read {
	char *path;        /* NULL: free */
	uint64_t from, to; /* of the bytes that inotify gave; `to` UINT64_MAX while it goes on */
	unsigned opens;    /* of ours that are to come */
};

/* How many inotify watches and instances this user may have, and has: limits.c. */
struct mw_limits {
	uint64_t watches, instances; /* fs.inotify.max_user_…; 0: not known */
	uint64_t watches_used, instances_used;
	uint64_t hidden; /* processes whose use could not be seen */
	/* How far the look has come. */
	DIR *proc, *fds; /* NULL: all were looked at; between two processes */
	char pid[24];
	unsigned processes, descriptors;
};

struct mw_watch {
	struct mw_watch_options options;
	struct mw_watch_counters counters;
	struct mw_map *map;
	struct mw_watch_config config; /* ours */
	struct mw_tree tree;
	int inotify_fd;   /* -1: none could be had; all is polled */
	char *buffer;     /* of the events read */
	bool is_awaiting; /* the loop looks for events; else the timer does */
	struct mw_timer gap_timer;

	struct { /* changes.c */
		struct mw_change_entry **ring;
		size_t capacity;     /* a power of two */
		uint32_t head, tail; /* sequence numbers; 0 is never one */
		size_t bytes;
		bool is_telling;
	} changes;

	struct {                              /* scan.c */
		struct mw_node *first, *last; /* queue, by `same`; held */
		struct mw_node *now;          /* gone through; held */
		int fd;
		size_t name;
		unsigned looked; /* names, since the last look at the clock */
		bool is_started;
		struct mw_timer timer;
		uint64_t entries[MW_WHERE_CATEGORIES];
		uint64_t beyond; /* categories that have come to their limit */
		bool is_settled;
		bool is_deep; /* what is queued goes on below */
		bool is_running;
		bool is_hurried;        /* what is not new waits */
		int64_t rests_until_ns; /* CLOCK_MONOTONIC: others need the processor */
		char *buffer;           /* of names */
		long at, size;          /* of those in it, that are yet to be looked at */
		bool is_resumed;        /* events were read since the last step */
		bool is_stale; /* events were read since the names in it were: they may be gone, and are asked for */
	} scan;

	struct mw_half_move moves[MW_WATCH_MOVES];
	size_t move_count;
	struct mw_timer move_timer;
	struct mw_node **unsettled;
	size_t unsettled_count;
	bool unsettled_full; /* more than are kept */
	bool was_directory_moved;

	struct mw_link **links; /* links.c */
	size_t link_count;

	struct mw_own_read own[MW_WATCH_OWN];
	size_t own_count;
	uint64_t bytes_read;

	struct mw_timer poll_timer;
	unsigned polls;

	int mounts_fd;
	struct mw_mount *mounts;
	size_t mount_count;
	struct mw_timer resolve_timer;

	uint64_t share; /* watches we may take */
	struct mw_limits limits;
	bool is_counting; /* the share is yet to be known, or to be known anew */
	uint64_t said;    /* bits of what was reported, see report.c */
	struct mw_timer wake_timer;
};

/* changes.c */
struct mw_change_what {
	enum mw_change_kind kind;
	enum mw_change_source found_by;
	struct mw_node *node; /* NULL: not known, the path is all there is */
	const char *path, *old_path;
	uint64_t categories;
	uint32_t cookie;
	bool is_directory, is_closed, is_fresh; /* fresh: the node's stat is of now */
	bool is_check;                          /* tell it only when it differs from what was known */
	bool is_echo;                           /* the same event by another watch: folded, it does not count */
};
void mw_changes_add(struct mw_watch *watch, const struct mw_change_what *what);
size_t mw_changes_tell(struct mw_watch *watch, int64_t hold_ns);
void mw_changes_release(struct mw_watch *watch);

/* dirs.c */
/* Take or renew the directory's watch, by its path.  -errno of inotify_add_watch(2); -ENOSPC also beyond our share. */
int mw_dirs_watch(struct mw_watch *watch, struct mw_node *node, const char *path);
void mw_dirs_unwatch(struct mw_watch *watch, struct mw_node *node);
/* Take all of it out of the tree, with watches; `tells`: as deletions, what is within first. */
void mw_dirs_remove(struct mw_watch *watch, struct mw_node *node, bool tells, enum mw_change_source found_by,
		    uint32_t cookie);
/* The directory has come to another place in the patterns (or they have changed): what is no more meant goes, what may be
 * more is scanned for; `tells` what changes by that. */
void mw_dirs_relabel(struct mw_watch *watch, struct mw_map *old_map, struct mw_node *node, uint16_t where, bool tells);
uint64_t mw_dirs_categories(const struct mw_watch *watch, const struct mw_node *node);
void mw_dirs_unsettle(struct mw_watch *watch, struct mw_node *node);
/* The queue was seen empty. */
void mw_dirs_settle(struct mw_watch *watch);

/* scan.c */
void mw_scan_queue(struct mw_watch *watch, struct mw_node *node, uint16_t flags);
/* Go on with what is queued, at most a slice. */
void mw_scan_slice(struct mw_watch *watch);
void mw_scan_all(struct mw_watch *watch);
/* Is a directory queued that tells what it finds? */
bool mw_scan_has_new(const struct mw_watch *watch);
void mw_scan_release(struct mw_watch *watch);
/* The name of a file system, by statfs(2), where others may change files behind this kernel's back; else NULL. */
const char *mw_scan_unheard(unsigned long type);
/* A name was seen in the directory: by a scan. */
void mw_scan_entry(struct mw_watch *watch, struct mw_node *directory, int fd, const char *name, unsigned char d_type);

/* names.c */
void mw_names_created(struct mw_watch *watch, struct mw_node *directory, const char *name, bool is_directory,
		      uint32_t cookie);
void mw_names_deleted(struct mw_watch *watch, struct mw_node *directory, const char *name, bool is_directory,
		      uint32_t cookie);
void mw_names_moved(struct mw_watch *watch, struct mw_node *from, const char *from_name, struct mw_node *to,
		    const char *to_name, bool is_directory, uint32_t cookie);
void mw_names_touched(struct mw_watch *watch, struct mw_node *directory, const char *name, uint32_t mask);

/* read.c */
void mw_read_events(struct mw_watch *watch);
/* Halves of renames whose other half did not come until now are moves to where we do not watch. */
void mw_read_flush_moves(struct mw_watch *watch, int64_t before_ns);

/* links.c */
void mw_links_check(struct mw_watch *watch, struct mw_node *node);
void mw_links_forget(struct mw_watch *watch, struct mw_node *node);
bool mw_links_event(struct mw_watch *watch, int wd, uint32_t mask);
void mw_links_release(struct mw_watch *watch);

/* poll.c */
void mw_poll_start(struct mw_watch *watch);

/* mounts.c */
int mw_mounts_open(struct mw_watch *watch);
void mw_watch_mounts_release(struct mw_watch *watch);

/* limits.c */
void mw_limits_begin(struct mw_limits *limits);
/* Look at some, until the time (CLOCK_MONOTONIC) has come; true when all were looked at. */
bool mw_limits_go_on(struct mw_limits *limits, int64_t until_ns);
void mw_limits_end(struct mw_limits *limits);

/* report.c: a line, once until what it says is over. */
enum mw_said {
	MW_SAID_OVERFLOW,
	MW_SAID_NO_WATCHES,
	MW_SAID_NO_INSTANCE,
	MW_SAID_STATE,
	MW_SAID_ENTRIES,
	MW_SAID_DIRECTORIES,
	MW_SAID_UNREADABLE,
	MW_SAID_DEEP,
	MW_SAID_FILE_SYSTEM,
	MW_SAID_LINKS,
	MW_SAID_MAP,
	MW_SAID_MEMORY,
	MW_SAID_HIDDEN,
	MW_SAID_MOUNTS,
	MW_SAID_OVERLAY,
};
__attribute__((format(printf, 4, 5))) void mw_said(struct mw_watch *watch, enum mw_said what, bool is_urgent,
						   const char *format, ...);
bool mw_said_over(struct mw_watch *watch, enum mw_said what);

/* watch.c */
void mw_watch_resolve_soon(struct mw_watch *watch);
/* Take an inotify instance, if there is none; without one all is polled. */
void mw_watch_open_inotify(struct mw_watch *watch);
/* Look how many watches we may take, by what is in use now: as part of the scans, which wait for it. */
void mw_watch_begin_share(struct mw_watch *watch);
/* True when it is known. */
bool mw_watch_take_share(struct mw_watch *watch, int64_t until_ns);

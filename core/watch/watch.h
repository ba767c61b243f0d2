/* What happens to files: inotify(7), made whole.
 *
 * The kernel tells of one directory at a time, forgets what does not fit its queue, and names no process.  This module
 * watches trees by patterns, also those that come to be later; compares with what it knew before where the kernel kept
 * silent; and looks now and then where no watch can be had.  What it tells is complete, or it says where it is not.
 * Who did it is not its business: see sensor/attribution.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_err;
struct mw_loop;
struct mw_watch;

enum mw_change_kind {
	MW_CHANGE_CREATE,
	MW_CHANGE_MODIFY, /* contents; told at most once in a batch for one file, and when a writer closes it */
	MW_CHANGE_DELETE,
	MW_CHANGE_RENAME, /* one for both names; a move from or to what is not watched is a deletion or a creation */
	MW_CHANGE_ATTRIBUTES,
	MW_CHANGE_OPEN, /* these two only in categories that want accesses */
	MW_CHANGE_ACCESS,
	MW_CHANGE_KINDS,
};

enum mw_change_source {
	MW_FOUND_BY_INOTIFY,
	MW_FOUND_BY_SCAN, /* a directory was gone through: it is new, or events were lost */
	MW_FOUND_BY_POLL, /* looked at now and then, as no watch could be had */
};

/* As lstat(2) has it. */
struct mw_change_stat {
	uint64_t device, inode, size, nlink;
	uint32_t mode, uid, gid;
	int64_t atime_ns, mtime_ns, ctime_ns; /* since 1970 */
};

struct mw_change {
	enum mw_change_kind kind;
	enum mw_change_source found_by;
	const char *path;     /* absolute; any bytes but NUL.  Borrowed, as all here */
	const char *old_path; /* rename: the former path, else NULL */
	unsigned category;    /* index into the configuration's: the first that means it */
	uint64_t categories;  /* all of them, a bit each; a configuration has 64 at most */
	uint32_t cookie;      /* rename: joins the two halves, inotify(7); else 0 */
	bool is_directory;
	bool is_closed; /* modify: the writer has closed it */
	unsigned
		times; /* modify, attributes, access: how many of the kernel's events were folded into this; 1 or more */
	int64_t time_ns; /* wall clock when the event was read */
	bool has_stat; /* false when it was gone already; for a deletion, `stat` is what was known before, if anything */
	struct mw_change_stat stat;
};

struct mw_watch_category {
	const char *name;
	const char *const *patterns; /* ended by NULL; see watch/pattern.h */
	bool wants_access;
};

struct mw_watch_config {
	const struct mw_watch_category *categories;
	size_t category_count;
	const char *const *excludes; /* ended by NULL; take no watches */
};

/* Limits; each has a default where it is 0. */
struct mw_watch_options {
	struct mw_loop *loop;
	unsigned share_percent;   /* of what is left of the user's inotify watches and instances; 25 */
	size_t state_bytes;       /* memory for what is known of files, so that differences can be told; 32 MiB */
	uint64_t entries_limit;   /* files and directories looked at in one category; 10 million */
	unsigned directory_limit; /* directories watched or polled in all; 200,000 */
	int64_t poll_ms;          /* how often what cannot be watched is looked at; 5,000 */
	void (*change)(void *data, const struct mw_change *change);
	/* A line about what is not seen, or is again; `is_urgent`: worth standard error. */
	void (*report)(void *data, const char *line, bool is_urgent);
	/* Called once there is something to tell, for a caller that batches; it then calls mw_watch_tell(), not from in here.
	 * NULL: the loop tells when it has read. */
	void (*wake)(void *data);
	void *data;
};

int mw_watch_new(const struct mw_watch_options *options, struct mw_watch **ret_watch, struct mw_err *err);
void mw_watch_free(struct mw_watch *watch);

/* Watch this from now on, in place of what was watched before: what both name is watched without a gap.  The first scan
 * goes on in the loop, a slice at a time; nothing that is there already is told as new. The configuration is copied.
 * -EINVAL: a pattern is no good, err says which and why; nothing is changed. */
int mw_watch_configure(struct mw_watch *watch, const struct mw_watch_config *config, struct mw_err *err);

/* Read what the kernel has, and keep it; cheap.  The loop does it as soon as there is something, so this is for who cannot
 * wait.  When more than 16 MiB wait to be told, the oldest are, from in here. */
void mw_watch_read(struct mw_watch *watch);
/* Tell what was read at least `hold_ns` ago (all: 0), oldest first, by `change`.  Returns how many changes were told. */
size_t mw_watch_tell(struct mw_watch *watch, int64_t hold_ns);

/* Around the reading of a file by us (hashing), before its open and after its close: one open and all accesses of it in
 * between are not told.  Does nothing where no category wants accesses. */
void mw_watch_own_begin(struct mw_watch *watch, const char *path);
void mw_watch_own_end(struct mw_watch *watch, const char *path);

/* True when the first scan of all patterns is done. */
bool mw_watch_is_settled(const struct mw_watch *watch);
/* True when nothing is in hand: nothing to be read, gone through, or told. */
bool mw_watch_is_quiet(const struct mw_watch *watch);

/* Read what the kernel has and go through directories that are new, until nothing of that is left or the time
 * (CLOCK_MONOTONIC) has come; what was there before, and is yet to be gone through for the first time, waits.  For who wants
 * all that happened until now. */
void mw_watch_hurry(struct mw_watch *watch, int64_t until_ns);

/* Call `visit` for what is known of each watched file (a baseline); stops at the first that is not 0, and returns it.
 * -EAGAIN: the time (CLOCK_MONOTONIC) has come; called again it goes on.  What changes meanwhile may be told as before or after. */
int mw_watch_visit(struct mw_watch *watch, int64_t until_ns,
		   int (*visit)(void *data, const char *path, unsigned category, const struct mw_change_stat *stat),
		   void *data);

/* Since the start, for health. */
struct mw_watch_counters {
	uint64_t directories;  /* watched now */
	uint64_t polled;       /* directories looked at now and then, now */
	uint64_t files;        /* files known now */
	uint64_t told;         /* changes */
	uint64_t waiting;      /* changes to be told, now */
	uint64_t folded;       /* kernel events that became part of another change */
	uint64_t overflows;    /* times the kernel's queue was full */
	uint64_t scans;        /* directories gone through to find what was not told */
	uint64_t found;        /* changes found that way */
	uint64_t dropped;      /* changes that could not be kept until they were told */
	uint64_t refused;      /* watches that could not be had */
	uint64_t beyond;       /* directories beyond a limit of ours: not seen at all */
	uint64_t unreadable;   /* directories that could not be read */
	uint64_t user_watches; /* fs.inotify.max_user_watches */
	uint64_t share;        /* of it, what we may take */
};
void mw_watch_count(const struct mw_watch *watch, struct mw_watch_counters *ret);

/* Changes of files: what core/watch tells, made into events: by whom (attribution), with hashes where wanted, each told once.
 *
 * Where a system call has told the same before, the event is kept for file_events and not judged again.  Events wait for their
 * hash a short time, and go on in their order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "flag/flag.h"
#include "sensor/file_queue.h"
#include "watch/watch.h"

struct mw_board;
struct mw_err;
struct mw_event;
struct mw_file_paths;
struct mw_files;
struct mw_loop;
struct mw_processes;
struct mw_rule_info;

struct mw_files_options {
	struct mw_loop *loop;
	struct mw_board *board;
	struct mw_flags *flags; /* borrowed; looked at again by mw_files_reconfigure() */
	struct mw_processes *processes;
	const struct mw_file_paths *profile; /* borrowed */
	const char *const *excludes;         /* paths that are never watched, ended by NULL; copied */
	const char *state_dir;               /* for SQL of file_paths_query; copied */
	/* An event, all but its id, valid for the call.  `is_told`: its act was told before, with the same kind, so it is only
	 * to be kept.  Rules in `muted` (ended by NULL, may be NULL) gave an alert for that act already. */
	void (*emit)(void *data, struct mw_event *event, bool is_told, const struct mw_rule_info *const *muted);
	/* A line about what is not seen, or is again; `is_urgent`: worth standard error. */
	void (*report)(void *data, const char *line, bool is_urgent);
	/* There is something to tell: call mw_files_tell() after the next batch. */
	void (*wake)(void *data);
	void *data;
};

/* Where watching is refused altogether, that is reported, and there are no events. */
int mw_files_new(const struct mw_files_options *options, struct mw_files **ret_files, struct mw_err *err);
void mw_files_free(struct mw_files *files);

/* What is to be watched, as `source` says it, in place of what it said before; *paths is taken over and emptied. */
int mw_files_set(struct mw_files *files, enum mw_flag_source source, struct mw_file_paths *paths, struct mw_err *err);
/* Another profile's, borrowed, from the next mw_files_reconfigure() on. */
void mw_files_set_profile(struct mw_files *files, const struct mw_file_paths *profile);
/* Begin, stop, or watch other things, as flags and sources say now. */
int mw_files_reconfigure(struct mw_files *files, struct mw_err *err);

/* An event that records told of, once it has its id; `rules` (ended by NULL) gave an alert for it. */
void mw_files_note(struct mw_files *files, const struct mw_event *event, const struct mw_rule_info *const *rules);
/* The category of a path, NULL for one that is not watched; borrowed. */
const char *mw_files_category(const struct mw_files *files, const char *path);

/* Tell what has been read and is due.  To be called when the ring was emptied.
 * True when there is more to come without another wake: then call again soon. */
bool mw_files_tell(struct mw_files *files);
/* Read and tell all that has happened, hashed or not; for that it may take until `until_ns` (CLOCK_MONOTONIC), and nothing else
 * about files is done meanwhile.  What there was no time for is told later, when there is a later.  Returns how many changes
 * that were read were not told. */
uint64_t mw_files_flush(struct mw_files *files, int64_t until_ns);

struct mw_files_counters {
	uint64_t baseline; /* files recorded */
	bool is_baseline_over;
	const char *baseline_why; /* not whole; or NULL */
	struct mw_watch_counters watch;
	bool is_on, is_settled;
	struct mw_file_queue_counters queue;
};

void mw_files_count(const struct mw_files *files, struct mw_files_counters *ret);
/* NULL while nothing is watched. */
const struct mw_watch *mw_files_watch(const struct mw_files *files);

/* Changes of files on their way to be told: by whom each was made, and its hash, which it waits for a short time; all go on in
 * their order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_board;
struct mw_change;
struct mw_event;
struct mw_file_queue;
struct mw_loop;
struct mw_processes;
struct mw_rule_info;

struct mw_file_queue_options {
	struct mw_loop *loop;
	struct mw_board *board;
	struct mw_processes *processes;
	/* See mw_files_options. */
	void (*emit)(void *data, struct mw_event *event, bool is_told, const struct mw_rule_info *const *muted);
	void *data;
	/* Called now and then while many are told; may add more. */
	void (*pause)(void *data);
	void *pause_data;
};

int mw_file_queue_new(const struct mw_file_queue_options *options, struct mw_file_queue **ret_queue);
void mw_file_queue_free(struct mw_file_queue *queue);

/* Hashes that are wanted, MW_DIGEST_…, of files of at most so many bytes. */
void mw_file_queue_set_hashes(struct mw_file_queue *queue, unsigned which, uint64_t read_max);

/* See mw_files_note(). */
void mw_file_queue_note(struct mw_file_queue *queue, const struct mw_event *event,
			const struct mw_rule_info *const *rules);

/* Add a change; `category` lives as long as the queue.  `is_private`: it must not be opened to be hashed. */
void mw_file_queue_add(struct mw_file_queue *queue, const struct mw_change *change, const char *category,
		       bool is_private);
/* After some were added: find out who made them. */
void mw_file_queue_look(struct mw_file_queue *queue);
/* Tell those that need not wait any longer. */
void mw_file_queue_tell(struct mw_file_queue *queue);
/* Tell all, after a wait for hashes until `until_ns` (CLOCK_MONOTONIC) at the most. */
void mw_file_queue_flush(struct mw_file_queue *queue, int64_t until_ns);

struct mw_file_queue_counters {
	uint64_t exact, likely, none; /* events, by their attribution */
	uint64_t joined;              /* of the exact: told before by a system call */
	uint64_t unlooked;            /* of the others: no time was left to look for the process */
	uint64_t hashed;              /* files */
	uint64_t hash_refused;        /* files, because too many waited */
	uint64_t hash_late;           /* events that could not wait for their hash */
	uint64_t dropped;             /* changes that there was no memory for */
};

void mw_file_queue_count(const struct mw_file_queue *queue, struct mw_file_queue_counters *ret);

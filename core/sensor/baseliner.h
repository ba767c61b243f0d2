/* Records once, when the first scan is done, what the watched files are: see spool/baseline.h.  What is known of them is
 * copied, a piece at a time; writing and hashing are a thread's, of low priority and in small pieces. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_baseliner;
struct mw_watch;

struct mw_baseliner_options {
	const char *state_dir; /* copied */
	int64_t run_ns;
	bool with_hashes;
	uint64_t read_max;
	const char *(*category)(void *data, unsigned category);
	void *data;
};

/* -EFBIG and the like are told by mw_baseliner_look(). */
int mw_baseliner_new(const struct mw_baseliner_options *options, struct mw_baseliner **ret_baseliner);
/* Copy what is known, until the time (CLOCK_MONOTONIC) has come: then -EAGAIN.  With all of it the thread begins. */
int mw_baseliner_gather(struct mw_baseliner *baseliner, struct mw_watch *watch, int64_t until_ns);
/* The thread rests after what it does now, or goes on. */
void mw_baseliner_pause(struct mw_baseliner *baseliner, bool is_paused);
/* Ends it, whole or not.  NULL is allowed. */
void mw_baseliner_free(struct mw_baseliner *baseliner);

/* Files written so far; and once it is over, 1 and why it failed, NULL when it did not. */
uint64_t mw_baseliner_look(struct mw_baseliner *baseliner, bool *ret_is_over, const char **ret_why);

/* Records once, when the first scan is done, what the watched files are: see spool/baseline.h.  What is known of them is
 * copied at once; writing and hashing are a thread's, of low priority and in small pieces. */
#pragma once

#include <stdatomic.h>
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
	atomic_uint *births; /* counted for the thread */
};

/* -EFBIG and the like are told by mw_baseliner_look(). */
int mw_baseliner_start(const struct mw_baseliner_options *options, const struct mw_watch *watch,
		       struct mw_baseliner **ret_baseliner);
/* Ends it, whole or not.  NULL is allowed. */
void mw_baseliner_free(struct mw_baseliner *baseliner);

/* Files written so far; and once it is over, 1 and why it failed, NULL when it did not. */
uint64_t mw_baseliner_look(struct mw_baseliner *baseliner, bool *ret_is_over, const char **ret_why);

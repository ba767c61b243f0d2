/* What consumers could not deliver, given to somebody else: a folder of a shared volume gets a folder of this run's own, with a spool in
 * it that holds those rows, and the consumers' cursors.  Whoever opens that goes on where they were. */
#pragma once

#include <stdint.h>

#include "base/limits.h"
#include "spool/spool.h"

struct mw_err;

struct mw_spool_handed {
	uint64_t rows[MW_SPOOL_STREAMS]; /* handed over */
	uint64_t left[MW_SPOOL_STREAMS]; /* not: there were more than the limit */
	char path[MW_PATH_BYTES];        /* of the new folder; "" when there was nothing to hand over */
};

/* Rows that some consumer has not delivered, of each stream. */
void mw_spool_undelivered(struct mw_spool *spool, uint64_t ret_rows[MW_SPOOL_STREAMS]);

/* Make `dir`/NAME, or NAME.2 and so on, whole or not at all; `dir` is made when it is not there.  Alerts first, then results, events,
 * status, as far as `limit_bytes` of bodies go; and copies of MW_SPOOL_HANDED_FILES out of `state_dir` ("" when there is none), by which
 * a backend knows us.  What is handed over counts as such here, and is not delivered by us any more. */
int mw_spool_hand_over(struct mw_spool *spool, const char *state_dir, const char *dir, const char *name,
		       uint64_t limit_bytes, struct mw_spool_handed *ret_handed, struct mw_err *err);

#define MW_SPOOL_HANDED_FILES \
	{ \
		"identity.json", "node_key" \
	}

/* The folders of `dir` that were handed over, whole, oldest name first: `take` gets the name of each. */
int mw_spool_handed_list(const char *dir, void (*take)(void *data, const char *name), void *data, struct mw_err *err);
/* Remove one of them, and what was its spool. */
int mw_spool_handed_remove(const char *path, struct mw_err *err);

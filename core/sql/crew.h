/* Batches of rows made by several threads, and given out in order.
 *
 * Of a table that reads some files of each process nearly all time is spent in the kernel, which does that for several of us at
 * once.  Whoever takes batches makes some too: with no other thread the crew is a loop. */
#pragma once

#include <stddef.h>

struct mw_crew;
struct mw_rows;

/* Add the rows of batch number `batch`.  Called by any thread, for each batch once.  0 or a negative errno. */
typedef int mw_crew_make(void *data, size_t batch, struct mw_rows *rows);

/* `model` gives the number of columns and the deadline.  0 or -ENOMEM. */
int mw_crew_new(size_t batches, const struct mw_rows *model, mw_crew_make *make, void *data, struct mw_crew **ret_crew);
void mw_crew_free(struct mw_crew *crew);

/* Have up to `threads` others help from now on; where there are none to be had it goes on without. */
void mw_crew_grow(struct mw_crew *crew, unsigned threads);

/* The rows of the next batch, in place of what `rows` has.  1, 0 after the last one, or what was returned for it. */
int mw_crew_next(struct mw_crew *crew, struct mw_rows *rows);

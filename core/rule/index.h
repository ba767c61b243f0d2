/* Which listeners (rules, or steps of them) may want an event: by kind, and by what their filters name, found in one hash table,
 * so that a rule that cannot match costs nothing. */
#pragma once

#include <stdint.h>

#include "rule/filter.h"

struct mw_listener {
	uint64_t kinds; /* bit n: mw_event_kind n */
	const struct mw_filter *filter;
};

struct mw_index;

/* `listeners` are borrowed as long as the index lives.  NULL: no memory. */
struct mw_index *mw_index_new(const struct mw_listener *listeners, unsigned count);
void mw_index_free(struct mw_index *index);

/* Bit n of the words: listener n may want the event; borrowed until the next call.  NULL: nobody does. */
const uint64_t *mw_index_ask(struct mw_index *index, struct mw_subject *subject, unsigned *ret_words);

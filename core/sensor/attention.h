/* What the sensor tells the tracer: which kinds of events somebody wants, and whom to watch more closely. */
#pragma once

#include <stdint.h>

struct mw_alert;
struct mw_board;
struct mw_flags;
struct mw_outputs;
struct mw_rules;

/* Kinds (bit n: mw_event_kind n) that the spool keeps for event tables. */
uint64_t mw_attention_spooled(const struct mw_flags *flags);

/* Kinds that nobody is to see, though records tell of them, since other events follow from those. */
uint64_t mw_attention_muted(const struct mw_flags *flags);

/* Kinds that any rule, any output of events or the spool wants, and those the sensor itself is made of: starts, forks and
 * ends of processes, since who is whose child follows from them.  Of others nothing is recorded.  `rules` may be NULL. */
uint64_t mw_attention_wanted(const struct mw_flags *flags, const struct mw_rules *rules,
			     const struct mw_outputs *outputs);

/* When the alert's rule says so, ask the tracer to watch the process it is about, and the one it was done to. */
void mw_attention_follow(struct mw_board *board, const struct mw_alert *alert);

/* What rules that respond want done to a program that waits at its exec stop. */
#pragma once

#include <stdint.h>

struct mw_alert;
struct mw_board;
struct mw_flags;
struct mw_record;
struct mw_rules;

struct mw_enforce {
	uint32_t ticket;  /* of the program that waits now; 0: none does */
	unsigned verdict; /* enum mw_verdict so far */
};

/* Tell the tracer which kinds of events have to wait: none, unless the flag `enforce` is on and a rule responds. */
void mw_enforce_subscribe(struct mw_board *board, const struct mw_flags *flags, const struct mw_rules *rules);

/* Before the rules are asked: does the program of this record wait? */
void mw_enforce_begin(struct mw_enforce *enforce, const struct mw_record *record);
/* A rule has matched: note what it wants; the strictest of all holds. */
void mw_enforce_alert(struct mw_enforce *enforce, struct mw_alert *alert);
/* All rules have been asked: answer, when one waits. */
void mw_enforce_end(struct mw_enforce *enforce, struct mw_board *board);

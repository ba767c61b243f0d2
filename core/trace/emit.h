/* From what an engine has seen to records in the ring; full rings refuse, which is counted, and nobody waits. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/board.h"

/* Room for a record of an event of that kind, at most so many bytes; NULL when there is none.  Counts the event. */
void *mw_emit_begin(struct mw_board *board, enum mw_event_kind kind, size_t bytes);
/* Publish what was begun, as many bytes as it has become. */
void mw_emit_end(struct mw_board *board, size_t bytes);

/* `flags` are those of the record. */
void mw_emit_fork(struct mw_board *board, pid_t pid, pid_t ppid, unsigned flags, int64_t time_ns);
/* `status` as wait(2) gives it. */
void mw_emit_exit(struct mw_board *board, pid_t pid, int status, unsigned flags, int64_t time_ns);
/* duration_ns 0: not known. */
void mw_emit_gap(struct mw_board *board, enum mw_gap_reason reason, int64_t duration_ns, size_t found);
/* What is said now and then besides: a guard that somebody stopped guards nobody. */
void mw_emit_life(const struct mw_board *board);

/* Enforcement: processes held at their exec stop, before the new program's first instruction, until the sensor has said
 * what its rules want; at most enforce_deadline_ms, then they are let go (fail open), and counted. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/board.h"

struct mw_task;
struct mw_tracer;

struct mw_verdicts {
	uint32_t last_ticket;
	unsigned held;
	struct {
		pid_t tid; /* 0: free */
		uint32_t ticket;
		int64_t until_ns; /* CLOCK_MONOTONIC */
	} slots[MW_BOARD_VERDICTS];
};

/* A ticket for a process about to be recorded, or 0 when it is not to be held: nobody enforces, or too many wait. */
uint32_t mw_verdict_ticket(struct mw_tracer *tracer);
/* Hold it: it must not be resumed by anybody else. */
void mw_verdict_hold(struct mw_tracer *tracer, struct mw_task *task, uint32_t ticket);
/* It ended while it waited. */
void mw_verdict_forget(struct mw_tracer *tracer, pid_t tid);
void mw_verdict_look_after(struct mw_tracer *tracer);

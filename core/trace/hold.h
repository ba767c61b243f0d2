/* How long the end of the application's first process is held back: until the sensor has delivered what went before, or for
 * shutdown_flush_ms. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_board;

struct mw_hold {
	int64_t until_ns; /* CLOCK_MONOTONIC */
	unsigned ticket;
};

/* Ask the sensor to deliver. */
void mw_hold_begin(struct mw_hold *hold, struct mw_board *board, int64_t ms);
/* The sensor has answered, or the time is over. */
bool mw_hold_is_over(const struct mw_hold *hold, const struct mw_board *board);

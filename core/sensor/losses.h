/* What was lost before it came here, told as events: records that the ring had no room for, a tracer that is gone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_board;
struct mw_event;

/* Zeroed to begin with. */
struct mw_losses {
	uint64_t told_refused; /* lost records that an event has told of */
	bool told_tracer_lost;
};

/* Tell what has not been told, each to `emit`, and on standard error. */
void mw_losses_tell(struct mw_losses *losses, const struct mw_board *board,
		    void (*emit)(void *data, struct mw_event *event), void *data);

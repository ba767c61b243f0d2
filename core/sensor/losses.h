/* What was lost between tracer and sensor, told once each. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_board;
struct mw_event;

struct mw_losses {
	uint64_t told_refused; /* lost records that were told of */
	bool told_tracer_lost;
};

/* `emit` gets an event, all but its id, for what is new. */
void mw_losses_tell(struct mw_losses *losses, struct mw_board *board, void (*emit)(void *data, struct mw_event *event),
		    void *data);

/* What the sampling of sockets had to leave out, and the sentence that tells of it now and then. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_socket_loss_counts {
	uint64_t sockets; /* snapshots that had more than are remembered */
	uint64_t ended;   /* times that ends of connections were lost */
	uint64_t events;  /* past the most in a second */
};

struct mw_socket_losses {
	struct mw_socket_loss_counts now, told;
	int64_t told_ns; /* CLOCK_MONOTONIC */
};

/* Write the sentence when there is news, at most once a minute; the limits are named in it.  False for nothing to say. */
bool mw_socket_losses_sentence(struct mw_socket_losses *losses, unsigned most_sockets, unsigned events_per_s, char *out,
			       size_t room);

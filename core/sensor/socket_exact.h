/* What exact events have told of sockets, so that the sampler does not tell it again: by inode, and by addresses, which
 * is all that is left of a connection at its end. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/event.h"

struct mw_told;

void mw_socket_exact_add(struct mw_told *told, enum mw_event_kind kind, const struct mw_socket *socket,
			 int64_t until_ns);
bool mw_socket_exact_has(const struct mw_told *told, enum mw_event_kind kind, const struct mw_socket *socket,
			 int64_t now_ns);

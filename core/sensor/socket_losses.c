#include "sensor/socket_losses.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

enum {
	INTERVAL_S = 60
};

bool mw_socket_losses_sentence(struct mw_socket_losses *losses, unsigned most_sockets, unsigned events_per_s, char *out,
			       size_t room)
{
	int64_t now = mw_clock_mono_ns();
	if (memcmp(&losses->now, &losses->told, sizeof(losses->now)) == 0 ||
	    (losses->told_ns && now - losses->told_ns < (int64_t)INTERVAL_S * MW_NS_PER_S))
		return false;
	(void)snprintf(out, room,
		       "sampled sockets: %" PRIu64 " snapshots were past the limit of %u, %" PRIu64
		       " losses of short connections, %" PRIu64 " events past %u in a second",
		       losses->now.sockets - losses->told.sockets, most_sockets, losses->now.ended - losses->told.ended,
		       losses->now.events - losses->told.events, events_per_s);
	losses->told = losses->now;
	losses->told_ns = now;
	return true;
}

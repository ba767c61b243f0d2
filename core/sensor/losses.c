#include "sensor/losses.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/board.h"
#include "event/event.h"

enum {
	MESSAGE_BYTES = 512,
};

void mw_losses_tell(struct mw_losses *losses, struct mw_board *board, void (*emit)(void *data, struct mw_event *event),
		    void *data)
{
	if (atomic_load(&board->tracer_lost) && !losses->told_tracer_lost) {
		static const char text[] =
			"the guard was killed: process events end here, the application goes on unseen";
		const struct mw_gap gap = {.reason = MW_GAP_TRACER_LOST, .duration_ms = -1};
		struct mw_event event = {
			.kind = MW_SENSOR_GAP, .time_ns = mw_clock_real_ns(), .gap = &gap, .message = text};
		losses->told_tracer_lost = true;
		mw_log("%s", text);
		emit(data, &event);
	}
	uint64_t refused = atomic_load(&board->ring->refused);
	if (refused == losses->told_refused)
		return;
	char message[MESSAGE_BYTES];
	(void)snprintf(message, sizeof(message),
		       "%" PRIu64 " process events were lost: the ring between tracer and sensor was full; raise "
		       "ring_size_mib",
		       refused - losses->told_refused);
	losses->told_refused = refused;
	mw_log("%s", message);
	struct mw_event event = {.kind = MW_SENSOR_HEALTH, .time_ns = mw_clock_real_ns(), .message = message};
	emit(data, &event);
}

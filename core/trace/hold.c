#include "trace/hold.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "event/board.h"

void mw_hold_begin(struct mw_hold *hold, struct mw_board *board, int64_t ms)
{
	int64_t now_ns = mw_clock_mono_ns();
	atomic_store(&board->flush_since_ns, now_ns);
	*hold = (struct mw_hold){
		.until_ns = now_ns + ms * MW_NS_PER_MS,
		.ticket = atomic_fetch_add(&board->flush_wanted, 1) + 1,
	};
	mw_board_wake_sensor(board);
}

bool mw_hold_is_over(const struct mw_hold *hold, const struct mw_board *board)
{
	bool is_answered = (int)(atomic_load(&board->flush_done) - hold->ticket) >= 0;
	return is_answered || mw_clock_mono_ns() >= hold->until_ns;
}

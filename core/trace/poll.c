/* The engine for where nothing else is allowed: the census at intervals, and nothing between. */

#include "trace/engine.h"

#include "base/clock.h"
#include "trace/census.h"
#include "trace/emit.h"

static const char *refusal(int error)
{
	(void)error;
	return "/proc cannot be looked at";
}

static int run(const struct mw_tracer_options *options)
{
	struct mw_board *board = options->board;
	struct mw_census *census;
	int r = mw_census_new(options, &census);
	if (r < 0)
		return r;
	mw_engine_ready(board, MW_ENGINE_POLL);

	/* The application starts now: the first looks come soon, so that one of a few milliseconds is seen at all. */
	int64_t pause_ms = 1;
	int64_t due_ns = mw_clock_mono_ns() + pause_ms * MW_NS_PER_MS;
	for (bool is_over = false; !is_over;) {
		int64_t left_ms = (due_ns - mw_clock_mono_ns() + MW_NS_PER_MS - 1) / MW_NS_PER_MS;
		atomic_store_explicit(&board->tracer_waits, 1, memory_order_relaxed);
		is_over = mw_census_wait(census, left_ms > 0 ? (int)left_ms : 0);
		atomic_store_explicit(&board->tracer_waits, 0, memory_order_relaxed);
		(void)atomic_fetch_add_explicit(&board->tracer_stops, 1, memory_order_relaxed);
		if (is_over || mw_clock_mono_ns() < due_ns)
			continue;
		is_over = mw_census_look(census);
		mw_emit_life(board);
		if (pause_ms < options->poll_interval_ms)
			pause_ms = mw_census_root_runs(census) ? options->poll_interval_ms : pause_ms * 2;
		if (pause_ms > options->poll_interval_ms)
			pause_ms = options->poll_interval_ms;
		due_ns = mw_clock_mono_ns() + pause_ms * MW_NS_PER_MS;
	}
	mw_census_free(census);
	return 0;
}

const struct mw_engine_driver mw_engine_poll = {.id = MW_ENGINE_POLL, .run = run, .refusal = refusal};

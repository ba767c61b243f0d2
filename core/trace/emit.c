#include "trace/emit.h"

#include <signal.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/record.h"

void *mw_emit_begin(struct mw_board *board, enum mw_event_kind kind, size_t bytes)
{
	(void)atomic_fetch_add_explicit(&board->trace.records[kind], 1, memory_order_relaxed);
	return mw_ring_reserve(board->ring, bytes);
}

void mw_emit_end(struct mw_board *board, size_t bytes)
{
	mw_ring_commit(board->ring, bytes);
	if (mw_ring_must_wake(board->ring))
		mw_board_wake_sensor(board);
}

void mw_emit_fork(struct mw_board *board, pid_t pid, pid_t ppid, unsigned flags, int64_t time_ns)
{
	struct mw_record_fork *record = mw_emit_begin(board, MW_PROCESS_FORK, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_fork){
		.head = {.kind = MW_RECORD_FORK, .flags = (uint16_t)flags, .pid = pid, .time_ns = time_ns},
		.ppid = ppid,
	};
	mw_emit_end(board, sizeof(*record));
}

void mw_emit_exit(struct mw_board *board, pid_t pid, int status, unsigned flags, int64_t time_ns)
{
	struct mw_record_exit *record = mw_emit_begin(board, MW_PROCESS_EXIT, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_exit){
		.head = {.kind = MW_RECORD_EXIT, .flags = (uint16_t)flags, .pid = pid, .time_ns = time_ns},
		.status = status,
		.cpu_ns = -1,
		.max_rss_bytes = -1,
	};
	mw_emit_end(board, sizeof(*record));
}

void mw_emit_gap(struct mw_board *board, enum mw_gap_reason reason, int64_t duration_ns, size_t found)
{
	struct mw_record_gap *record = mw_emit_begin(board, MW_SENSOR_GAP, sizeof(*record));
	if (!record)
		return;
	*record = (struct mw_record_gap){
		.head = {.kind = MW_RECORD_GAP, .time_ns = mw_clock_real_ns()},
		.duration_ns = duration_ns,
		.reason = reason,
		.found = (uint32_t)found,
	};
	mw_emit_end(board, sizeof(*record));
}

void mw_emit_life(const struct mw_board *board)
{
	pid_t parent = getppid();
	if (parent == atomic_load(&board->guard_pid)) /* and not who has adopted us */
		(void)kill(parent, SIGCONT);
}

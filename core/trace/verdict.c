#include "trace/verdict.h"

#include <signal.h>

#include "base/clock.h"
#include "trace/refuse.h"
#include "trace/tracer_private.h"

uint32_t mw_verdict_ticket(struct mw_tracer *tracer)
{
	struct mw_verdicts *verdicts = &tracer->verdicts;
	uint64_t kinds = atomic_load_explicit(&tracer->board->enforced_kinds, memory_order_relaxed);
	if (tracer->options->enforce_deadline_ms == 0 || !(kinds >> MW_PROCESS_EXEC & 1))
		return 0;
	/* Their answers would get into each other's way. */
	if (verdicts->slots[(verdicts->last_ticket + 1) % MW_BOARD_VERDICTS].tid) {
		mw_tracer_count(&tracer->board->trace.verdicts_timed_out);
		return 0;
	}
	verdicts->last_ticket = verdicts->last_ticket + 1 ? verdicts->last_ticket + 1 : MW_BOARD_VERDICTS;
	return verdicts->last_ticket;
}

void mw_verdict_hold(struct mw_tracer *tracer, struct mw_task *task, uint32_t ticket)
{
	struct mw_verdicts *verdicts = &tracer->verdicts;
	unsigned slot = ticket % MW_BOARD_VERDICTS;
	verdicts->slots[slot].tid = task->tid;
	verdicts->slots[slot].ticket = ticket;
	verdicts->slots[slot].until_ns = mw_clock_mono_ns() + tracer->options->enforce_deadline_ms * MW_NS_PER_MS;
	verdicts->held++;
	task->is_held = true;
	mw_board_wake_sensor(tracer->board);
}

void mw_verdict_forget(struct mw_tracer *tracer, pid_t tid)
{
	struct mw_verdicts *verdicts = &tracer->verdicts;
	for (unsigned i = 0; verdicts->held && i < MW_BOARD_VERDICTS; i++)
		if (verdicts->slots[i].tid == tid) {
			verdicts->slots[i].tid = 0;
			verdicts->held--;
		}
}

static void carry_out(struct mw_tracer *tracer, struct mw_task *task, enum mw_verdict verdict)
{
	task->is_held = false;
	if (verdict != MW_VERDICT_ALLOW)
		mw_tracer_count(&tracer->board->trace.enforced);
	/* What cannot be refused gently is ended: the rule said that it must not run. */
	if (verdict == MW_VERDICT_KILL || (verdict == MW_VERDICT_DENY && mw_refuse_exec(task->tid) < 0))
		(void)kill(task->tid, SIGKILL);
	mw_tracer_resume(tracer, task, 0);
}

void mw_verdict_look_after(struct mw_tracer *tracer)
{
	struct mw_verdicts *verdicts = &tracer->verdicts;
	int64_t now = mw_clock_mono_ns();
	for (unsigned i = 0; verdicts->held && i < MW_BOARD_VERDICTS; i++) {
		if (!verdicts->slots[i].tid)
			continue;
		uint64_t answer = atomic_load(&tracer->board->verdicts[i]);
		bool is_answered = answer >> 8 == verdicts->slots[i].ticket;
		if (!is_answered && now < verdicts->slots[i].until_ns)
			continue;
		if (!is_answered)
			mw_tracer_count(&tracer->board->trace.verdicts_timed_out);
		struct mw_task *task = mw_tasks_get(&tracer->tasks, verdicts->slots[i].tid);
		verdicts->slots[i].tid = 0;
		verdicts->held--;
		if (task)
			carry_out(tracer, task, is_answered ? (enum mw_verdict)(answer & 0xff) : MW_VERDICT_ALLOW);
	}
}

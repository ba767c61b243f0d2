#include "sensor/enforce.h"

#include "event/alert.h"
#include "event/board.h"
#include "event/record.h"
#include "flag/flag.h"
#include "rule/engine.h"

void mw_enforce_subscribe(struct mw_board *board, const struct mw_flags *flags, const struct mw_rules *rules)
{
	bool is_on = mw_flag_bool(flags, MW_FLAG_ENFORCE) && rules;
	atomic_store(&board->enforced_kinds, is_on ? mw_rules_responding(rules) : 0);
}

void mw_enforce_begin(struct mw_enforce *enforce, const struct mw_record *record)
{
	*enforce = (struct mw_enforce){.verdict = MW_VERDICT_ALLOW};
	if (record->kind == MW_RECORD_EXEC && record->flags & MW_EXEC_WAITS)
		enforce->ticket = ((const struct mw_record_exec *)record)->ticket;
}

void mw_enforce_alert(struct mw_enforce *enforce, struct mw_alert *alert)
{
	unsigned wanted = alert->rule->respond;
	if (!enforce->ticket || !wanted)
		return;
	alert->response = mw_verdict_names[wanted];
	/* Killing says more than refusing. */
	if (enforce->verdict != MW_VERDICT_KILL)
		enforce->verdict = wanted;
}

void mw_enforce_end(struct mw_enforce *enforce, struct mw_board *board)
{
	if (enforce->ticket)
		mw_board_answer(board, enforce->ticket, (enum mw_verdict)enforce->verdict);
	enforce->ticket = 0;
}

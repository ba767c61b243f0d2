/* What sensor and tracer tell each other on the board: kinds that are wanted, processes to be watched; and the spool's rows
 * of health. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "event/alert.h"
#include "event/board.h"
#include "event/event.h"
#include "flag/flag.h"
#include "script/outputs.h"
#include "sensor/attention.h"
#include "sensor/health.h"
#include "spool/spool.h"

#define KIND(kind) (1ull << (kind))

static struct mw_board *board;

static int make_board(void **state)
{
	(void)state;
	return mw_board_new(1 << 20, &board, NULL);
}

static void requests_are_a_bounded_queue(void **state)
{
	(void)state;
	for (int i = 0; i < MW_BOARD_REQUESTS; i++)
		assert_int_equal(mw_board_request(board, i + 1, MW_LEVEL_CALLS), 0);
	assert_int_equal(mw_board_request(board, 1, MW_LEVEL_CALLS), -ENOSPC);
	for (int i = 0; i < MW_BOARD_REQUESTS; i++)
		assert_int_equal(board->requests[i].pid, i + 1);
	(void)atomic_fetch_add(&board->requests_tail, 1);
	assert_int_equal(mw_board_request(board, 7, MW_LEVEL_EVENTS), 0);
	assert_int_equal(board->requests[0].pid, 7);
	assert_int_equal(board->requests[0].level, MW_LEVEL_EVENTS);
	atomic_store(&board->requests_tail, atomic_load(&board->requests_head));
}

static void kinds_are_changed_beside_the_policy_in_force(void **state)
{
	(void)state;
	mw_attention_init(&board->attention[0]);
	board->attention[0].default_level = MW_LEVEL_CALLS;
	const struct mw_attention *before = mw_board_attention(board);
	mw_board_set_kinds(board, 5);
	const struct mw_attention *after = mw_board_attention(board);
	assert_ptr_not_equal(before, after);
	assert_int_equal(after->kinds, 5);
	assert_int_equal(after->default_level, MW_LEVEL_CALLS);
	assert_int_not_equal(before->kinds, 5);
	mw_board_set_kinds(board, 6);
	assert_ptr_equal(mw_board_attention(board), before);
	assert_int_equal(before->kinds, 6);
}

static uint64_t wanted(const char *outputs_spec, const char *flag, const char *value)
{
	struct mw_err err = {""};
	struct mw_flags *flags = mw_flags_new();
	struct mw_outputs *outputs;
	assert_non_null(flags);
	if (flag)
		assert_int_equal(mw_flags_set(flags, flag, value, MW_FROM_COMMAND_LINE, &err), 0);
	if (mw_outputs_open(outputs_spec, MW_TEST_TREE, &outputs, &err) < 0)
		fail_msg("%s", err.text);
	uint64_t kinds = mw_attention_wanted(flags, NULL, outputs);
	mw_outputs_free(outputs);
	mw_flags_free(flags);
	return kinds;
}

static void what_nobody_wants_is_not_recorded(void **state)
{
	(void)state;
	uint64_t kinds = wanted("alerts/text:stderr", NULL, NULL);
	assert_true(kinds & KIND(MW_PROCESS_EXEC) && kinds & KIND(MW_PROCESS_FORK) && kinds & KIND(MW_PROCESS_EXIT));
	assert_true(kinds & KIND(MW_SOCKET_CONNECT) && kinds & KIND(MW_FILE_CREATE) && kinds & KIND(MW_SENSOR_GAP));
	assert_false(kinds & KIND(MW_FILE_OPEN) || kinds & KIND(MW_PROCESS_KILL));
	assert_int_equal(wanted("events/json:stderr", NULL, NULL), KIND(MW_EVENT_KINDS) - 1);
	kinds = wanted("events/json:stderr", "audit_allow_sockets", "false");
	assert_false(kinds & KIND(MW_SOCKET_CONNECT));
	assert_true(kinds & KIND(MW_FILE_OPEN));
}

static void a_rule_asks_for_attention(void **state)
{
	(void)state;
	struct mw_process process = {.pid = 70};
	struct mw_call call = {.target_pid = 71};
	struct mw_event event = {.kind = MW_PROCESS_PTRACE, .process = &process, .call = &call};
	struct mw_rule_info rule = {.id = "x"};
	const struct mw_alert alert = {.event = &event, .rule = &rule};
	unsigned head = atomic_load(&board->requests_head);
	mw_attention_follow(board, &alert);
	assert_int_equal(atomic_load(&board->requests_head), head);
	rule.attention = MW_LEVEL_CALLS;
	mw_attention_follow(board, &alert);
	assert_int_equal(atomic_load(&board->requests_head), head + 2);
	assert_int_equal(board->requests[head % MW_BOARD_REQUESTS].pid, 70);
	assert_int_equal(board->requests[(head + 1) % MW_BOARD_REQUESTS].pid, 71);
	/* A group, and one that is gone. */
	call.target_pid = -71;
	process.ended = true;
	mw_attention_follow(board, &alert);
	assert_int_equal(atomic_load(&board->requests_head), head + 2);
	/* Nobody takes them: counted. */
	process.ended = false;
	for (int i = 0; i < 2 * MW_BOARD_REQUESTS; i++)
		mw_attention_follow(board, &alert);
	assert_int_equal(atomic_load(&board->sensor.requests_lost), MW_BOARD_REQUESTS + 2);
}

static void gaps_are_sentences(void **state)
{
	(void)state;
	char out[512];
	for (int reason = 0; reason < MW_GAP_REASONS; reason++) {
		struct mw_gap gap = {
			.reason = (enum mw_gap_reason)reason, .duration_ms = 340, .missed = 12, .found = 3};
		mw_health_gap_sentence(&gap, out, sizeof(out));
		assert_true(strlen(out) > 40 && strlen(out) < 300);
		assert_true(reason == MW_GAP_TRACER_LOST || (strstr(out, "340 ms") && strstr(out, "12")));
		gap.duration_ms = -1;
		mw_health_gap_sentence(&gap, out, sizeof(out));
		assert_null(strstr(out, "-1"));
	}
}

static void a_restarted_sensor_goes_on_counting(void **state)
{
	(void)state;
	struct mw_err err = {""};
	struct mw_spool *spool;
	struct mw_flags *flags = mw_flags_new();
	struct mw_rules *no_rules = NULL;
	struct mw_sensor_counters *counters = &board->sensor;
	const struct mw_spool_row row = {.id = "1", .kind = "process.exec", .body = "{}", .body_bytes = 2};
	assert_int_equal(mw_spool_open("", 1 << 24, &spool, NULL, &err), 0);
	for (unsigned life = 1; life <= 3; life++) {
		struct mw_health health = {.board = board, .flags = flags, .spool = spool, .rules = &no_rules};
		mw_health_begin(&health);
		assert_int_equal(atomic_load(&counters->died), life - 1);
		/* Of three that were to be kept, one is lost, and one dies with the sensor; the spool of this test does
		 * not: it counts once more in each life what it stored before. */
		(void)atomic_fetch_add(&counters->offered, 3 + (life - 1));
		(void)atomic_fetch_add(&counters->lost, 1);
		assert_int_equal(mw_spool_add(spool, MW_SPOOL_EVENTS, &row, &err), 0);
		assert_int_equal(mw_spool_commit(spool, &err), 0);
		mw_health_write(&health, false);
		assert_true(health.written_ns > 0);
		mw_health_release(&health);
	}
	assert_int_equal(atomic_load(&counters->stored), 1 + 2 + 3);
	mw_spool_close(spool);
	mw_flags_free(flags);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_a_bounded_queue),
		cmocka_unit_test(kinds_are_changed_beside_the_policy_in_force),
		cmocka_unit_test(what_nobody_wants_is_not_recorded),
		cmocka_unit_test(a_rule_asks_for_attention),
		cmocka_unit_test(gaps_are_sentences),
		cmocka_unit_test(a_restarted_sensor_goes_on_counting),
	};
	return cmocka_run_group_tests(tests, make_board, NULL);
}

/* What the sampler of sockets remembers: what was seen last, and what was told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/event.h"
#include "sensor/socket_table.h"

static void on_gone(void *data, const struct mw_socket_entry *entry)
{
	assert_int_equal(entry->key % 2, 1);
	++*(unsigned *)data;
}

static void the_table_keeps_what_was_seen_last(void **state)
{
	(void)state;
	enum {
		N = 5000
	};
	struct mw_socket_table table = {0};
	for (uint64_t key = 1; key <= N; key++)
		mw_socket_table_put(&table, key, N)->generation = 1;
	assert_null(mw_socket_table_put(&table, N + 1, N));
	assert_non_null(mw_socket_table_put(&table, N, N));
	for (uint64_t key = 2; key <= N; key += 2)
		mw_socket_table_get(&table, key)->generation = 2;
	unsigned gone = 0;
	mw_socket_table_sweep(&table, 2, on_gone, &gone);
	assert_int_equal(gone, N / 2);
	assert_int_equal(table.count, N / 2);
	for (uint64_t key = 1; key <= N; key++)
		assert_int_equal(!mw_socket_table_get(&table, key), key % 2);
	mw_socket_table_release(&table);
}

static void told_keys_end_by_time_and_by_number(void **state)
{
	(void)state;
	static struct mw_told keys;
	mw_told_add(&keys, 5, 100);
	assert_true(mw_told_has(&keys, 5, 100));
	assert_false(mw_told_has(&keys, 5, 101));
	mw_told_add(&keys, 5, 200);
	assert_true(mw_told_has(&keys, 5, 101));
	for (uint64_t key = 1000; key < 1000 + UINT64_C(4) * MW_TOLD_SETS * MW_TOLD_WAYS; key++)
		mw_told_add(&keys, key, 300);
	assert_false(mw_told_has(&keys, 5, 101));
	assert_true(mw_told_has(&keys, 999 + UINT64_C(4) * MW_TOLD_SETS * MW_TOLD_WAYS, 101));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_keeps_what_was_seen_last),
		cmocka_unit_test(told_keys_end_by_time_and_by_number),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

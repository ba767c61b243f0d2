#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/pidmap.h"

static void begins_empty(void **state)
{
	(void)state;
	struct mw_pidmap map = {0};
	size_t cursor = 0;
	assert_null(mw_pidmap_get(&map, 1));
	assert_null(mw_pidmap_remove(&map, 1));
	assert_null(mw_pidmap_next(&map, &cursor));
	mw_pidmap_release(&map);
}

static void replaces(void **state)
{
	(void)state;
	struct mw_pidmap map = {0};
	int a;
	int b;
	assert_int_equal(mw_pidmap_set(&map, 7, &a), 0);
	assert_int_equal(mw_pidmap_set(&map, 7, &b), 0);
	assert_int_equal(map.count, 1);
	assert_ptr_equal(mw_pidmap_get(&map, 7), &b);
	assert_null(mw_pidmap_get(&map, 0));
	assert_null(mw_pidmap_get(&map, -7));
	mw_pidmap_release(&map);
}

/* Random changes, compared with a plain array. */
static void agrees_with_an_array(void **state)
{
	(void)state;
	enum {
		PIDS = 3000,
		CHANGES = 300000,
	};
	static char *expected[PIDS];
	static char values[PIDS];
	struct mw_pidmap map = {0};
	size_t count = 0;
	unsigned random = 1;
	for (int i = 0; i < CHANGES; i++) {
		random = random * 1103515245U + 12345U;
		pid_t pid = 1 + (pid_t)(random >> 8) % (PIDS - 1);
		if (random >> 30 == 0) {
			assert_ptr_equal(mw_pidmap_remove(&map, pid), expected[pid]);
			count -= expected[pid] != NULL;
			expected[pid] = NULL;
		} else if (random >> 31) {
			assert_int_equal(mw_pidmap_set(&map, pid, &values[pid]), 0);
			count += expected[pid] == NULL;
			expected[pid] = &values[pid];
		} else {
			assert_ptr_equal(mw_pidmap_get(&map, pid), expected[pid]);
		}
		assert_int_equal(map.count, count);
	}
	size_t cursor = 0;
	size_t walked = 0;
	for (char *value; (value = mw_pidmap_next(&map, &cursor)); walked++)
		assert_ptr_equal(expected[value - values], value);
	assert_int_equal(walked, count);
	mw_pidmap_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(begins_empty),
		cmocka_unit_test(replaces),
		cmocka_unit_test(agrees_with_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

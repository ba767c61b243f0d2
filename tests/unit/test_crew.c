/* Batches of rows by several threads: all of them, once, in order, and an end at any time. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "sql/crew.h"
#include "sql/rows.h"

enum {
	BATCHES = 2000,
	BAD = 700,
	EMPTY = 5,
	BIG = 9, /* of so many one has megabytes */
};

static char large[1 << 20];

static int make(void *data, size_t batch, struct mw_rows *rows)
{
	const size_t *bad = data;
	if (batch == *bad)
		return -EIO;
	for (size_t i = 0; i < batch % EMPTY; i++) {
		if (mw_rows_add(rows) < 0)
			return -ENOBUFS;
		mw_rows_int(rows, 0, (int64_t)(batch * EMPTY + i));
	}
	if (batch % BIG == 0 && batch % EMPTY)
		mw_rows_text(rows, 1, large, sizeof(large));
	return 0;
}

static void run(unsigned threads, size_t bad, size_t until)
{
	struct mw_crew *crew = NULL;
	struct mw_rows rows;
	mw_rows_init(&rows, 2, INT64_MAX);
	assert_int_equal(mw_crew_new(BATCHES, &rows, make, &bad, &crew), 0);
	int r = 1;
	for (size_t batch = 0; batch < BATCHES && batch < until; batch++) {
		if (batch == 3)
			mw_crew_grow(crew, threads);
		r = mw_crew_next(crew, &rows);
		if (batch == bad) {
			assert_int_equal(r, -EIO);
			break;
		}
		assert_int_equal(r, 1);
		assert_int_equal(rows.count, batch % EMPTY);
		for (size_t i = 0; i < rows.count; i++)
			assert_int_equal(rows.cells[i * 2].integer, batch * EMPTY + i);
	}
	if (bad > until && until >= BATCHES)
		assert_int_equal(mw_crew_next(crew, &rows), 0);
	mw_crew_free(crew);
	mw_rows_release(&rows);
}

static void batches_come_in_order(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads <= 4; threads++)
		run(threads, SIZE_MAX, SIZE_MAX - 1);
}

static void a_failure_comes_in_its_place(void **state)
{
	(void)state;
	for (unsigned threads = 0; threads <= 4; threads++)
		run(threads, BAD, SIZE_MAX);
}

static void it_may_end_at_any_time(void **state)
{
	(void)state;
	for (size_t until = 0; until < 60; until++)
		run(3, SIZE_MAX, until);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_come_in_order),
		cmocka_unit_test(a_failure_comes_in_its_place),
		cmocka_unit_test(it_may_end_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

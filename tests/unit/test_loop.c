#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "loop/loop.h"

struct world {
	struct mw_loop *loop;
	struct mw_timer timers[3];
	int order[3];
	int fired;
	int pipe[2][2];
	int calls;
};

static struct world world;

static int set_up(void **state)
{
	(void)state;
	world = (struct world){0};
	return mw_loop_new(&world.loop, NULL) || pipe(world.pipe[0]) || pipe(world.pipe[1]);
}

static int tear_down(void **state)
{
	(void)state;
	mw_loop_free(world.loop);
	for (int i = 0; i < 2; i++)
		for (int end = 0; end < 2; end++)
			(void)close(world.pipe[i][end]);
	return 0;
}

static void note_timer(void *data)
{
	world.order[world.fired++] = (int)((struct mw_timer *)data - world.timers);
	if (world.fired == 2)
		mw_loop_stop(world.loop);
}

static void timers_fire_in_order_and_not_early(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		world.timers[i] = (struct mw_timer){.fire = note_timer, .data = &world.timers[i]};
	int64_t before = mw_clock_mono_ns();
	mw_timer_set(world.loop, &world.timers[0], 20);
	mw_timer_set(world.loop, &world.timers[1], 5);
	mw_timer_set(world.loop, &world.timers[2], 1);
	mw_timer_clear(world.loop, &world.timers[2]);
	mw_timer_set(world.loop, &world.timers[1], 10); /* again: replaces */
	assert_int_equal(mw_loop_run(world.loop), 0);
	assert_int_equal(world.fired, 2);
	assert_int_equal(world.order[0], 1);
	assert_int_equal(world.order[1], 0);
	assert_true(mw_clock_mono_ns() - before >= 20 * (int64_t)MW_NS_PER_MS);
}

/* Both are ready at once; whoever is called first takes the other's watch away. */
static void remove_other(void *data, uint32_t events)
{
	int other = *(const int *)data;
	assert_true(events & EPOLLIN);
	world.calls++;
	mw_loop_unwatch(world.loop, other);
	mw_loop_stop(world.loop);
}

static void watches_can_be_removed_while_called(void **state)
{
	(void)state;
	int first = world.pipe[0][0];
	int second = world.pipe[1][0];
	assert_int_equal(mw_loop_watch(world.loop, first, EPOLLIN, remove_other, &second), 0);
	assert_int_equal(mw_loop_watch(world.loop, second, EPOLLIN, remove_other, &first), 0);
	assert_int_equal(write(world.pipe[0][1], "x", 1), 1);
	assert_int_equal(write(world.pipe[1][1], "x", 1), 1);
	assert_int_equal(mw_loop_run(world.loop), 0);
	assert_int_equal(world.calls, 1);
	assert_int_equal(mw_loop_watch(world.loop, -1, EPOLLIN, remove_other, NULL), -9 /* EBADF */);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(timers_fire_in_order_and_not_early, set_up, tear_down),
		cmocka_unit_test_setup_teardown(watches_can_be_removed_while_called, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

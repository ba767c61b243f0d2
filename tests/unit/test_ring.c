/* The ring between tracer and sensor: whole records or none, in order, none lost but those refused. */

#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "event/ring.h"

enum {
	CAPACITY = 4096
};

static struct mw_ring *new_ring(void)
{
	struct mw_ring *ring =
		mmap(NULL, mw_ring_bytes(CAPACITY), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(ring, MAP_FAILED);
	ring->capacity = CAPACITY;
	return ring;
}

static void free_ring(struct mw_ring *ring)
{
	assert_int_equal(munmap(ring, mw_ring_bytes(CAPACITY)), 0);
}

/* Sizes that come again only after a while, so that every alignment and every way to cross the end occurs. */
static size_t size_of(uint32_t number)
{
	return sizeof(number) + number * 7919 % 300;
}

static bool put(struct mw_ring *ring, uint32_t number)
{
	unsigned char *record = mw_ring_reserve(ring, 400);
	if (!record)
		return false;
	memset(record, (unsigned char)number, size_of(number));
	memcpy(record, &number, sizeof(number));
	mw_ring_commit(ring, size_of(number));
	return true;
}

/* Take a record, check that it is whole, and return its number; UINT32_MAX when there is none. */
static uint32_t take(struct mw_ring *ring)
{
	size_t bytes;
	const unsigned char *record = mw_ring_peek(ring, &bytes);
	if (!record)
		return UINT32_MAX;
	uint32_t number;
	memcpy(&number, record, sizeof(number));
	assert_int_equal(bytes, size_of(number));
	assert_int_equal((uintptr_t)record % MW_RING_ALIGN, 0);
	for (size_t i = sizeof(number); i < bytes; i++)
		assert_int_equal(record[i], (unsigned char)number);
	mw_ring_release(ring);
	return number;
}

static void refuses_when_full(void **state)
{
	(void)state;
	struct mw_ring *ring = new_ring();
	uint32_t n = 0;
	while (put(ring, n))
		n++;
	assert_true(n > 10);
	assert_int_equal(ring->refused, 1);
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(take(ring), i);
	assert_int_equal(take(ring), UINT32_MAX);
	assert_true(put(ring, n));
	assert_int_equal(take(ring), n);
	assert_true(ring->high_water_bytes <= CAPACITY && ring->high_water_bytes > CAPACITY / 2);
	free_ring(ring);
}

static void keeps_order_across_the_end(void **state)
{
	(void)state;
	struct mw_ring *ring = new_ring();
	uint32_t written = 0;
	uint32_t read = 0;
	while (read < 100000) {
		for (unsigned i = 0; i < 1 + written % 7 && put(ring, written); i++)
			written++;
		for (unsigned i = 0; i < 1 + read % 5 && read < written; i++)
			assert_int_equal(take(ring), read++);
	}
	free_ring(ring);
}

/* A writer in another process, which is killed at some moment. */
static void survives_a_killed_writer(void **state)
{
	(void)state;
	for (int round = 0; round < 50; round++) {
		struct mw_ring *ring = new_ring();
		pid_t writer = fork();
		assert_true(writer >= 0);
		if (writer == 0)
			for (uint32_t n = 0;;)
				n += put(ring, n);
		uint32_t last = UINT32_MAX;
		uint32_t expected = 0;
		uint32_t stop_after = 1000 + (uint32_t)round * 37;
		while (expected < stop_after) {
			last = take(ring);
			if (last == UINT32_MAX)
				continue;
			assert_int_equal(last, expected);
			expected++;
		}
		assert_int_equal(kill(writer, SIGKILL), 0);
		assert_int_equal(waitpid(writer, NULL, 0), writer);
		while ((last = take(ring)) != UINT32_MAX)
			assert_int_equal(last, expected++);
		assert_true(put(ring, expected)); /* its successor goes on */
		assert_int_equal(take(ring), expected);
		free_ring(ring);
	}
}

static void wakes_a_sleeping_reader_once(void **state)
{
	(void)state;
	struct mw_ring *ring = new_ring();
	assert_false(mw_ring_must_wake(ring));
	assert_true(mw_ring_sleep(ring));
	assert_true(put(ring, 1));
	assert_true(mw_ring_must_wake(ring));
	assert_true(put(ring, 2));
	assert_false(mw_ring_must_wake(ring));
	assert_false(mw_ring_sleep(ring)); /* there is something to read */
	assert_false(mw_ring_must_wake(ring));
	free_ring(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(refuses_when_full),
		cmocka_unit_test(keeps_order_across_the_end),
		cmocka_unit_test(survives_a_killed_writer),
		cmocka_unit_test(wakes_a_sleeping_reader_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

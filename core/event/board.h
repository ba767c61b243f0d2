/* The memory that entrypoint, guard, tracer and sensor share: who lives, what was agreed, what was counted; and behind
 * it the ring.  Mapped once by the entrypoint, inherited by fork.  A field has one writer, named beside it. */
#pragma once

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "event/ring.h"

struct mw_err;

enum mw_attach {
	MW_ATTACH_PENDING,
	MW_ATTACH_DONE,    /* the application is traced from its first instruction */
	MW_ATTACH_REFUSED, /* attach_errno says why */
};

struct mw_board {
	/* A futex: enum mw_attach, written by the tracer, waited for by the entrypoint. */
	atomic_uint attach;
	atomic_int attach_errno;

	/* Tracer: stops handled so far, and whether it waits for the next.  A tracer that neither waits nor handles
	 * stops hangs, and the application with it: the guard then ends it. */
	atomic_uint_least64_t tracer_stops;
	atomic_uint tracer_waits;
	atomic_uint_least64_t execs, forks, exits; /* records the tracer made or tried to make */

	/* Counted up by the tracer when it holds the application's root at its end: please deliver now.  A futex;
	 * `flush_done` follows when all before is delivered or spooled (written by the sensor). */
	atomic_uint flush_wanted;
	atomic_uint flush_done;

	/* Guard: no more records will come; the sensor may finish. */
	atomic_uint finished;
	/* A tracer died while the application lived: what happened since is unseen. */
	atomic_uint tracer_died;
	atomic_uint sensor_restarts;

	/* Sensor: number of the last event id; kept here so that ids go on after its restart. */
	atomic_uint_least64_t last_id;

	/* Set once by the entrypoint. */
	int32_t root_pid;
	int64_t start_ns; /* wall clock; names this run in event ids */
	int wake_fd;      /* eventfd that the sensor sleeps on */

	struct mw_ring *ring; /* behind this struct, at the same address in all of them */
};

/* -ENOMEM or the errno of mmap or eventfd.  `ring_bytes` is rounded up to a power of two. */
int mw_board_new(size_t ring_bytes, struct mw_board **ret_board, struct mw_err *err);

/* Wake the sensor, whatever it sleeps on. */
void mw_board_wake_sensor(struct mw_board *board);

/* Wait until *futex is no longer `value`, at most timeout_ms.  0, -ETIMEDOUT, or -EINTR. */
int mw_futex_wait(atomic_uint *futex, unsigned value, int64_t timeout_ms);
void mw_futex_wake(atomic_uint *futex);

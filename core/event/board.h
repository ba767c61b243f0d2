/* The memory that entrypoint, guard, tracer and sensor share: who lives, what was agreed, what was counted; and behind
 * it the ring.  Mapped once by the entrypoint, inherited by fork.  A field has one writer, named beside it. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/attention.h"
#include "event/event.h"
#include "event/record.h"
#include "event/ring.h"

struct mw_err;

enum {
	MW_BOARD_REQUESTS = 256, /* a power of two */
	MW_BOARD_VERDICTS = 64,
	/* A sentence for people. */
	MW_BOARD_TEXT_BYTES = 240,
	/* Process ids there may be: PID_MAX_LIMIT of linux/threads.h. */
	MW_BOARD_PIDS = 4 << 20,
};

enum mw_verdict {
	MW_VERDICT_ALLOW,
	MW_VERDICT_KILL, /* SIGKILL */
	MW_VERDICT_DENY, /* it ends with exit code 126, as if it could not be executed */
	MW_VERDICTS,
};

/* As rules name them: "alert" (nothing more), "kill", "deny". */
extern const char *const mw_verdict_names[MW_VERDICTS];

enum mw_engine {
	MW_ENGINE_NONE, /* processes are not watched */
	MW_ENGINE_PTRACE,
	MW_ENGINE_NOTIFY,
	MW_ENGINE_POLL,
	MW_ENGINES,
};

extern const char *const mw_engine_names[MW_ENGINES];

/* Sensor to tracer: watch this process in this way from now on. */
struct mw_request {
	int32_t pid;
	uint32_t level; /* enum mw_level */
};

/* What of the tracer's work is counted; written by it alone. */
struct mw_trace_counters {
	atomic_uint_least64_t records[MW_EVENT_KINDS]; /* made or tried to be made */
	atomic_uint_least64_t calls_refused;           /* system calls for whose records the ring had no room */
	atomic_uint_least64_t call_stops;              /* stops at system calls */
	atomic_uint_least64_t budget_refusals;         /* processes that fell back from `calls` to `events` */
	atomic_uint attended[MW_LEVELS];               /* processes now at each level */
	atomic_uint_least64_t late;                    /* processes found, not born under our eyes */
	atomic_uint_least64_t verdicts_timed_out;
	atomic_uint_least64_t enforced;
};

/* What became of the records; written by the sensor, kept here so that its restart forgets nothing.  Once all is quiet:
 *	trace.records of all kinds + trace.calls_refused = ring.refused + ring.committed + those a killed tracer had in hand
 *	ring.committed = unreadable + read
 *	read + own = silent + unwanted + stored + lost + died */
struct mw_sensor_counters {
	atomic_uint_least64_t read;       /* records taken off the ring and understood */
	atomic_uint_least64_t unreadable; /* records that are not understood */
	atomic_uint_least64_t silent;     /* records that tell nothing new: no event */
	atomic_uint_least64_t own;        /* events that no record told of: sensor.health, sampled sockets */
	atomic_uint_least64_t unwanted;   /* events of kinds that the spool does not keep */
	atomic_uint_least64_t offered;    /* the others … */
	atomic_uint_least64_t stored;     /* … those of them that are in its file … */
	atomic_uint_least64_t lost;       /* … that it could not take … */
	atomic_uint_least64_t died;       /* … that were on their way into it when a sensor was killed */
	atomic_uint_least64_t pruned;     /* rows dropped later to keep its limit */
	atomic_uint_least64_t alerts, alerts_lost;
	atomic_uint_least64_t output_dropped; /* lines that a sink did not take, or no format could say */
	atomic_uint_least64_t requests_lost;  /* see mw_board_request() */
	atomic_uint_least64_t gaps;           /* sensor.gap events */
	atomic_int_least64_t last_event_ns;   /* wall clock */
};

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
	/* Processes it has looked at in /proc: on a slow machine, or a full one, that takes long without a stop handled. */
	atomic_uint_least64_t tracer_looks;
	struct mw_trace_counters trace;
	/* Notify engine: the last notification it has taken, and one it holds back, or 0.  Should it die, whoever waits for an
	 * answer to them gets one from the guard.  Tracer. */
	atomic_uint_least64_t notify_last_id, notify_held_id;
	/* The engine in force, enum mw_engine, and why not another one ("" when it is the one asked for); set by the
	 * entrypoint, or by the tracer when it cannot be. */
	atomic_uint engine;
	char engine_why[MW_BOARD_TEXT_BYTES];

	/* Attention policy in force: one of the two, `attention_now` says which; the other may be written.  Entrypoint,
	 * later the sensor. */
	atomic_uint attention_now;
	struct mw_attention attention[2];

	/* Requests of the sensor: a queue of one writer and one reader; indexes only grow. */
	atomic_uint requests_head; /* sensor */
	atomic_uint requests_tail; /* tracer */
	struct mw_request requests[MW_BOARD_REQUESTS];

	/* Verdicts of the sensor on processes held at their exec stop: (ticket << 8 | enum mw_verdict) at
	 * ticket % MW_BOARD_VERDICTS. */
	atomic_uint_least64_t verdicts[MW_BOARD_VERDICTS];
	/* Bit n: an enforcing rule listens to events of kind n.  Sensor. */
	atomic_uint_least64_t enforced_kinds;

	/* Counted up by the tracer when it holds the application's root at its end: please deliver now.  `flush_done`
	 * follows when all before is delivered or spooled (written by the sensor). */
	atomic_int_least64_t flush_since_ns; /* CLOCK_MONOTONIC, of the hold */
	atomic_uint flush_wanted;
	atomic_uint flush_done;
	/* A futex that the tracer sleeps on while it waits for the sensor: counted up with each flush and each verdict. */
	atomic_uint answers;

	/* Guard: no more records will come; the sensor may finish. */
	atomic_uint finished;
	/* Tracers that died while the application lived, and sensors; guard. */
	atomic_uint tracer_restarts;
	atomic_uint sensor_restarts;
	/* When the tracer's death was noticed, CLOCK_MONOTONIC; 0 while one lives or none is to.  Guard. */
	atomic_int_least64_t tracer_died_ns;
	/* No tracer will come any more: what happens from now on is unseen.  Guard. */
	atomic_uint tracer_lost;
	atomic_int tracer_pid, sensor_pid, guard_pid;
	/* Processes the guard has started; counted when they have their ids.  Guard. */
	atomic_uint own_births;

	/* Tracer, for its successor: the processes it follows, a bit for each id; and the process id that was given out
	 * last when it looked. */
	atomic_int owned_max;
	atomic_int last_pid;
	atomic_uint last_own_births; /* counted when last_pid was looked up */
	atomic_uint_least64_t owned[MW_BOARD_PIDS / 64];
	atomic_uint_least64_t under_calls[MW_BOARD_PIDS / 64]; /* likewise: those whose level is `calls` */

	/* Sensor: number of the last event id; kept here so that ids go on after its restart. */
	atomic_uint_least64_t last_id;
	struct mw_sensor_counters sensor;

	/* Set once by the entrypoint. */
	int32_t root_pid;
	int64_t start_ns; /* wall clock; names this run in event ids */
	int wake_fd;      /* eventfd that the sensor sleeps on */

	struct mw_ring *ring; /* behind this struct, at the same address in all of them */
};

/* -ENOMEM or the errno of mmap or eventfd.  `ring_bytes` is rounded up to a power of two. */
int mw_board_new(size_t ring_bytes, struct mw_board **ret_board, struct mw_err *err);

void mw_board_own(struct mw_board *board, int32_t pid);
void mw_board_disown(struct mw_board *board, int32_t pid);
bool mw_board_owns(const struct mw_board *board, int32_t pid);
/* Note the level of a process that is owned; and what it was. */
void mw_board_set_level(struct mw_board *board, int32_t pid, enum mw_level level);
enum mw_level mw_board_level(const struct mw_board *board, int32_t pid);

/* The policy in force. */
static inline const struct mw_attention *mw_board_attention(const struct mw_board *board)
{
	return &board->attention[atomic_load_explicit(&board->attention_now, memory_order_acquire) & 1];
}

/* Sensor: say what is to become of the process that waits with this ticket. */
void mw_board_answer(struct mw_board *board, uint32_t ticket, enum mw_verdict verdict);

/* Does the application's root wait at its end for the sensor? */
/* Is that one of the sensor's own processes?  enum mw_own_process of record.h. */
static inline uint16_t mw_board_own_process(const struct mw_board *board, pid_t pid)
{
	if (pid <= 0)
		return MW_OWN_NONE;
	if (pid == atomic_load(&board->guard_pid))
		return MW_OWN_GUARD;
	if (pid == atomic_load(&board->tracer_pid))
		return MW_OWN_TRACER;
	return pid == atomic_load(&board->sensor_pid) ? MW_OWN_SENSOR : MW_OWN_NONE;
}

static inline bool mw_board_wants_flush(const struct mw_board *board)
{
	return atomic_load(&board->flush_wanted) != atomic_load(&board->flush_done);
}

/* Wake the sensor, whatever it sleeps on. */
void mw_board_wake_sensor(struct mw_board *board);

/* Sensor: ask the tracer to watch a process at `level`, enum mw_level, from its next stop on.  -ENOSPC when it has not taken
 * the MW_BOARD_REQUESTS before. */
int mw_board_request(struct mw_board *board, int32_t pid, unsigned level);

/* Sensor: of other kinds of events than these (bit n: mw_event_kind n) nothing is to be recorded from now on.  Writes the
 * slot of `attention` that is not in force, and puts it in force. */
void mw_board_set_kinds(struct mw_board *board, uint64_t kinds);

/* Sensor: another policy of attention, for the same kinds; in force likewise. */
void mw_board_set_attention(struct mw_board *board, const struct mw_attention *attention);

/* Wait until *futex is no longer `value`, at most timeout_ms.  0, -ETIMEDOUT, or -EINTR. */
int mw_futex_wait(atomic_uint *futex, unsigned value, int64_t timeout_ms);
void mw_futex_wake(atomic_uint *futex);

/* The threads that are traced, by thread id. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/pidmap.h"
#include "event/level.h"
#include "trace/calls.h"

struct mw_task {
	pid_t tid;
	pid_t tgid;    /* 0 as long as it is not known: parked */
	uint8_t level; /* enum mw_level; all threads of a process have the same */
	/* Traced with PTRACE_O_TRACEEXIT, which children inherit and only the root is to have. */
	bool stops_at_exit;
	/* Its end has been recorded already, at the exit stop. */
	bool end_recorded;
	/* Stopped at birth before its parent's event named it, with this wait status; since when. */
	bool is_parked;
	/* Let go before its parent's event named it, and recorded then; that event is still to come. */
	bool is_adopted;
	/* Stopped at its exec until the sensor says what is to become of it. */
	bool is_held;
	/* Found by a sweep, not born of what was traced. */
	bool is_newcomer;
	/* A debugger: what it starts is not traced, for its sake. */
	bool is_debugger;
	int parked_status;
	int64_t parked_ns; /* CLOCK_MONOTONIC */
	/* Of its process, kept at the leader. */
	pid_t ppid;
	pid_t session; /* 0: not known */
	int tty_nr;
	uint64_t marks; /* of the attention policy, inherited */
	struct mw_call_state call;
	struct mw_task *next_free; /* of the pool */
};

struct mw_tasks {
	struct mw_pidmap map;
	struct mw_task *free;
	struct mw_task_block *blocks;
	unsigned parked;
};

void mw_tasks_release(struct mw_tasks *tasks);
struct mw_task *mw_tasks_get(const struct mw_tasks *tasks, pid_t tid);
/* NULL when memory is exhausted.  One that is there under that id goes: its end was never told. */
struct mw_task *mw_tasks_add(struct mw_tasks *tasks, pid_t tid, pid_t tgid);
void mw_tasks_remove(struct mw_tasks *tasks, pid_t tid);
/* Walk over all, as mw_pidmap_next(): nothing may be added or removed meanwhile. */
struct mw_task *mw_tasks_next(const struct mw_tasks *tasks, size_t *cursor);

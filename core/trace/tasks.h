/* The threads that are traced, by thread id. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/pidmap.h"

struct mw_task {
	pid_t tid;
	pid_t tgid; /* 0 as long as it is not known: parked */
	/* Traced with PTRACE_O_TRACEEXIT, which children inherit and only the root is to have. */
	bool stops_at_exit;
	/* Its end has been recorded already, at the exit stop. */
	bool end_recorded;
	/* Stopped at birth before its parent's event named it, with this wait status; since when. */
	bool is_parked;
	int parked_status;
	int64_t parked_ns; /* CLOCK_MONOTONIC */
};

struct mw_tasks {
	struct mw_pidmap map;
	unsigned parked;
};

void mw_tasks_release(struct mw_tasks *tasks);
struct mw_task *mw_tasks_get(const struct mw_tasks *tasks, pid_t tid);
/* NULL when memory is exhausted. */
struct mw_task *mw_tasks_add(struct mw_tasks *tasks, pid_t tid, pid_t tgid);
void mw_tasks_remove(struct mw_tasks *tasks, pid_t tid);

/* What the parts of the tracer share: births.c, root.c, sweep.c, verdict.c, debugger.c around tracer.c.  Only for them. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "event/board.h"
#include "proc/procfs.h"
#include "trace/attention.h"
#include "trace/debugger.h"
#include "trace/pace.h"
#include "trace/root.h"
#include "trace/sweep.h"
#include "trace/tasks.h"
#include "trace/tracer.h"
#include "trace/verdict.h"

enum {
	/* Stops taken before any is restarted.  A bound, not a tuning knob: more wait for the next round. */
	MW_TRACER_BATCH = 256,
	/* Between two looks at what is to be done in time (newcomers, requests of the sensor).  Each wakes a CPU. */
	MW_TRACER_TICK_MS = 90,
};

#define MW_TRACE_OPTIONS \
	(PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC | PTRACE_O_TRACESYSGOOD)
#define MW_TRACE_ROOT_OPTIONS (MW_TRACE_OPTIONS | PTRACE_O_TRACEEXIT)

struct mw_stop {
	pid_t tid;
	int status;
	struct rusage usage;
};

/* What attention `calls` may still cost; see event/attention.h. */
struct mw_budget {
	int64_t stops;    /* left in this second */
	int64_t cpu_ns;   /* CPU time of ours at which it is used up in this second; INT64_MAX: no limit */
	int64_t until_ns; /* CLOCK_MONOTONIC */
};

struct mw_tracer {
	const struct mw_tracer_options *options;
	struct mw_board *board;
	int procfd;
	struct mw_tasks tasks;
	bool is_over;
	bool is_trimmed;
	unsigned ticks;
	uint64_t births;          /* of threads and processes, told by the kernel */
	int64_t startup_until_ns; /* CLOCK_MONOTONIC */
	int64_t tick_ns;          /* when it was, CLOCK_MONOTONIC */
	struct mw_budget budget;
	struct mw_attention_memory late_memory;
	struct mw_root_end root_end;
	struct mw_sweep sweep;
	struct mw_verdicts verdicts;
	struct mw_debuggers debuggers;
	struct mw_pace pace;
	struct mw_stop stops[MW_TRACER_BATCH];
};

/* One ptrace(2) request.  Fails only with ESRCH: the thread was killed meanwhile, which is no error; its end will be told
 * by a later wait. */
#if defined(__GLIBC__)
typedef enum __ptrace_request mw_ptrace_request;
#else
typedef int mw_ptrace_request;
#endif
void mw_tracer_request(mw_ptrace_request what, pid_t tid, long data);
/* Let a stopped thread run, with a signal or 0, as its level wants it; or go, when a debugger is to have it: then `task` is no
 * more. */
void mw_tracer_resume(struct mw_tracer *tracer, struct mw_task *task, int signal);
/* Let a thread go on from an event stop that is no event of its own: its birth, a group stop, or the end of one.  A group
 * stop carries the signal that stopped the group, and is to last until SIGCONT; anything else is SIGTRAP. */
void mw_tracer_leave_event_stop(struct mw_tracer *tracer, struct mw_task *task, int status);
/* Change how closely a process is watched; running threads are interrupted for it. */
void mw_tracer_set_level(struct mw_tracer *tracer, pid_t tgid, enum mw_level level);
/* Let go of a stopped thread for good; it goes on with `signal`. */
void mw_tracer_detach(struct mw_tracer *tracer, struct mw_task *task, int signal);

/* Room in the ring, or NULL (counted); then what was used of it. */
void *mw_tracer_begin_record(struct mw_tracer *tracer, size_t bytes);
void mw_tracer_end_record(struct mw_tracer *tracer, size_t bytes);
void mw_tracer_count(atomic_uint_least64_t *counter);

void mw_tracer_record_fork(struct mw_tracer *tracer, pid_t pid, pid_t ppid);
/* `usage` NULL: it ended unseen. */
void mw_tracer_record_exit(struct mw_tracer *tracer, pid_t pid, int status, const struct rusage *usage);
/* A process found running: MW_EXEC_LATE and more `flags`. */
void mw_tracer_record_late(struct mw_tracer *tracer, struct mw_task *task, unsigned flags);

/* Read stat and status of a thread. */
bool mw_tracer_read(const struct mw_tracer *tracer, pid_t tid, struct mw_proc_stat *ret_stat,
		    struct mw_proc_status *ret_status);

/* Births (births.c). */
void mw_tracer_on_birth(struct mw_tracer *tracer, struct mw_task *parent);
void mw_tracer_park(struct mw_tracer *tracer, pid_t tid, int status);
void mw_tracer_look_after_parked(struct mw_tracer *tracer);

/* Programs that trace others, started in the container.  A process has one tracer, and where we are it, theirs fails.
 * With the flag debuggers=yield they are let have what they want: their children, and the process they are told to attach
 * to; when the debugger has gone, what it left is found and attached to again (sweep.h). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_record_exec;
struct mw_task;
struct mw_tracer;

enum {
	/* Processes let go of at the same time. */
	MW_YIELDED = 16,
};

struct mw_debuggers {
	struct {
		pid_t pid;      /* let go of, 0: free */
		pid_t debugger; /* for whom */
	} yielded[MW_YIELDED];
	unsigned alive; /* debuggers running */
	/* A debugger at its exec stop that waits until what it is to attach to has been let go; 0 for none. */
	pid_t held, held_for;
	int64_t held_until_ns; /* CLOCK_MONOTONIC */
};

/* A program has started: let go, if it is a debugger and that is wanted.  True when it is to wait, and must not be resumed
 * by anybody else. */
bool mw_debugger_on_exec(struct mw_tracer *tracer, struct mw_task *task, const struct mw_record_exec *exec);
void mw_debugger_look_after(struct mw_tracer *tracer);
void mw_debugger_on_end(struct mw_tracer *tracer, struct mw_task *task);
/* Is this thread's process to be let go of at its next stop? */
bool mw_debugger_wants(const struct mw_tracer *tracer, pid_t tgid);
/* May a process that nobody traces be attached to, as far as debuggers are concerned? */
bool mw_debugger_leaves(const struct mw_tracer *tracer, pid_t pid, pid_t ppid);

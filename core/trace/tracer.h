/* The tracer: the one process that traces.  It follows the application's whole tree by ptrace(2), writes what happens
 * into the ring, and does nothing else: no Lua, no SQL, no network, and it never waits for the sensor but at the very end
 * (see board.h, flush_wanted) and, when rules may enforce, for their verdict (bounded, see verdict.h).
 *
 * PTRACE_SEIZE without PTRACE_O_EXITKILL and without a seccomp filter: should this process die, all that it traced runs
 * on; system calls of the application cost what they cost without it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/board.h"
#include "trace/facts.h"

struct mw_tracer_options {
	struct mw_board *board;
	pid_t root;                  /* the application's first process */
	int64_t shutdown_flush_ms;   /* hold of the root at its end */
	int64_t enforce_deadline_ms; /* most time an exec waits for a verdict; 0: none is asked for */
	enum mw_environment environment;
	bool is_restart;       /* another tracer was there before, and died */
	bool takes_older;      /* attach to the container's processes that are older than the root */
	bool yields_debuggers; /* let go of what a debugger is to trace */
	/* Of the other engines; see engine.h. */
	const enum mw_engine *engines; /* those to try, ended by MW_ENGINE_NONE */
	const char *refused;           /* why a better one has been left out already, or "" */
	int64_t poll_interval_ms;
	uint64_t kinds; /* bit n: the filter asks about calls that events of mw_event_kind n tell of */
	int listener;   /* seccomp listener of the application's filter, or -1; see launch/filter.h */
};

/* The body of mw_engine_ptrace (engine.h): attach to the root, say so on the board, follow it and all its descendants until
 * the last has ended.  Returns 0, or a negative errno when the root could not be attached to. */
int mw_tracer_run(const struct mw_tracer_options *options);

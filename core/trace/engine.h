/* Ways to see processes, behind one interface.  All write the same records into the board's ring, from a process of their
 * own under the guard:
 *
 *   ptrace   exact, no cost between events                                                          trace/tracer.h
 *   notify   seccomp user notification: execve, sockets, writing; no stop for signals and threads   trace/notify.c
 *   poll     looks at /proc now and then; needs no privilege                                        trace/poll.c
 *
 * What an engine owes: the heartbeat (board->tracer_stops, tracer_waits), mw_engine_ready() once the application may start,
 * and to return when there is nothing more to see.  One that cannot work here returns a negative errno before it has
 * called mw_engine_ready() and has changed nothing; the next is tried then. */
#pragma once

#include "event/board.h"
#include "trace/tracer.h"

struct mw_engine_driver {
	enum mw_engine id;
	int (*run)(const struct mw_tracer_options *options);
	/* Why it was not to be had, for people: a sentence without its full stop; `error` is what run() returned. */
	const char *(*refusal)(int error);
};

extern const struct mw_engine_driver mw_engine_ptrace, mw_engine_notify, mw_engine_poll;

/* What --engine=NAME tries, best first, ended by MW_ENGINE_NONE: auto is ptrace, else poll.  NULL for a name that is none. */
const enum mw_engine *mw_engine_order(const char *name);

/* For engines: from now on what the application does is seen.  Lets the entrypoint go on. */
void mw_engine_ready(struct mw_board *board, enum mw_engine engine);

/* Run the first engine of options->engines that works, to its end; the body of the tracer process.  Sets board->engine and
 * engine_why.  Returns 0, or the last negative errno when none works: board->attach is MW_ATTACH_REFUSED then. */
int mw_engine_run(const struct mw_tracer_options *options);

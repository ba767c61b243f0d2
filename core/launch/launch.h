/* How the application and the processes beside it come to be (design, section 3):
 *
 *   entrypoint   this process; becomes the application by execve(2), so that it keeps its pid, parent and all else
 *     guard      cloned without an exit signal, so that the application's wait(2) never sees it
 *       tracer   traces the entrypoint and its descendants
 *       sensor   reads the ring; Lua, SQL, outputs
 *
 * The guard restarts what dies, and ends a tracer that hangs (a hung tracer freezes the application, a dead one frees
 * it). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "event/board.h"

struct mw_err;
struct mw_secret;

struct mw_launch {
	struct mw_board *board;
	bool is_traced; /* start a tracer at all */
	/* The sensor writes there; otherwise none of ours holds them open. */
	bool keeps_stdout;
	bool keeps_stderr;
	const enum mw_engine *engines; /* to be tried, see trace/engine.h */
	int64_t poll_interval_ms;
	int64_t attach_timeout_ms;
	/* For the tracer; see tracer.h. */
	int64_t shutdown_flush_ms;
	int64_t enforce_deadline_ms;
	int environment;
	bool takes_older;
	bool yields_debuggers;
	/* What the tracer is not to keep; may be NULL. */
	struct mw_secret *secret;
	/* What the sensor process does; its return value is its exit status. */
	int (*sensor)(struct mw_board *board, void *data);
	void *data;

	/* Set by mw_launch_guard(): of the notify engine, over which sockets the guard gets its listener, and what is told; why
	 * the first of the engines asked for was left out, or "". */
	int listener_sockets[2];
	uint64_t notify_kinds;
	char refused[MW_BOARD_TEXT_BYTES / 2];
};

/* Start the guard, and wait, bounded, until the tracer is attached to this process.
 * 0 when it is (or was not asked for), with a note in err where there is something to be known; otherwise the application
 * is to start all the same, and err says in a line what is missing: -EPERM… when tracing is refused, -ETIMEDOUT, or the
 * errno of clone(2) when there is no guard at all. */
int mw_launch_guard(const struct mw_launch *asked, struct mw_err *err);

/* Is this process traced by a moonwatch already, so that the command needs no other?  The tracer's id, or 0. */
pid_t mw_launch_watched_by(void);

/* Instead of becoming an application: wait for SIGTERM or SIGINT, giving up the capability to trace as well.  The exit status
 * to end with. */
int mw_launch_wait(void);

/* Become the application: give up the capability to trace, which was given to this container for us and not for it,
 * and execute.  Returns only on failure, -errno of execvp(3). */
int mw_launch_application(char *const argv[]);

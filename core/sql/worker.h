/* Queries beside the event loop: one thread of low priority with its own connection, and a queue in front of it.  The loop asks, and
 * is told by a descriptor that something is done; the two share nothing else.
 *
 * A query that never ends is ended by its limits.  What cannot be ended, since it hangs in the kernel (a file system that does not
 * answer), keeps the thread, and the asker finds out by mw_sql_worker_is_stuck(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sql/answer.h"

struct mw_flags;
struct mw_sql_job;
struct mw_sql_worker;

enum {
	/* Queries that wait; more are refused. */
	MW_SQL_WORKER_QUEUE = 64,
};

struct mw_sql_worker_options {
	/* As in struct mw_sql_options; copied. */
	const char *state_dir, *proc, *root;
	const struct mw_flags
		*flags; /* borrowed for good, and copied with each query; NULL: as the environment sets them */
};

struct mw_sql_view {
	const char *name, *text;
};

int mw_sql_worker_new(const struct mw_sql_worker_options *options, struct mw_sql_worker **ret_worker);
/* Stops the query that runs, and waits for that, a second at most.  Jobs must have been let go of. */
void mw_sql_worker_free(struct mw_sql_worker *worker);

/* End the query that runs now, with -EINTR. */
void mw_sql_worker_interrupt(struct mw_sql_worker *worker);

/* Readable when a job is done since it was read last. */
int mw_sql_worker_fd(const struct mw_sql_worker *worker);

/* Ask; the text is copied.  NULL with err: -EBUSY when too many wait or the thread is stuck, -ENOMEM, -EAGAIN without a thread. */
struct mw_sql_job *mw_sql_worker_ask(struct mw_sql_worker *worker, const struct mw_ask *ask, struct mw_err *err);
/* Of the queries asked from now on: these views, and no others.  The answer's warnings name those that are refused. */
struct mw_sql_job *mw_sql_worker_set_views(struct mw_sql_worker *worker, const struct mw_sql_view *views, size_t count,
					   struct mw_err *err);
/* The answer once there is one, borrowed until the job is let go of; else NULL. */
const struct mw_answer *mw_sql_job_answer(const struct mw_sql_job *job);
/* Has the job been at work for longer than its time and `grace_ms`? */
bool mw_sql_job_is_stuck(struct mw_sql_worker *worker, const struct mw_sql_job *job, int64_t grace_ms);
/* NULL is allowed. */
void mw_sql_job_let_go(struct mw_sql_worker *worker, struct mw_sql_job *job);

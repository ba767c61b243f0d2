#include "sql/process_table.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "proc/procfs.h"
#include "sql/crew.h"
#include "sql/rows.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PIDS = 1 << 22, /* PID_MAX_LIMIT of the kernel */
	/* With fewer processes a thread would begin when all is done. */
	WORTH_THREADS = 64,
	/* Batches that are made without. */
	FIRST = 1,
};

struct state {
	const struct mw_sql_scan *scan;
	mw_process_rows *add;
	size_t batch;
	pid_t *pids;
	size_t count, capacity;
	bool are_asked_for; /* by their numbers, which may be those of threads */
	bool is_without_folder;
	struct mw_crew *crew;
	size_t given;
	/* Told of by all threads. */
	atomic_ulong read;
	atomic_bool was_refused;
};

static int add_pid(struct state *state, pid_t pid)
{
	if (state->count == state->capacity) {
		size_t capacity = state->capacity ? state->capacity * 2 : 64;
		pid_t *pids = capacity > PIDS ? NULL : reallocarray(state->pids, capacity, sizeof(*pids));
		if (!pids)
			return capacity > PIDS ? -ENOBUFS : -ENOMEM;
		state->pids = pids;
		state->capacity = capacity;
	}
	state->pids[state->count++] = pid;
	return 0;
}

static int by_number(const void *a, const void *b)
{
	pid_t left = *(const pid_t *)a;
	pid_t right = *(const pid_t *)b;
	return left < right ? -1 : left > right;
}

int mw_process_numbers(const struct mw_sql_constraint *values, size_t count, pid_t **ret_pids, size_t *ret_count)
{
	pid_t *pids = calloc(count ? count : 1, sizeof(*pids));
	size_t n = 0;
	if (!pids)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (values[i].is_integer && values[i].integer > 0 && values[i].integer <= INT32_MAX)
			pids[n++] = (pid_t)values[i].integer;
	if (n)
		qsort(pids, n, sizeof(*pids), by_number);
	size_t kept = 0;
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || pids[i] != pids[kept - 1])
			pids[kept++] = pids[i];
	*ret_pids = pids;
	*ret_count = kept;
	return 0;
}

static int add_all(struct state *state, int procfd)
{
	struct mw_procfs_walk *walk;
	int r = mw_procfs_walk_open(procfd, &walk);
	if (r < 0)
		return r;
	pid_t pid;
	while ((r = mw_procfs_next(walk, &pid)) > 0)
		if ((r = add_pid(state, pid)) < 0)
			break;
	mw_procfs_walk_close(walk);
	return r;
}

static int look_at(struct state *state, pid_t pid, struct mw_rows *rows)
{
	MW_AUTO_FD pidfd = -1;
	int r = 0;
	if (state->are_asked_for || !state->is_without_folder)
		r = mw_procfs_open_pid(state->scan->world->procfd, pid, &pidfd);
	if (r < 0)
		return r;
	/* A thread has a folder too, under its own id, that the list does not show. */
	if (state->are_asked_for) {
		struct mw_proc_status status;
		r = mw_procfs_status(pidfd, &status);
		if (r < 0 || status.tgid != pid)
			return r < 0 ? r : -ESRCH;
	}
	(void)atomic_fetch_add_explicit(&state->read, 1, memory_order_relaxed);
	return state->add(state->scan, pid, pidfd, rows);
}

/* The first process of a batch.  Who wants the first rows only gets those: the first batches are of one process each. */
static size_t first_of(const struct state *state, size_t batch)
{
	return batch < state->batch ? batch : state->batch + (batch - state->batch) * state->batch;
}

static size_t batches_of(const struct state *state)
{
	size_t rest = state->count > state->batch ? state->count - state->batch : 0;
	return state->count - rest + (rest + state->batch - 1) / state->batch;
}

/* mw_crew_make */
static int look_at_some(void *data, size_t batch, struct mw_rows *rows)
{
	struct state *state = data;
	size_t end = first_of(state, batch + 1);
	for (size_t i = first_of(state, batch); i < end && i < state->count; i++) {
		int r = look_at(state, state->pids[i], rows);
		if (r == -EACCES || r == -EPERM)
			atomic_store_explicit(&state->was_refused, true, memory_order_relaxed);
		else if (r < 0 && r != -ESRCH && r != -EPROTO && r != -ENOENT)
			return r;
	}
	return 0;
}

int mw_process_table_open(const struct mw_sql_scan *scan, const struct mw_process_table *table, void **ret_state,
			  struct mw_err *err)
{
	struct state *state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->scan = scan;
	state->add = table->add;
	state->is_without_folder = table->is_without_folder;
	state->batch = table->batch ? table->batch : 1;
	size_t count = 0;
	const struct mw_sql_constraint *pids = mw_sql_one_of(scan, table->pid, &count);
	state->are_asked_for = pids != NULL;
	int r = pids ? mw_process_numbers(pids, count, &state->pids, &state->count)
		     : add_all(state, scan->world->procfd);
	if (r < 0) {
		mw_process_table_close(state);
		return pids ? r : mw_err_set(err, r, "/proc cannot be read: %s", strerror(-r));
	}
	*ret_state = state;
	return 0;
}

int mw_process_table_next(void *data, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct state *state = data;
	int r = 1;
	(void)err;
	if (!state->crew)
		r = mw_crew_new(batches_of(state), rows, look_at_some, state, &state->crew);
	if (r < 0)
		return r;
	do {
		/* Nor are there threads for them. */
		if (state->given == FIRST && state->count >= WORTH_THREADS)
			mw_crew_grow(state->crew, scan->world->helpers);
		r = mw_crew_next(state->crew, rows);
		state->given++;
	} while (r > 0 && rows->count == 0);
	scan->world->processes_read += atomic_exchange_explicit(&state->read, 0, memory_order_relaxed);
	if (atomic_load_explicit(&state->was_refused, memory_order_relaxed))
		mw_sql_warn(scan->world, "%s: some processes of other users cannot be looked into", scan->table->name);
	return r < 0 ? r : 0;
}

void mw_process_table_close(void *data)
{
	struct state *state = data;
	mw_crew_free(state->crew);
	free(state->pids);
	free(state);
}

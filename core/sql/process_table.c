#include "sql/process_table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "proc/procfs.h"
#include "sql/rows.h"
#include "sql/table.h"
#include "sql/world.h"

struct state {
	mw_process_rows *add;
	struct mw_procfs_walk *walk; /* NULL when one process alone is asked for */
	pid_t pid;                   /* that one; 0 when done */
};

int mw_process_table_open(const struct mw_sql_scan *scan, unsigned pid_column, mw_process_rows *add, void **ret_state,
			  struct mw_err *err)
{
	struct state *state = calloc(1, sizeof(*state));
	if (!state)
		return -ENOMEM;
	state->add = add;
	const struct mw_sql_constraint *pid = mw_sql_equal(scan, pid_column);
	if (pid) {
		if (pid->is_integer && pid->integer > 0 && pid->integer <= INT32_MAX)
			state->pid = (pid_t)pid->integer;
	} else {
		int r = mw_procfs_walk_open(scan->world->procfd, &state->walk);
		if (r < 0) {
			free(state);
			return mw_err_set(err, r, "/proc cannot be read: %s", strerror(-r));
		}
	}
	*ret_state = state;
	return 0;
}

static int add_process(const struct state *state, pid_t pid, const struct mw_sql_scan *scan, struct mw_rows *rows)
{
	MW_AUTO_FD pidfd = -1;
	int r = mw_procfs_open_pid(scan->world->procfd, pid, &pidfd);
	if (r < 0)
		return r;
	/* A thread has a folder too, under its own id, that the list does not show. */
	if (!state->walk) {
		struct mw_proc_status status;
		r = mw_procfs_status(pidfd, &status);
		if (r < 0 || status.tgid != pid)
			return r < 0 ? r : -ESRCH;
	}
	scan->world->processes_read++;
	return state->add(scan, pid, pidfd, rows);
}

/* Whether the query goes on. */
static bool is_harmless(int r, const struct mw_sql_scan *scan)
{
	if (r == -EACCES || r == -EPERM)
		mw_sql_warn(scan->world, "%s: some processes of other users cannot be looked into", scan->table->name);
	return r == -EACCES || r == -EPERM || r == -ESRCH || r == -EPROTO || r == -ENOENT;
}

int mw_process_table_next(void *data, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct state *state = data;
	(void)err;
	do {
		pid_t pid = state->pid;
		state->pid = 0;
		int r = state->walk ? mw_procfs_next(state->walk, &pid) : pid > 0;
		if (r <= 0)
			return r;
		r = add_process(state, pid, scan, rows);
		if (r < 0 && !is_harmless(r, scan))
			return r;
	} while (rows->count == 0);
	return 0;
}

void mw_process_table_close(void *data)
{
	struct state *state = data;
	mw_procfs_walk_close(state->walk);
	free(state);
}

/* Tables with rows of processes: which processes a scan is about, some at a time, looked at by several threads where that helps.
 *
 * A process that ends while it is looked at gives no rows; one we may not look into is told in one warning. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct mw_err;
struct mw_rows;
struct mw_sql_scan;

/* Add the rows of a process, none or many; `pidfd` is an open /proc/PID, or -1 where the table wants none.  0, or a negative
 * errno, of which -ESRCH (it has gone) and -EACCES (we may not look) do not end the query.  Rows it added before stay.  Any thread
 * may call it: of the world it may only read, and warn. */
typedef int mw_process_rows(const struct mw_sql_scan *scan, pid_t pid, int pidfd, struct mw_rows *rows);

/* The process ids among the values that a query names, each once, whatever it was written as (1, '1'), in order. */
struct mw_sql_constraint;
int mw_process_numbers(const struct mw_sql_constraint *values, size_t count, pid_t **ret_pids, size_t *ret_count);

struct mw_process_table {
	unsigned pid; /* column: with `= N` or `IN (…)` for it, those processes alone are looked at */
	mw_process_rows *add;
	/* Processes whose rows are made at once, 0 for one: where each has few. */
	unsigned batch;
	/* Of processes that are not asked for by number, no folder is opened. */
	bool is_without_folder;
};

/* For `open`, `next` and `close` of a table. */
int mw_process_table_open(const struct mw_sql_scan *scan, const struct mw_process_table *table, void **ret_state,
			  struct mw_err *err);
int mw_process_table_next(void *data, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err);
void mw_process_table_close(void *data);

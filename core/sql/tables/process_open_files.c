/* Files that processes hold open: PID/fd of proc(5). */

#include "sql/process_fds.h"
#include "sql/process_table.h"
#include "sql/table.h"

enum {
	PID,
	FD,
	PATH,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_BIGINT, MW_SQL_INDEX | MW_SQL_SET, "Process id"},
	[FD] = {"fd", MW_SQL_BIGINT, 0, "Descriptor"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of the file; \" (deleted)\" follows when it has no name any more"},
	{0},
};

struct target {
	struct mw_rows *rows;
	pid_t pid;
};

static int add_file(void *data, int fd, const char *target)
{
	const struct target *to = data;
	if (*target != '/')
		return 0;
	int r = mw_rows_add(to->rows);
	if (r < 0)
		return r;
	mw_rows_int(to->rows, PID, to->pid);
	mw_rows_int(to->rows, FD, fd);
	mw_rows_string(to->rows, PATH, target);
	return 0;
}

static int add_files(const struct mw_sql_scan *scan, pid_t pid, int pidfd, struct mw_rows *rows)
{
	struct target to = {rows, pid};
	(void)scan;
	return mw_process_each_fd(pidfd, add_file, &to);
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	static const struct mw_process_table table = {.pid = PID, .add = add_files};
	return mw_process_table_open(scan, &table, ret_state, err);
}

const struct mw_sql_table mw_table_process_open_files = {
	.name = "process_open_files",
	.doc = "Files that processes hold open.",
	.source = "/proc/PID/fd",
	.example =
		"SELECT p.name, f.path FROM process_open_files f JOIN processes p USING (pid) WHERE f.path LIKE '%(deleted)'",
	.columns = columns,
	.rows_per_key = 10,
	.open = open_scan,
	.next = mw_process_table_next,
	.close = mw_process_table_close,
};

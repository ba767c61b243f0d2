/* Namespaces that processes are in: PID/ns of proc(5), namespaces(7). */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proc/procfs.h"
#include "sql/process_table.h"
#include "sql/table.h"

enum {
	PID,
	CGROUP,
	IPC,
	MNT,
	NET,
	PID_NAMESPACE,
	USER,
	UTS,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_INTEGER, MW_SQL_INDEX | MW_SQL_SET, "Process id"},
	[CGROUP] = {"cgroup_namespace", MW_SQL_TEXT, 0, "Inode of its namespace of control groups"},
	[IPC] = {"ipc_namespace", MW_SQL_TEXT, 0, "Of System V IPC and message queues"},
	[MNT] = {"mnt_namespace", MW_SQL_TEXT, 0, "Of mounts"},
	[NET] = {"net_namespace", MW_SQL_TEXT, 0, "Of the network"},
	[PID_NAMESPACE] = {"pid_namespace", MW_SQL_TEXT, 0, "Of process ids"},
	[USER] = {"user_namespace", MW_SQL_TEXT, 0, "Of users"},
	[UTS] = {"uts_namespace", MW_SQL_TEXT, 0, "Of the host's name"},
	{0},
};

static const char *const links[] = {
	[CGROUP] = "ns/cgroup",     [IPC] = "ns/ipc",   [MNT] = "ns/mnt", [NET] = "ns/net",
	[PID_NAMESPACE] = "ns/pid", [USER] = "ns/user", [UTS] = "ns/uts",
};

static int add_namespaces(const struct mw_sql_scan *scan, pid_t pid, int pidfd, struct mw_rows *rows)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, PID, pid);
	for (unsigned i = CGROUP; r == 0 && i <= UTS; i++) {
		char target[MW_PATH_BYTES];
		if (!mw_sql_wants(scan, i))
			continue;
		r = mw_procfs_link(pidfd, links[i], target);
		const char *inode = r == 0 ? strchr(target, '[') : NULL;
		if (inode)
			mw_rows_text(rows, i, inode + 1, strcspn(inode + 1, "]"));
		if (r == -ENOENT)
			r = 0; /* a kernel without namespaces of that kind */
	}
	if (r < 0)
		mw_rows_undo(rows);
	return r;
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	static const struct mw_process_table table = {.pid = PID, .add = add_namespaces};
	return mw_process_table_open(scan, &table, ret_state, err);
}

const struct mw_sql_table mw_table_process_namespaces = {
	.name = "process_namespaces",
	.doc = "Namespaces each process is in.",
	.source = "/proc/PID/ns",
	.example = "SELECT mnt_namespace, count(*) FROM process_namespaces GROUP BY mnt_namespace",
	.columns = columns,
	.open = open_scan,
	.next = mw_process_table_next,
	.close = mw_process_table_close,
};

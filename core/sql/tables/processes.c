/* Every process of our PID namespace, proc(5).  Of a process only the files are opened that hold a column the query uses,
 * and with `pid = …` only that process is looked at. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "crypto/redact.h"
#include "proc/pidfd.h"
#include "proc/procfs.h"
#include "sql/process_table.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PID,
	NAME,
	PATH,
	CMDLINE,
	STATE,
	CWD,
	ROOT,
	UID,
	GID,
	EUID,
	EGID,
	SUID,
	SGID,
	ON_DISK,
	WIRED_SIZE,
	RESIDENT_SIZE,
	TOTAL_SIZE,
	USER_TIME,
	SYSTEM_TIME,
	DISK_BYTES_READ,
	DISK_BYTES_WRITTEN,
	START_TIME,
	PARENT,
	PGROUP,
	THREADS,
	NICE,
	ELEVATED_TOKEN,
	SECURE_PROCESS,
	PROTECTION_TYPE,
	VIRTUAL_PROCESS,
	ELAPSED_TIME,
	HANDLE_COUNT,
	PERCENT_PROCESSOR_TIME,
	UPID,
	UPPID,
	CPU_TYPE,
	CPU_SUBTYPE,
	TRANSLATED,
	CGROUP_PATH,
};

enum {
	/* Of a command line; the kernel allows megabytes. */
	CMDLINE_BYTES = 64 << 10,
	SMALL_BYTES = 4096,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_BIGINT, MW_SQL_INDEX | MW_SQL_SET, "Process id"},
	[NAME] = {"name", MW_SQL_TEXT, 0, "Command name (comm), at most 15 bytes"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of the executable"},
	[CMDLINE] = {"cmdline", MW_SQL_TEXT, 0, "Arguments, with blanks between; at most 64 KiB; secrets blotted out"},
	[STATE] = {"state", MW_SQL_TEXT, 0, "One letter: R running, S sleeping, D waiting for a disk, Z ended, …"},
	[CWD] = {"cwd", MW_SQL_TEXT, 0, "Working directory"},
	[ROOT] = {"root", MW_SQL_TEXT, 0, "Root directory, chroot(2)"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Real user id"},
	[GID] = {"gid", MW_SQL_BIGINT, 0, "Real group id"},
	[EUID] = {"euid", MW_SQL_BIGINT, 0, "Effective user id"},
	[EGID] = {"egid", MW_SQL_BIGINT, 0, "Effective group id"},
	[SUID] = {"suid", MW_SQL_BIGINT, 0, "Saved user id"},
	[SGID] = {"sgid", MW_SQL_BIGINT, 0, "Saved group id"},
	[ON_DISK] = {"on_disk", MW_SQL_INTEGER, 0,
		     "1 when the executable is still there, 0 when it was deleted, -1 unknown"},
	[WIRED_SIZE] = {"wired_size", MW_SQL_BIGINT, 0, "Always 0"},
	[RESIDENT_SIZE] = {"resident_size", MW_SQL_BIGINT, 0, "Bytes of memory in use"},
	[TOTAL_SIZE] = {"total_size", MW_SQL_BIGINT, 0, "Bytes of address space"},
	[USER_TIME] = {"user_time", MW_SQL_BIGINT, 0, "Milliseconds of CPU time in the program"},
	[SYSTEM_TIME] = {"system_time", MW_SQL_BIGINT, 0, "Milliseconds of CPU time in the kernel"},
	[DISK_BYTES_READ] = {"disk_bytes_read", MW_SQL_BIGINT, 0, "Bytes read from storage; NULL when we may not know"},
	[DISK_BYTES_WRITTEN] = {"disk_bytes_written", MW_SQL_BIGINT, 0, "Bytes written to storage, likewise"},
	[START_TIME] = {"start_time", MW_SQL_BIGINT, 0, "When it was born, in seconds since 1970"},
	[PARENT] = {"parent", MW_SQL_BIGINT, 0, "Process id of the parent"},
	[PGROUP] = {"pgroup", MW_SQL_BIGINT, 0, "Process group"},
	[THREADS] = {"threads", MW_SQL_INTEGER, 0, "Number of threads"},
	[NICE] = {"nice", MW_SQL_INTEGER, 0, "Nice level, -20 to 19"},
	[ELEVATED_TOKEN] = {"elevated_token", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[SECURE_PROCESS] = {"secure_process", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[PROTECTION_TYPE] = {"protection_type", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[VIRTUAL_PROCESS] = {"virtual_process", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[ELAPSED_TIME] = {"elapsed_time", MW_SQL_BIGINT, MW_SQL_FOREIGN, "Windows only"},
	[HANDLE_COUNT] = {"handle_count", MW_SQL_BIGINT, MW_SQL_FOREIGN, "Windows only"},
	[PERCENT_PROCESSOR_TIME] = {"percent_processor_time", MW_SQL_BIGINT, MW_SQL_FOREIGN, "Windows only"},
	[UPID] = {"upid", MW_SQL_BIGINT, MW_SQL_FOREIGN, "macOS only"},
	[UPPID] = {"uppid", MW_SQL_BIGINT, MW_SQL_FOREIGN, "macOS only"},
	[CPU_TYPE] = {"cpu_type", MW_SQL_INTEGER, MW_SQL_FOREIGN, "macOS only"},
	[CPU_SUBTYPE] = {"cpu_subtype", MW_SQL_INTEGER, MW_SQL_FOREIGN, "macOS only"},
	[TRANSLATED] = {"translated", MW_SQL_INTEGER, MW_SQL_FOREIGN, "macOS only"},
	[CGROUP_PATH] = {"cgroup_path", MW_SQL_TEXT, 0, "Control group"},
	{0},
};

static bool wants_any(const struct mw_sql_scan *scan, unsigned first, unsigned last)
{
	uint64_t mask = (UINT64_MAX >> (63 - (last - first))) << first;
	return (scan->wanted & mask) != 0;
}

static int64_t milliseconds(uint64_t ticks)
{
	return mw_procfs_ticks_ns(ticks) / MW_NS_PER_MS;
}

/* Where files of a process are: in its folder, which is open, or below /proc under its number. */
struct place {
	int dirfd;
	pid_t pid; /* 0 in its folder */
};

static const char *file_of(const struct place *place, const char *file, char name[MW_PROC_NAME_BYTES])
{
	if (!place->pid)
		return file;
	mw_procfs_name(place->pid, file, name);
	return name;
}

static int add_stat(const struct place *place, struct mw_rows *rows)
{
	char name[MW_PROC_NAME_BYTES];
	struct mw_proc_stat stat;
	int r = mw_procfs_stat_named(place->dirfd, file_of(place, "stat", name), &stat);
	if (r < 0)
		return r;
	mw_rows_string(rows, NAME, stat.comm);
	mw_rows_text(rows, STATE, &stat.state, 1);
	mw_rows_int(rows, WIRED_SIZE, 0);
	mw_rows_int(rows, RESIDENT_SIZE, stat.rss_pages * sysconf(_SC_PAGESIZE));
	mw_rows_int(rows, TOTAL_SIZE, (int64_t)stat.vsize_bytes);
	mw_rows_int(rows, USER_TIME, milliseconds(stat.utime_ticks));
	mw_rows_int(rows, SYSTEM_TIME, milliseconds(stat.stime_ticks));
	mw_rows_int(rows, START_TIME, (mw_procfs_boot_real_ns() + mw_procfs_ticks_ns(stat.start_ticks)) / MW_NS_PER_S);
	mw_rows_int(rows, PARENT, stat.ppid);
	mw_rows_int(rows, PGROUP, stat.pgrp);
	mw_rows_int(rows, THREADS, stat.num_threads);
	mw_rows_int(rows, NICE, stat.nice);
	return 0;
}

/* Making the text of PID/status costs the kernel more than any other of these files. */
static int add_ids_of_pidfd(int fd, struct mw_rows *rows)
{
	struct mw_pidfd_ids ids;
	int r = mw_pidfd_ids(fd, &ids);
	if (r < 0)
		return r;
	mw_rows_int(rows, UID, ids.uid);
	mw_rows_int(rows, GID, ids.gid);
	mw_rows_int(rows, EUID, ids.euid);
	mw_rows_int(rows, EGID, ids.egid);
	mw_rows_int(rows, SUID, ids.suid);
	mw_rows_int(rows, SGID, ids.sgid);
	return 0;
}

static int add_ids(int pidfd, struct mw_rows *rows)
{
	struct mw_proc_status status;
	int r = mw_procfs_status(pidfd, &status);
	if (r < 0)
		return r;
	mw_rows_int(rows, UID, status.uid);
	mw_rows_int(rows, GID, status.gid);
	mw_rows_int(rows, EUID, status.euid);
	mw_rows_int(rows, EGID, status.egid);
	mw_rows_int(rows, SUID, status.suid);
	mw_rows_int(rows, SGID, status.sgid);
	return 0;
}

/* Most are short: those take neither memory nor a second read. */
static int read_argv(const struct place *place, char small[SMALL_BYTES], struct mw_buf *large, const char **ret,
		     size_t *ret_bytes)
{
	char name[MW_PROC_NAME_BYTES];
	const char *file = file_of(place, "cmdline", name);
	ssize_t n = mw_procfs_read_small(place->dirfd, file, small, SMALL_BYTES);
	if (n < 0)
		return (int)n;
	*ret = small;
	*ret_bytes = (size_t)n;
	if (n < SMALL_BYTES)
		return 0;
	int r = mw_procfs_read(place->dirfd, file, large);
	*ret = large->data ? large->data : small;
	*ret_bytes = large->data ? large->size : (size_t)n;
	return r == -EFBIG ? 0 : r;
}

static int add_cmdline(const struct place *place, struct mw_rows *rows)
{
	char small[SMALL_BYTES];
	MW_AUTO(mw_buf) large = MW_BUF(CMDLINE_BYTES);
	MW_AUTO(mw_buf) cmdline = MW_BUF((size_t)CMDLINE_BYTES * 16); /* what stands for a secret may be longer */
	const char *argv = NULL;
	size_t bytes = 0;
	int r = read_argv(place, small, &large, &argv, &bytes);
	if (r < 0)
		return r;
	const char *previous = NULL;
	for (size_t at = 0; at < bytes;) {
		size_t n = strnlen(argv + at, bytes - at);
		mw_redact_argument(previous, argv + at, n, &cmdline);
		if (at + n < bytes)
			mw_buf_char(&cmdline, '\0');
		previous = argv + at;
		at += n + 1;
	}
	while (cmdline.size && cmdline.data[cmdline.size - 1] == '\0')
		cmdline.size--;
	for (size_t i = 0; i < cmdline.size; i++)
		if (cmdline.data[i] == '\0')
			cmdline.data[i] = ' ';
	mw_rows_text(rows, CMDLINE, cmdline.data ? cmdline.data : "", cmdline.size);
	return 0;
}

/* A kernel thread has no executable, and of other users' processes we may not know it. */
static void add_executable(const struct place *place, struct mw_rows *rows)
{
	static const char deleted[] = " (deleted)"; /* d_path() of the kernel */
	char name[MW_PROC_NAME_BYTES];
	char path[MW_PATH_BYTES];
	bool is_known = mw_procfs_link(place->dirfd, file_of(place, "exe", name), path) == 0;
	size_t length = is_known ? strlen(path) : 0;
	size_t tail = sizeof(deleted) - 1;
	bool is_deleted = length > tail && strcmp(path + length - tail, deleted) == 0;
	mw_rows_text(rows, PATH, path, is_deleted ? length - tail : length);
	mw_rows_int(rows, ON_DISK, !is_known ? -1 : !is_deleted);
}

static void add_link(const struct place *place, struct mw_rows *rows, unsigned column, const char *link)
{
	char name[MW_PROC_NAME_BYTES];
	char path[MW_PATH_BYTES];
	bool is_known = mw_procfs_link(place->dirfd, file_of(place, link, name), path) == 0;
	mw_rows_string(rows, column, is_known ? path : "");
}

static void add_io(const struct place *place, struct mw_rows *rows)
{
	char name[MW_PROC_NAME_BYTES];
	struct mw_proc_io io;
	if (mw_procfs_io(place->dirfd, file_of(place, "io", name), &io) < 0)
		return;
	mw_rows_int(rows, DISK_BYTES_READ, (int64_t)io.read_bytes);
	mw_rows_int(rows, DISK_BYTES_WRITTEN, (int64_t)io.write_bytes);
}

static void add_cgroup(const struct place *place, struct mw_rows *rows)
{
	char name[MW_PROC_NAME_BYTES];
	char path[MW_PATH_BYTES];
	if (mw_procfs_cgroup(place->dirfd, file_of(place, "cgroup", name), path) == 0)
		mw_rows_string(rows, CGROUP_PATH, path);
}

static bool wants_stat(const struct mw_sql_scan *scan)
{
	return mw_sql_wants(scan, NAME) || mw_sql_wants(scan, STATE) || wants_any(scan, WIRED_SIZE, SYSTEM_TIME) ||
	       wants_any(scan, START_TIME, NICE);
}

/* All but the ids.  -ESRCH when it ended in between. */
static int add_columns(const struct mw_sql_scan *scan, const struct place *place, struct mw_rows *rows)
{
	int r = 0;
	if (wants_stat(scan))
		r = add_stat(place, rows);
	if (r == 0 && mw_sql_wants(scan, CMDLINE))
		r = add_cmdline(place, rows);
	if (r < 0)
		return r;
	if (mw_sql_wants(scan, PATH) || mw_sql_wants(scan, ON_DISK))
		add_executable(place, rows);
	if (mw_sql_wants(scan, CWD))
		add_link(place, rows, CWD, "cwd");
	if (mw_sql_wants(scan, ROOT))
		add_link(place, rows, ROOT, "root");
	if (wants_any(scan, DISK_BYTES_READ, DISK_BYTES_WRITTEN))
		add_io(place, rows);
	if (mw_sql_wants(scan, CGROUP_PATH))
		add_cgroup(place, rows);
	return 0;
}

/* By its number: that the process is still there when all was read means that all was of one. */
static int add_by_number(const struct mw_sql_scan *scan, pid_t pid, struct mw_rows *rows)
{
	MW_AUTO_FD fd = -1;
	int r = mw_pidfd_open(pid, &fd);
	if (r == 0)
		r = add_columns(scan, &(struct place){.dirfd = scan->world->procfd, .pid = pid}, rows);
	return r < 0 ? r : add_ids_of_pidfd(fd, rows);
}

static int add_from_folder(const struct mw_sql_scan *scan, int pidfd, struct mw_rows *rows)
{
	int r = add_columns(scan, &(struct place){.dirfd = pidfd}, rows);
	return r == 0 && wants_any(scan, UID, SGID) ? add_ids(pidfd, rows) : r;
}

static int add_process(const struct mw_sql_scan *scan, pid_t pid, int pidfd, struct mw_rows *rows)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, PID, pid);
	r = pidfd < 0 ? add_by_number(scan, pid, rows) : add_from_folder(scan, pidfd, rows);
	if (r < 0)
		mw_rows_undo(rows);
	return r;
}

/* Can ids be had of a descriptor, and so without PID/status? */
static bool has_pidfd_ids(int procfd)
{
	MW_AUTO_FD fd = -1;
	struct mw_pidfd_ids own;
	return mw_pidfd_fits(procfd) && mw_pidfd_open(getpid(), &fd) == 0 && mw_pidfd_ids(fd, &own) == 0;
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	struct mw_process_table table = {
		.pid = PID,
		.add = add_process,
		.batch = 16,
		.is_without_folder = wants_any(scan, UID, SGID) && has_pidfd_ids(scan->world->procfd),
	};
	return mw_process_table_open(scan, &table, ret_state, err);
}

const struct mw_sql_table mw_table_processes = {
	.name = "processes",
	.doc = "Processes that run now, as this container sees them.",
	.source = "/proc/PID",
	.example = "SELECT pid, name, path, cmdline FROM processes WHERE on_disk = 0",
	.columns = columns,
	.open = open_scan,
	.next = mw_process_table_next,
	.close = mw_process_table_close,
};

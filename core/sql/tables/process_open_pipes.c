/* Pipes that processes hold open, and who is at the other end: PID/fd and PID/fdinfo of proc(5). */

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "proc/procfs.h"
#include "sql/process_fds.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PID,
	FD,
	MODE,
	INODE,
	TYPE,
	PARTNER_PID,
	PARTNER_FD,
	PARTNER_MODE,
};

enum {
	ENDS = 1 << 16,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_BIGINT, 0, "Process id"},
	[FD] = {"fd", MW_SQL_BIGINT, 0, "Descriptor"},
	[MODE] = {"mode", MW_SQL_TEXT, 0, "r, w or rw: what it is open for"},
	[INODE] = {"inode", MW_SQL_BIGINT, 0, "Inode of the pipe"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "anonymous or named"},
	[PARTNER_PID] = {"partner_pid", MW_SQL_BIGINT, 0, "Process id at another end"},
	[PARTNER_FD] = {"partner_fd", MW_SQL_BIGINT, 0, "Descriptor there"},
	[PARTNER_MODE] = {"partner_mode", MW_SQL_TEXT, 0, "What that is open for"},
	{0},
};

struct end {
	uint64_t inode;
	pid_t pid;
	int fd;
	int access; /* O_RDONLY, O_WRONLY, O_RDWR */
	bool is_named;
};

struct ends {
	struct end *end;
	size_t count, capacity;
	pid_t pid;
	int pidfd;
};

/* "flags:\t0100001\n", in octal. */
static int access_of(int pidfd, int fd)
{
	char name[32];
	char text[256];
	(void)snprintf(name, sizeof(name), "fdinfo/%d", fd);
	ssize_t n = mw_procfs_read_small(pidfd, name, text, sizeof(text) - 1);
	if (n < 0)
		return O_RDONLY;
	text[n] = '\0';
	const char *flags = strstr(text, "flags:");
	return flags ? (int)strtol(flags + strlen("flags:"), NULL, 8) & O_ACCMODE : O_RDONLY;
}

static uint64_t named_pipe(int pidfd, int fd)
{
	char name[32];
	struct stat status;
	(void)snprintf(name, sizeof(name), "fd/%d", fd);
	return fstatat(pidfd, name, &status, 0) == 0 && S_ISFIFO(status.st_mode) ? status.st_ino : 0;
}

static int note(void *data, int fd, const char *target)
{
	struct ends *ends = data;
	uint64_t inode = mw_fd_inode(target, "pipe");
	bool is_named = !inode && *target == '/';
	if (is_named)
		inode = named_pipe(ends->pidfd, fd);
	if (!inode)
		return 0;
	if (ends->count == ends->capacity) {
		size_t capacity = ends->capacity ? ends->capacity * 2 : 64;
		struct end *grown = capacity > ENDS ? NULL : reallocarray(ends->end, capacity, sizeof(*grown));
		if (!grown)
			return capacity > ENDS ? -ENOBUFS : -ENOMEM;
		ends->end = grown;
		ends->capacity = capacity;
	}
	ends->end[ends->count++] = (struct end){inode, ends->pid, fd, access_of(ends->pidfd, fd), is_named};
	return 0;
}

static int look_at(struct ends *ends, const struct mw_sql_scan *scan, pid_t pid)
{
	MW_AUTO_FD pidfd = -1;
	if (mw_procfs_open_pid(scan->world->procfd, pid, &pidfd) < 0)
		return 0;
	scan->world->processes_read++;
	ends->pid = pid;
	ends->pidfd = pidfd;
	int r = mw_process_each_fd(pidfd, note, ends);
	if (r == -EACCES || r == -EPERM)
		mw_sql_warn(scan->world, "%s: some processes of other users cannot be looked into", scan->table->name);
	return r == -ENOMEM || r == -ENOBUFS ? r : 0;
}

static int by_inode(const void *a, const void *b)
{
	const struct end *left = a;
	const struct end *right = b;
	return left->inode < right->inode ? -1 : left->inode > right->inode;
}

static const char *mode_name(int access)
{
	return access == O_RDONLY ? "r" : access == O_WRONLY ? "w" : "rw";
}

static int add_row(struct mw_rows *rows, const struct end *end, const struct end *partner)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, PID, end->pid);
	mw_rows_int(rows, FD, end->fd);
	mw_rows_string(rows, MODE, mode_name(end->access));
	mw_rows_int(rows, INODE, (int64_t)end->inode);
	mw_rows_string(rows, TYPE, end->is_named ? "named" : "anonymous");
	mw_rows_int(rows, PARTNER_PID, partner->pid);
	mw_rows_int(rows, PARTNER_FD, partner->fd);
	mw_rows_string(rows, PARTNER_MODE, mode_name(partner->access));
	return 0;
}

/* Each end with each that it can give to or take from. */
static int add_pairs(const struct ends *ends, struct mw_rows *rows)
{
	int r = 0;
	for (size_t from = 0, to; r == 0 && from < ends->count; from = to) {
		for (to = from; to < ends->count && ends->end[to].inode == ends->end[from].inode;)
			to++;
		for (size_t i = from; i < to && r == 0; i++)
			for (size_t k = from; k < to && r == 0; k++)
				if (i != k &&
				    (ends->end[i].access != ends->end[k].access || ends->end[i].access == O_RDWR))
					r = add_row(rows, &ends->end[i], &ends->end[k]);
	}
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct ends ends = {0};
	struct mw_procfs_walk *walk = NULL;
	int r = mw_procfs_walk_open(scan->world->procfd, &walk);
	if (r < 0)
		return mw_err_set(err, r, "/proc cannot be read: %s", strerror(-r));
	for (pid_t pid; (r = mw_procfs_next(walk, &pid)) > 0;)
		if ((r = look_at(&ends, scan, pid)) < 0)
			break;
	mw_procfs_walk_close(walk);
	if (r == 0 && ends.count) {
		qsort(ends.end, ends.count, sizeof(*ends.end), by_inode);
		r = add_pairs(&ends, rows);
	}
	free(ends.end);
	return r;
}

const struct mw_sql_table mw_table_process_open_pipes = {
	.name = "process_open_pipes",
	.doc = "Pipes that processes hold open, and who is at the other end.",
	.source = "/proc/PID/fd, /proc/PID/fdinfo",
	.example = "SELECT pid, fd, partner_pid, partner_fd FROM process_open_pipes WHERE mode = 'w'",
	.columns = columns,
	.fill = fill,
};

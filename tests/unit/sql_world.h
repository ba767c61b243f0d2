/* A /proc and a state folder for tests of tables, and what queries answer there. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/err.h"
#include "spool/spool.h"
#include "sql/db.h"

static char dir[256];
static char proc[512];

static inline void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

enum {
	FIRST_PID = 100,
	PROCESSES = 50,
};

/* A /proc of 50 processes, of which the last lacks its files: it ends while it is looked at. */
static inline int make_world(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(dir, sizeof(dir), "%.200s/sql-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(proc, sizeof(proc), "%s/proc", dir);
	if (mkdir(proc, 0700) < 0)
		return -1;
	for (unsigned i = 0; i < PROCESSES; i++) {
		char path[600];
		char text[512];
		unsigned pid = FIRST_PID + i;
		(void)snprintf(path, sizeof(path), "%s/%u", proc, pid);
		if (mkdir(path, 0700) < 0)
			return -1;
		if (i == PROCESSES - 1)
			break;
		(void)snprintf(path, sizeof(path), "%s/%u/stat", proc, pid);
		(void)snprintf(text, sizeof(text),
			       "%u (p%u) S 1 2 3 0 -1 0 0 0 0 0 100 50 0 0 20 0 4 0 1000 8192 3 0\n", pid, i);
		write_file(path, text);
		(void)snprintf(path, sizeof(path), "%s/%u/status", proc, pid);
		(void)snprintf(text, sizeof(text),
			       "Name:\tx\nTgid:\t%u\nTracerPid:\t0\nUid:\t%u\t1\t2\t3\nGid:\t4\t5\t6\t7\n", pid, i);
		write_file(path, text);
		(void)snprintf(path, sizeof(path), "%s/%u/cmdline", proc, pid);
		write_file(path, i == 0 ? "" : "cmd with blank");
	}
	return 0;
}

static inline int remove_world(void **state)
{
	(void)state;
	char path[600];
	static const char *const files[] = {"stat", "status", "cmdline", "exe", "environ", "maps", ""};
	for (unsigned i = 0; i < PROCESSES; i++)
		for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++) {
			(void)snprintf(path, sizeof(path), "%s/%u/%s", proc, FIRST_PID + i, files[k]);
			if (*files[k])
				(void)unlink(path);
			else
				(void)rmdir(path);
		}
	(void)rmdir(proc);
	static const char *const spool[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/" MW_SPOOL_FILE "%s", dir, spool[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

static inline struct mw_sql *open_sql(void)
{
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir};
	struct mw_sql *sql = NULL;
	struct mw_err err;
	if (mw_sql_open(&options, &sql, &err) < 0)
		fail_msg("mw_sql_open: %s", err.text);
	return sql;
}

/* All rows, values joined by ',' and rows by ' '.  Of a query that fails, its message behind '!'. */
static inline const char *rows_of(struct mw_sql *sql, const char *text)
{
	static char out[65536];
	struct mw_sql_query *query = NULL;
	const char *rest;
	struct mw_err err;
	size_t n = 0;
	out[0] = '\0';
	int r = mw_sql_prepare(sql, text, strlen(text), &query, &rest, &err);
	while (r == 0 && (r = mw_sql_step(query, &err)) > 0) {
		for (unsigned i = 0; i < mw_sql_columns(query); i++) {
			size_t bytes;
			const char *value = mw_sql_value_bytes(query, i, &bytes);
			const char *between = n ? " " : "";
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", i ? "," : between,
					      value ? value : "NULL");
			assert_true(n < sizeof(out));
		}
		r = 0;
	}
	if (r < 0)
		(void)snprintf(out, sizeof(out), "!%s", err.text);
	mw_sql_finish(query);
	return out;
}

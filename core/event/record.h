/* What the tracer writes into the ring for the sensor: fixed headers, then bounded strings.  Both ends are the same
 * program, forked, so the layout is that of the structs; nothing of it leaves the machine's memory. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

enum mw_record_kind {
	MW_RECORD_EXEC = 1,
	MW_RECORD_FORK,
	MW_RECORD_EXIT,
};

struct mw_record {
	uint16_t kind;
	uint16_t flags; /* MW_EXEC_… */
	int32_t pid;
	int64_t time_ns; /* wall clock, at the stop */
};

enum {
	MW_EXEC_ARGV_TRUNCATED = 1,
	/* Something could not be read: the process was killed at the stop. */
	MW_EXEC_INCOMPLETE = 2,
};

struct mw_record_exec {
	struct mw_record head;
	int32_t ppid, pgrp, session, tty_nr; /* proc(5), stat */
	uint32_t uid, gid, euid, egid;
	uint32_t argv_bytes, argv_total_bytes;
	uint16_t exe_bytes, cwd_bytes;
	char name[16];
	uint64_t inode, device;
	uint64_t start_ticks; /* since boot; proc(5), stat field 22 */
	/* Then exe, cwd (without NULs) and argv (each string with its NUL, the last one perhaps cut). */
	char strings[];
};

struct mw_record_fork {
	struct mw_record head;
	int32_t ppid;
};

struct mw_record_exit {
	struct mw_record head;
	int32_t status; /* as wait(2) gives it */
	int64_t cpu_ns;
	int64_t max_rss_bytes;
};

enum {
	/* The largest record. */
	MW_RECORD_BYTES = sizeof(struct mw_record_exec) + 2 * MW_PATH_BYTES + MW_ARGV_BYTES
};

/* What the tracer writes into the ring for the sensor: fixed headers, then bounded strings.  Both ends are the same
 * program, forked, so the layout is that of the structs; nothing of it leaves the machine's memory.  Every engine (ptrace,
 * notify, poll) writes these. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

enum mw_record_kind {
	MW_RECORD_EXEC = 1,
	MW_RECORD_FORK,
	MW_RECORD_EXIT,
	MW_RECORD_CALL,
	MW_RECORD_GAP,
};

struct mw_record {
	uint16_t kind;
	uint16_t flags; /* MW_EXEC_…, MW_EXIT_…, MW_CALL_… */
	int32_t pid;
	int64_t time_ns; /* wall clock, at the stop */
};

enum {
	MW_EXEC_ARGV_TRUNCATED = 1,
	/* Something could not be read: the process was killed at the stop. */
	MW_EXEC_INCOMPLETE = 2,
	/* Not seen at its exec but found later: what it says of itself may be forged by now.  Not a new program. */
	MW_EXEC_LATE = 4,
	/* Found by looking at /proc now and then (poll engine). */
	MW_EXEC_SAMPLED = 8,
	/* The kernel marked the execution as one that gains privilege: AT_SECURE, getauxval(3). */
	MW_EXEC_SECURE = 16,
	/* The stdio fields were read. */
	MW_EXEC_HAS_STDIO = 32,
	/* The sensor is asked for a verdict, and the process waits for it (see board.h). */
	MW_EXEC_WAITS = 64,
	/* Told before perhaps, by a tracer that another has replaced: no event when nothing has changed. */
	MW_EXEC_AGAIN = 128,
};

enum {
	/* The process ended while nobody watched, or who cannot tell: its status is not known. */
	MW_EXIT_UNKNOWN = 1,
};

struct mw_record_exec {
	struct mw_record head;
	int32_t ppid, pgrp, session, tty_nr; /* proc(5), stat */
	uint32_t uid, gid, euid, egid;
	uint32_t argv_bytes, argv_total_bytes;
	uint16_t exe_bytes, cwd_bytes, execfn_bytes, env_bytes;
	uint16_t stdio_bytes[3];
	uint8_t level; /* enum mw_level that holds from now on */
	uint8_t unused;
	char name[16];
	uint64_t inode, device;
	int64_t exe_ctime_ns, exe_mtime_ns, exe_atime_ns; /* wall clock; stat(2) */
	uint64_t exe_size;
	uint32_t exe_nlink, exe_mode, exe_uid, exe_gid;
	uint32_t ticket;      /* MW_EXEC_WAITS: to be named in the verdict */
	uint64_t start_ticks; /* since boot; proc(5), stat field 22; 0 when a fork record has told of the birth */
	/* Then exe, cwd, execfn (AT_EXECFN, the path as given to execve; all three without NULs), env and argv (each
	 * string with its NUL, the last of argv perhaps cut), and the targets of descriptors 0 to 2 (without NULs). */
	char strings[];
};

enum {
	/* Found by looking at /proc now and then; the same bit as MW_EXEC_SAMPLED. */
	MW_FORK_SAMPLED = 8,
	MW_EXIT_SAMPLED = 8,
};

struct mw_record_fork {
	struct mw_record head;
	int32_t ppid;
};

struct mw_record_exit {
	struct mw_record head;
	int32_t status;        /* as wait(2) gives it */
	int64_t cpu_ns;        /* -1: not known */
	int64_t max_rss_bytes; /* -1: not known */
};

enum {
	/* Only asked for, not known to be done: read before the call (notify engine). */
	MW_CALL_ATTEMPT = 1,
	/* Something was cut, could not be read, or a path was only put together, its symbolic links not followed. */
	MW_CALL_INCOMPLETE = 2,
};

/* In open_flags, mode, uid and gid: the call says nothing of that; MW_CALL_NO_SIZE in size. */
#define MW_CALL_NONE UINT32_MAX
#define MW_CALL_NO_SIZE UINT64_MAX

/* Processes of the sensor itself, which events of processes do not tell of. */
enum mw_own_process {
	MW_OWN_NONE,
	MW_OWN_GUARD,
	MW_OWN_TRACER,
	MW_OWN_SENSOR,
	MW_OWN_PROCESSES,
};

/* A system call of a process under attention `calls`, with its result. */
struct mw_record_call {
	struct mw_record head;
	int32_t tid;
	uint16_t event; /* enum mw_event_kind */
	uint16_t call;  /* index in mw_syscalls; its name: mw_call_name() */
	int64_t result; /* >= 0, or a negative errno */
	int64_t number; /* what struct mw_call says */
	int32_t fd;     /* descriptor it is about or gave, -1 for none */
	int32_t target; /* process it is done to, 0 for none */
	/* file.* */
	uint32_t open_flags, mode, uid, gid;
	uint64_t inode, device, size;
	/* socket.*: struct sockaddr of both ends as the kernel has them; 0 bytes when unknown. */
	uint16_t local_bytes, remote_bytes;
	uint16_t socket_type, socket_protocol;
	uint16_t own; /* `target` is one of the sensor's own processes: enum mw_own_process */
	/* Strings behind: path, old path, text (none with NULs). */
	uint16_t path_bytes, old_path_bytes, text_bytes;
	_Alignas(8) unsigned char local[MW_SOCKADDR_BYTES];
	_Alignas(8) unsigned char remote[MW_SOCKADDR_BYTES];
	char strings[];
};

/* For some time nobody, or not everybody, was watched. */
struct mw_record_gap {
	struct mw_record head; /* time_ns: when it ended */
	int64_t duration_ns;   /* 0: unknown */
	uint64_t missed;       /* processes that may have come and gone unseen */
	uint32_t reason;       /* enum mw_gap_reason, event.h */
	uint32_t found;        /* processes attached to at its end */
};

enum {
	/* The largest record. */
	MW_RECORD_BYTES =
		sizeof(struct mw_record_exec) + 3 * MW_PATH_BYTES + 3 * MW_STDIO_BYTES + MW_ENV_BYTES + MW_ARGV_BYTES,
	MW_RECORD_CALL_BYTES = sizeof(struct mw_record_call) + 3 * MW_PATH_BYTES,
};

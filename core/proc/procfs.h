/* Readers of /proc, proc(5).
 *
 * They take open folders, so that a process cannot be replaced by another of the same pid between two reads, and so
 * that fixtures can stand in: `procfd` is an open /proc, `pidfd` an open /proc/PID, O_PATH or not.  (Not a pidfd_open(2) one.)
 * None allocates, but those that append to a buffer.
 * Everywhere: 0 or a negative errno; -ESRCH when the process is gone; -EPROTO when the text is not understood. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/limits.h"

struct mw_buf;

enum {
	/* comm with its NUL: TASK_COMM_LEN of linux/sched.h.  (Kernel workers show longer ones, which are cut.) */
	MW_PROC_COMM_BYTES = 16,
	/* PID/stat: 52 numbers of at most 20 digits, and comm. */
	MW_PROC_STAT_BYTES = 52 * 21 + 128,
	/* What is read of PID/status.  The ids are in its first lines. */
	MW_PROC_STATUS_BYTES = 4096,
};

/* PID/stat; numbers in parentheses are the fields of proc(5). */
struct mw_proc_stat {
	pid_t pid; /* (1) */
	char comm[MW_PROC_COMM_BYTES];
	char state; /* (3) one of RSDZTtWXxKWPI */
	pid_t ppid;
	pid_t pgrp;
	pid_t session;
	int tty_nr;           /* (7) a device number, 0 without a terminal */
	unsigned flags;       /* (9) PF_… of linux/sched.h */
	uint64_t utime_ticks; /* (14) */
	uint64_t stime_ticks;
	int nice; /* (19) */
	int num_threads;
	uint64_t start_ticks; /* (22) since boot */
	uint64_t vsize_bytes;
	int64_t rss_pages; /* (24) */
	/* (26), (28): addresses of the program's code and of its first stack frame, other ones after each execve(2); 1
	 * and 0 when we may not look. */
	uint64_t start_code, start_stack;
};

/* PID/status, as far as it says more than PID/stat. */
struct mw_proc_status {
	uint32_t uid, euid, suid, fsuid;
	uint32_t gid, egid, sgid, fsgid;
	pid_t tgid;
	pid_t tracer_pid; /* 0 when it is not traced */
	/* Of this thread alone (SigPnd): bit n - 1 for signal n. */
	uint64_t pending_signals;
	uint64_t peak_rss_bytes; /* VmHWM; 0 when it has no memory any more */
};

/* PID/io: what went through to a storage device. */
struct mw_proc_io {
	uint64_t read_bytes;
	uint64_t write_bytes;
};

/* `line` are `n` bytes of PID/stat.  comm may hold anything, blanks, parentheses and newlines too. */
int mw_procfs_parse_stat(const char *line, size_t n, struct mw_proc_stat *ret);
int mw_procfs_parse_status(const char *text, size_t n, struct mw_proc_status *ret);

enum {
	/* "4194304/fdinfo/2147483647" with its NUL. */
	MW_PROC_NAME_BYTES = 40,
};

/* "PID/name", for an open /proc; `name` at most 28 bytes, longer is cut.  Done a few times at each exec stop, so without the
 * machinery of printf(3). */
void mw_procfs_name(pid_t pid, const char *name, char out[MW_PROC_NAME_BYTES]);
/* "PID/fd/FD", or with another `folder` than "fd". */
void mw_procfs_fd_name(pid_t pid, const char *folder, int fd, char out[MW_PROC_NAME_BYTES]);

/* Read a small file below an open folder from its start, without allocating: bytes read, at most n, or -errno. */
ssize_t mw_procfs_read_small(int dirfd, const char *name, char *out, size_t n);

int mw_procfs_open_pid(int procfd, pid_t pid, int *ret_pidfd);

int mw_procfs_stat(int pidfd, struct mw_proc_stat *ret);
/* The same of a file that is called `name` below `dirfd`: of an open /proc, "PID/stat". */
int mw_procfs_stat_named(int dirfd, const char *name, struct mw_proc_stat *ret);
int mw_procfs_status(int pidfd, struct mw_proc_status *ret);
/* `name` is "io", or "PID/io" below an open /proc.  -EACCES when we may not look at that process. */
int mw_procfs_io(int dirfd, const char *name, struct mw_proc_io *ret);

/* Target of the link `name` ("exe", "cwd", "root", "ns/pid", "fd/3").  -ENOENT when it has none (a kernel thread, a
 * zombie), -EACCES when we may not look. */
int mw_procfs_link(int pidfd, const char *name, char out[MW_PATH_BYTES]);

/* Append "cmdline", "environ" or another file of the process as it is: strings, each with its NUL.  -EFBIG when it is
 * longer than the buffer may become; then what fits is there. */
int mw_procfs_read(int pidfd, const char *name, struct mw_buf *out);

/* Path of its control group: that of the unified hierarchy, else of the first that is not the root.  "" for none.
 * `name` is "cgroup", or "PID/cgroup" below an open /proc. */
int mw_procfs_cgroup(int dirfd, const char *name, char out[MW_PATH_BYTES]);

/* Walk over all processes in the order the kernel gives: `for (…; mw_procfs_next(walk, &pid) > 0;)`. */
struct mw_procfs_walk;
int mw_procfs_walk_open(int procfd, struct mw_procfs_walk **ret_walk);
/* 1 with a pid, 0 at the end, or a negative errno. */
int mw_procfs_next(struct mw_procfs_walk *walk, pid_t *ret_pid);
void mw_procfs_walk_close(struct mw_procfs_walk *walk);

/* Duration of clock ticks, as of utime_ticks. */
int64_t mw_procfs_ticks_ns(uint64_t ticks);
/* Wall clock time, in ns since the epoch, of the moment that start_ticks counts from; moves when the wall clock is set.
 * A start is then mw_procfs_boot_real_ns() + mw_procfs_ticks_ns(start_ticks). */
int64_t mw_procfs_boot_real_ns(void);

/* Name below /dev of a terminal of tty_nr, by its device number alone ("pts/3", "tty1", "ttyS0"); "" for none,
 * "MAJOR:MINOR" for others. */
void mw_procfs_tty_name(int tty_nr, char out[16]);

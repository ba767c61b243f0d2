/* A process as the sensor knows it: what events point to.
 *
 * A process holds an image (what it last exec'ed, shared with the children it forks since) and its parent at birth, so
 * that ancestors stay known after they have ended.  Counted references; not thread-safe (the sensor has one thread). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What exec established.  Immutable once events may see it. */
struct mw_image {
	unsigned references;
	bool argv_truncated;
	/* The command line could not be read (the process had gone). */
	bool incomplete;
	int64_t time_ns; /* when exec'ed, wall clock */
	uint64_t inode;
	uint64_t device;
	uint32_t uid, gid, euid, egid;
	char *exe;  /* the executable's path as the kernel names it, or NULL */
	char *cwd;  /* or NULL */
	char *argv; /* strings, each with its NUL, one after the other */
	size_t argv_bytes;
	size_t argv_total_bytes; /* before truncation */
	char *cmdline;           /* argv with spaces between; see mw_image_set_argv() */
	char name[16];           /* comm: at most 15 bytes, proc(5) */
	char user[33];           /* name of euid, empty when it has none; 32 bytes as useradd(8) allows */
	char user_group[33];     /* name of egid, likewise */
};

struct mw_process {
	unsigned references;
	pid_t pid;
	pid_t ppid;
	pid_t session;
	pid_t group;
	char tty[16]; /* controlling terminal below /dev ("pts/0"), empty without */
	unsigned depth;
	int64_t start_ns; /* wall clock */
	struct mw_image *image;
	struct mw_process *parent; /* NULL at the root, or when unknown */
	/* Valid once ended. */
	bool ended;
	bool core_dumped;
	int exit_code;   /* or -1 when ended by a signal */
	int exit_signal; /* or 0 */
	int64_t end_ns;
	int64_t cpu_ns; /* user and system time of the process */
	int64_t max_rss_bytes;
};

/* NULL when memory is exhausted. */
struct mw_image *mw_image_new(void);
/* Take a copy of `argv` (strings with their NULs, one after the other).  -ENOMEM, and nothing changed. */
int mw_image_set_argv(struct mw_image *image, const char *argv, size_t bytes);
struct mw_image *mw_image_ref(struct mw_image *image);
void mw_image_unref(struct mw_image *image);

/* A process born of `parent` (may be NULL), with the parent's image.  Ancestors beyond MW_ANCESTORS are let go.
 * NULL when memory is exhausted. */
struct mw_process *mw_process_new(pid_t pid, struct mw_process *parent, int64_t start_ns);
struct mw_process *mw_process_ref(struct mw_process *process);
void mw_process_unref(struct mw_process *process);
void mw_process_set_image(struct mw_process *process, struct mw_image *image);

/* The n-th ancestor: 1 is the parent.  NULL beyond the last. */
const struct mw_process *mw_process_ancestor(const struct mw_process *process, unsigned n);

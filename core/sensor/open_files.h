/* Who has files open for writing just now: /proc/PID/fd of all processes, gone through once for many files. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct mw_open_file {
	const char *path; /* asked for */
	size_t number;    /* the asker's */
	/* Found.  A process counts when what it wrote last ends the file: its position is the file's size. */
	pid_t pid;    /* 0: nobody */
	bool is_many; /* several processes, or one of which cannot be told */
};

struct mw_open_files_walk {
	bool is_taken;
	unsigned processes; /* seen, without those passed over; of kernel threads none has any file */
	pid_t last;         /* one of them */
	bool is_whole;      /* all was gone through */
};

/* Fill in `n` files, sorted by path, each path once; looks at `links` descriptors at the most, and passes over the processes
 * in `ours` (ended by 0).  Of 0 files: only whether there is one process, or more. */
void mw_open_files_find(int procfd, const pid_t *ours, size_t links, struct mw_open_file *files, size_t n,
			struct mw_open_files_walk *ret);

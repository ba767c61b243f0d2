/* Who holds a socket: joins inodes with the descriptors of the processes we know, /proc/PID/fd. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_process;
struct mw_processes;

struct mw_owner {
	uint64_t inode;
	/* Found: the oldest process that holds it (what forks after connect() shares it with its children), borrowed; NULL
	 * when nobody does. */
	struct mw_process *process;
	int fd;
};

/* Where the last search of some processes ended; zeroed to begin with. */
struct mw_owners_cursor {
	size_t slot;
};

/* Find the owners of `n` sockets, sorted by inode.  Looks at `links` descriptors at the most, then goes on where it
 * ended at the next call.  True when all processes were looked at. */
bool mw_owners_find(struct mw_processes *processes, int procfd, struct mw_owner *owners, size_t n, size_t links,
		    struct mw_owners_cursor *cursor);

/* Inode of what a descriptor's link says, "socket:[N]"; 0 for anything else. */
uint64_t mw_owners_inode(const char *target);

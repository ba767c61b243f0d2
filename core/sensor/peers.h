/* Other ends of sockets that programs are started with. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

enum {
	MW_PEERS = 64
};

/* What was found lately: a shell's children have its socket, too. */
struct mw_peers {
	int net_fd; /* an open /proc/net, borrowed */
	int64_t second;
	unsigned lookups; /* in that second */
	unsigned next;
	struct {
		uint64_t inode;
		int port; /* 0: none, it is of another kind or not connected */
		char address[64];
	} found[MW_PEERS];
};

/* The address and port of the other end of the socket with that inode, descriptor `fd` of the process.  Asks the descriptor
 * itself, else (the process has gone, or we may not) looks for it among all TCP sockets, some times in a second at the
 * most.  -ENOENT when it is not there, or has no such end. */
int mw_peers_find(struct mw_peers *peers, pid_t pid, int fd, uint64_t inode, char ret_address[64], int *ret_port);

/* Sockets of all processes, by looking now and then: snapshots of the kernel's (proc/sockdiag.h), each compared with the one
 * before; what is new becomes a sampled event.
 *
 * - A socket that listens: socket.bind and socket.listen (of a stranger's the latter alone).  One whose port, or path,
 *   others listen on: socket.accept.  Other connected ones: socket.connect.  UDP and datagrams without a peer:
 *   socket.bind.
 * - The process is the oldest one that holds a descriptor of it.  Only processes the sensor knows are asked; sockets of
 *   others (containers of a task share their network) are passed over, unless they listen, as far as they can be told
 *   apart.
 * - TCP connections that begin and end between two snapshots are known by what the kernel tells at their end.  Then the
 *   addresses are there, but no process; of an accepted one, the process that listens.
 * - At the start, only the sockets of processes that were seen to start are news, and listeners.
 * - Where an exact event came, from a system call, nothing is told a second time.
 *
 * Not seen: short UDP exchanges; listeners, and unix sockets, that are gone before the next snapshot. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct mw_event;
struct mw_loop;
struct mw_process;
struct mw_processes;
struct mw_sockets;

struct mw_sockets_options {
	struct mw_loop *loop;
	struct mw_processes *processes;
	int64_t interval_ms;
	bool is_again; /* a sensor before this one has told of what exists: only listeners are told */
	/* An event, all but its id, valid for the call. */
	void (*emit)(void *data, struct mw_event *event);
	/* A sentence about what cannot be seen. */
	/* One line; `is_urgent`: sockets are not seen, as opposed to some that were too many. */
	void (*report)(void *data, const char *line, bool is_urgent);
	void *data;
};

/* -ENOMEM.  Where the kernel refuses, that is reported, and what can be seen is looked at. */
int mw_sockets_new(const struct mw_sockets_options *options, struct mw_sockets **ret_sockets);
void mw_sockets_free(struct mw_sockets *sockets);

/* An event about a socket that comes from a system call: the sampler will not tell of it.  NULL for `sockets` is allowed. */
void mw_sockets_exact(struct mw_sockets *sockets, const struct mw_event *event);

/* Look now, and tell what would have waited: the application is about to end.  `ending` is its process, whose descriptors
 * are still open though its exit was recorded already; or NULL.  NULL is allowed for `sockets`. */
void mw_sockets_flush(struct mw_sockets *sockets, struct mw_process *ending);

/* Sockets and the processes that hold them, of every network namespace a process that can be seen is in. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/sockdiag.h"

struct mw_err;
struct mw_sql_scan;

struct mw_open_socket {
	pid_t pid; /* -1, and so is fd, when nobody is known to hold it */
	int fd;
	uint64_t namespace; /* of the network; 0: not known */
	struct mw_sock sock;
	char path[MW_SOCK_PATH_BYTES + 2]; /* unix: "@name" when abstract */
};

typedef int mw_each_socket(const struct mw_open_socket *socket, void *data);

/* Those of the processes that the query names, by = or IN for column `pid_column`, or of all; then those that nobody is known to
 * hold, too, and so when it names -1.  What `each` returns below 0 ends the walk.  0 or a negative errno. */
int mw_each_open_socket(const struct mw_sql_scan *scan, unsigned pid_column, mw_each_socket *each, void *data,
			struct mw_err *err);

/* AF_… */
int mw_socket_family(const struct mw_sock *sock);
/* IPPROTO_…; 0 for unix. */
int mw_socket_protocol(const struct mw_sock *sock);
/* "0.0.0.0" for any; false for unix, which has none. */
bool mw_socket_local(const struct mw_sock *sock, char out[64]);
bool mw_socket_remote(const struct mw_sock *sock, char out[64]);

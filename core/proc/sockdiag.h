/* Sockets of this network namespace, from the kernel: sock_diag(7) over netlink, and the text files of /proc/net where
 * netlink is refused.
 *
 * A snapshot is asked for part by part (TCP over IPv4, over IPv6 …); nothing here waits: the answer is made as it is read,
 * piece by piece, so a reader may do something else in between.  No privilege is needed.  Sockets in TIME_WAIT, and those
 * that only wait for a handshake, belong to nobody any more or yet, and are left out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_err;

enum mw_sock_part {
	MW_SOCK_TCP4,
	MW_SOCK_TCP6,
	MW_SOCK_UDP4,
	MW_SOCK_UDP6,
	MW_SOCK_UNIX,
	MW_SOCK_PARTS,
};

enum {
	/* tcp_states.h of Linux; in use for all kinds of sockets. */
	MW_SOCK_ESTABLISHED = 1, /* connected */
	MW_SOCK_SYN_SENT = 2,
	MW_SOCK_CLOSED = 7, /* UDP, unix datagrams: without a peer */
	MW_SOCK_LISTEN = 10,
	/* sun_path, unix(7): may be full, without a NUL. */
	MW_SOCK_PATH_BYTES = 108,
};

struct mw_sock {
	enum mw_sock_part part;
	/* The kernel's own number of a socket, never used twice; 0 from /proc/net. */
	uint64_t cookie;
	/* As in "socket:[N]" of /proc/PID/fd; 0 when no descriptor holds it: not accepted yet, or closed and still
	 * saying good-bye. */
	uint64_t inode;
	uint64_t peer; /* unix: inode of the other end, 0 when there is none or it is not known */
	uint8_t state; /* MW_SOCK_… */
	uint8_t type;  /* SOCK_STREAM … */
	uint16_t local_port, remote_port;
	/* In network order; IPv4 uses the first four bytes. */
	uint8_t local[16], remote[16];
	/* unix: sun_path as it was bound, an abstract one with its leading NUL; borrowed for the call. */
	const char *path;
	size_t path_bytes;
};

typedef void mw_sock_each(void *data, const struct mw_sock *sock);

/* Write the address in the way of inet_ntop(3); nothing for none, which is no port and 0.0.0.0 or ::.  True when it is one
 * of IPv4, also when mapped into IPv6 as sockets that serve both have them. */
bool mw_sock_address(enum mw_sock_part part, const uint8_t address[16], uint16_t port, char out[64]);

struct mw_sockdiag {
	int fd;
	enum mw_sock_part part;
	uint32_t sequence;
};

/* -errno of socket(2) when netlink is refused. */
int mw_sockdiag_open(struct mw_sockdiag *diag);
void mw_sockdiag_close(struct mw_sockdiag *diag);
/* Ask for all sockets of a part. */
int mw_sockdiag_ask(struct mw_sockdiag *diag, enum mw_sock_part part);
/* Read at most `pieces` of the answer (some 32 KiB each).  1 at its end, 0 when there is more, or a negative errno: then
 * nothing more will come; -ENOENT when the kernel has no sock_diag for this part. */
int mw_sockdiag_read(struct mw_sockdiag *diag, unsigned pieces, mw_sock_each *each, void *data);

/* A socket that tells of each TCP connection that has ended, as long as the kernel has the memory (4.3 and later). */
int mw_sockdiag_open_ended(int *ret_fd);
/* Read what has come, `pieces` datagrams at the most.  The number read; -ENOBUFS when some were lost before. */
int mw_sockdiag_read_ended(int fd, unsigned pieces, mw_sock_each *each, void *data);

/* What one datagram of sock_diag says: 1 when it ends an answer, 0, or the negative errno it tells of.  Messages of other
 * sequence numbers than `sequence` are skipped, unless that is 0. */
int mw_sockdiag_parse(const void *bytes, size_t size, enum mw_sock_part part, uint32_t sequence, mw_sock_each *each,
		      void *data);

/* The same sockets from "tcp", "tcp6" … below `netfd`, an open /proc/net.  Cookies and peers are not known then.  At most
 * `limit` lines are read.  -ENOENT when this kernel has no such sockets; -EFBIG past the limit. */
int mw_sockets_read_file(int netfd, enum mw_sock_part part, size_t limit, mw_sock_each *each, void *data);

/* The ports the kernel gives to those who do not care: ip_local_port_range, ip(7), or its default. */
void mw_sockets_port_range(int procfd, uint16_t *ret_first, uint16_t *ret_last);

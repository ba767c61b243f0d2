#include "sensor/peers.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "proc/sockdiag.h"

enum {
	/* Each costs as much as a snapshot of all sockets. */
	LOOKUPS_PER_S = 10,
	SOCKETS = 1 << 16,
	PIECES = SOCKETS,
};

struct lookup {
	uint64_t inode;
	bool is_found;
	char *address;
	int *port;
};

/* pidfd_getfd(2), since Linux 5.6; needs what ptrace needs.  -EAGAIN when it is not to be had this way. */
static int ask_descriptor(pid_t pid, int fd, uint64_t inode, char address[64], int *ret_port)
{
	MW_AUTO_FD pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	MW_AUTO_FD ours = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
	struct stat stat;
	if (ours < 0 || fstat(ours, &stat) < 0 || stat.st_ino != inode)
		return -EAGAIN;
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
		struct sockaddr_storage room;
	} peer = {0};
	socklen_t size = sizeof(peer);
	if (getpeername(ours, &peer.any, &size) < 0)
		return -ENOENT;
	if (peer.any.sa_family == AF_INET) {
		uint8_t bytes[16] = {0};
		memcpy(bytes, &peer.ipv4.sin_addr, sizeof(peer.ipv4.sin_addr));
		*ret_port = ntohs(peer.ipv4.sin_port);
		(void)mw_sock_address(MW_SOCK_TCP4, bytes, peer.ipv4.sin_port, address);
	} else if (peer.any.sa_family == AF_INET6) {
		*ret_port = ntohs(peer.ipv6.sin6_port);
		(void)mw_sock_address(MW_SOCK_TCP6, peer.ipv6.sin6_addr.s6_addr, peer.ipv6.sin6_port, address);
	} else {
		return -ENOENT;
	}
	return 0;
}

static void on_lookup(void *data, const struct mw_sock *sock)
{
	struct lookup *lookup = data;
	if (sock->inode != lookup->inode || !sock->remote_port)
		return;
	lookup->is_found = true;
	(void)mw_sock_address(sock->part, sock->remote, sock->remote_port, lookup->address);
	*lookup->port = sock->remote_port;
}

static int look_among_all(struct mw_peers *peers, uint64_t inode, char address[64], int *ret_port)
{
	int64_t second = mw_clock_mono_ns() / MW_NS_PER_S;
	if (second != peers->second) {
		peers->second = second;
		peers->lookups = 0;
	}
	if (peers->lookups++ >= LOOKUPS_PER_S)
		return -EBUSY;
	struct lookup lookup = {.inode = inode, .address = address, .port = ret_port};
	struct mw_sockdiag diag;
	bool has_diag = mw_sockdiag_open(&diag) == 0;
	for (unsigned part = MW_SOCK_TCP4; part <= MW_SOCK_TCP6 && !lookup.is_found; part++) {
		int r = has_diag ? mw_sockdiag_ask(&diag, part) : -ENOENT;
		if (r == 0)
			r = mw_sockdiag_read(&diag, PIECES, on_lookup, &lookup);
		if (r < 0)
			(void)mw_sockets_read_file(peers->net_fd, part, SOCKETS, on_lookup, &lookup);
	}
	mw_sockdiag_close(&diag);
	return lookup.is_found ? 0 : -ENOENT;
}

int mw_peers_find(struct mw_peers *peers, pid_t pid, int fd, uint64_t inode, char ret_address[64], int *ret_port)
{
	for (unsigned i = 0; i < MW_PEERS; i++)
		if (peers->found[i].inode == inode) {
			memcpy(ret_address, peers->found[i].address, sizeof(peers->found[i].address));
			*ret_port = peers->found[i].port;
			return *ret_port ? 0 : -ENOENT;
		}
	char address[64] = "";
	int port = 0;
	int r = ask_descriptor(pid, fd, inode, address, &port);
	if (r == -EAGAIN)
		r = look_among_all(peers, inode, address, &port);
	if (r == -EBUSY)
		return -ENOENT;
	unsigned i = peers->next++ % MW_PEERS;
	peers->found[i].inode = inode;
	peers->found[i].port = r == 0 ? port : 0;
	memcpy(peers->found[i].address, address, sizeof(address));
	if (r < 0)
		return r;
	memcpy(ret_address, address, sizeof(address));
	*ret_port = port;
	return 0;
}

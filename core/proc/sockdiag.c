/* Messages: linux/sock_diag.h, linux/inet_diag.h and linux/unix_diag.h; files: proc_pid_net(5). */

#include "proc/sockdiag.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"

enum {
	/* The kernel fills a piece of a dump up to the size that is read, at most 32 KiB; netlink(7). */
	PIECE_BYTES = 32 << 10,
	/* Asked for; the kernel gives net.core.rmem_max at most, some 200 KiB: 300 ends of connections. */
	ENDED_BUFFER_BYTES = 4 << 20,
	/* A line of /proc/net/tcp6 has 180 bytes, of /proc/net/unix 60 and a path. */
	LINE_BYTES = 512,
	STATE_SYN_RECV = 3,
	STATE_TIME_WAIT = 6,
	/* proc_pid_net(5), unix: Flags of a socket that listens (__SO_ACCEPTCON of linux/net.h). */
	UNIX_LISTENS = 1 << 16,
	/* There, St is enum socket_state of linux/net.h. */
	UNIX_CONNECTED = 3,
	/* Bits of the states TCP has, 1 to 11; newer kernels add one for sockets that are only bound. */
	WANTED_STATES = 0xffe & ~(1 << STATE_SYN_RECV | 1 << STATE_TIME_WAIT),
	IPV4_BYTES = 4,
	/* ip(7) */
	FIRST_EPHEMERAL = 32768,
	LAST_EPHEMERAL = 60999,
};

static const struct {
	const char *file;
	unsigned char family, protocol, type;
} parts[MW_SOCK_PARTS] = {
	[MW_SOCK_TCP4] = {"tcp", AF_INET, IPPROTO_TCP, SOCK_STREAM},
	[MW_SOCK_TCP6] = {"tcp6", AF_INET6, IPPROTO_TCP, SOCK_STREAM},
	[MW_SOCK_UDP4] = {"udp", AF_INET, IPPROTO_UDP, SOCK_DGRAM},
	[MW_SOCK_UDP6] = {"udp6", AF_INET6, IPPROTO_UDP, SOCK_DGRAM},
	[MW_SOCK_UNIX] = {"unix", AF_UNIX, 0, 0},
};

static bool is_wanted(unsigned state)
{
	return state < 32 && (1U << state & WANTED_STATES);
}

bool mw_sock_address(enum mw_sock_part part, const uint8_t address[16], uint16_t port, char out[64])
{
	static const uint8_t none[16];
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	bool is_ipv4 = parts[part].family == AF_INET;
	out[0] = '\0';
	if (!is_ipv4 && memcmp(address, mapped, sizeof(mapped)) == 0) {
		is_ipv4 = true;
		address += sizeof(mapped);
	}
	if (port || memcmp(address, none, is_ipv4 ? IPV4_BYTES : sizeof(none)) != 0)
		(void)inet_ntop(is_ipv4 ? AF_INET : AF_INET6, address, out, 64);
	return is_ipv4;
}

int mw_sockdiag_open(struct mw_sockdiag *diag)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	*diag = (struct mw_sockdiag){.fd = fd};
	return fd < 0 ? -errno : 0;
}

void mw_sockdiag_close(struct mw_sockdiag *diag)
{
	if (diag->fd >= 0)
		(void)close(diag->fd);
	diag->fd = -1;
}

int mw_sockdiag_ask(struct mw_sockdiag *diag, enum mw_sock_part part)
{
	struct {
		struct nlmsghdr head;
		union {
			struct inet_diag_req_v2 inet;
			struct unix_diag_req unix_;
		};
	} request = {
		.head = {.nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
	};
	diag->part = part;
	request.head.nlmsg_seq = ++diag->sequence;
	size_t size;
	if (part == MW_SOCK_UNIX) {
		request.unix_.sdiag_family = AF_UNIX;
		request.unix_.udiag_states = WANTED_STATES;
		request.unix_.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER;
		size = sizeof(request.unix_);
	} else {
		request.inet.sdiag_family = parts[part].family;
		request.inet.sdiag_protocol = parts[part].protocol;
		request.inet.idiag_states = WANTED_STATES;
		size = sizeof(request.inet);
	}
	request.head.nlmsg_len = (uint32_t)NLMSG_LENGTH(size);
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n =
		sendto(diag->fd, &request, request.head.nlmsg_len, 0, (const struct sockaddr *)&kernel, sizeof(kernel));
	return n < 0 ? -errno : 0;
}

static void tell_inet(const struct inet_diag_msg *message, enum mw_sock_part part, mw_sock_each *each, void *data)
{
	struct mw_sock sock = {
		.part = part,
		.cookie = message->id.idiag_cookie[0] | (uint64_t)message->id.idiag_cookie[1] << 32,
		.inode = message->idiag_inode,
		.state = message->idiag_state,
		.type = parts[part].type,
		.local_port = ntohs(message->id.idiag_sport),
		.remote_port = ntohs(message->id.idiag_dport),
	};
	memcpy(sock.local, message->id.idiag_src, sizeof(sock.local));
	memcpy(sock.remote, message->id.idiag_dst, sizeof(sock.remote));
	each(data, &sock);
}

static void tell_unix(const struct unix_diag_msg *message, size_t size, mw_sock_each *each, void *data)
{
	struct mw_sock sock = {
		.part = MW_SOCK_UNIX,
		.cookie = message->udiag_cookie[0] | (uint64_t)message->udiag_cookie[1] << 32,
		.inode = message->udiag_ino,
		.state = message->udiag_state,
		.type = message->udiag_type,
	};
	const char *at = (const char *)message + sizeof(*message);
	for (size_t left = size - sizeof(*message), step; left >= sizeof(struct nlattr); at += step, left -= step) {
		struct nlattr attribute;
		memcpy(&attribute, at, sizeof(attribute));
		if (attribute.nla_len < sizeof(attribute) || attribute.nla_len > left)
			break;
		size_t n = attribute.nla_len - sizeof(attribute);
		const char *value = at + sizeof(attribute);
		if (attribute.nla_type == UNIX_DIAG_NAME) {
			sock.path = value;
			sock.path_bytes = n < MW_SOCK_PATH_BYTES ? n : MW_SOCK_PATH_BYTES;
		} else if (attribute.nla_type == UNIX_DIAG_PEER && n >= sizeof(uint32_t)) {
			uint32_t peer;
			memcpy(&peer, value, sizeof(peer));
			sock.peer = peer;
		}
		step = ((size_t)attribute.nla_len + 3) & ~(size_t)3;
		step = step < left ? step : left;
	}
	/* A path may or may not count its NUL; an abstract name is all there is. */
	if (sock.path_bytes && sock.path[0])
		sock.path_bytes = strnlen(sock.path, sock.path_bytes);
	each(data, &sock);
}

static void tell(const struct nlmsghdr *head, enum mw_sock_part part, mw_sock_each *each, void *data)
{
	size_t size = head->nlmsg_len - (size_t)NLMSG_HDRLEN;
	const void *body = (const char *)head + NLMSG_HDRLEN;
	if (part == MW_SOCK_UNIX) {
		const struct unix_diag_msg *message = body;
		if (size >= sizeof(*message) && message->udiag_family == AF_UNIX)
			tell_unix(message, size, each, data);
		return;
	}
	const struct inet_diag_msg *message = body;
	if (size < sizeof(*message))
		return;
	if (part == MW_SOCK_PARTS) /* an end, of either family */
		part = message->idiag_family == AF_INET6 ? MW_SOCK_TCP6 : MW_SOCK_TCP4;
	if (message->idiag_family == parts[part].family)
		tell_inet(message, part, each, data);
}

int mw_sockdiag_parse(const void *bytes, size_t size, enum mw_sock_part part, uint32_t sequence, mw_sock_each *each,
		      void *data)
{
	const char *at = bytes;
	for (size_t left = size, step; left >= sizeof(struct nlmsghdr); at += step, left -= step) {
		const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)at;
		if (head->nlmsg_len < sizeof(*head) || head->nlmsg_len > left)
			return -EPROTO;
		step = NLMSG_ALIGN((size_t)head->nlmsg_len);
		step = step < left ? step : left;
		if (sequence && head->nlmsg_seq != sequence)
			continue; /* the rest of an answer that was given up */
		if (head->nlmsg_type == NLMSG_DONE)
			return 1;
		if (head->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = (const void *)((const char *)head + NLMSG_HDRLEN);
			if (head->nlmsg_len < NLMSG_LENGTH(sizeof(error->error)))
				return -EPROTO;
			return error->error < 0 ? error->error : 1;
		}
		if (head->nlmsg_type == SOCK_DIAG_BY_FAMILY)
			tell(head, part, each, data);
	}
	return 0;
}

/* One datagram of the kernel's; those of others are dropped: anybody may send to a netlink socket of ours.
 * Its bytes, 0 for one that was dropped, -errno. */
static ssize_t receive(int fd, void *bytes, size_t size)
{
	struct sockaddr_nl from = {0};
	struct iovec vector = {.iov_base = bytes, .iov_len = size};
	struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &vector, .msg_iovlen = 1};
	ssize_t n;
	do
		n = recvmsg(fd, &message, MSG_DONTWAIT);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return from.nl_pid || message.msg_flags & MSG_TRUNC ? 0 : n;
}

int mw_sockdiag_read(struct mw_sockdiag *diag, unsigned pieces, mw_sock_each *each, void *data)
{
	_Alignas(struct nlmsghdr) char bytes[PIECE_BYTES];
	for (; pieces; pieces--) {
		ssize_t n = receive(diag->fd, bytes, sizeof(bytes));
		if (n == -EAGAIN)
			return 0;
		if (n < 0)
			return (int)n;
		int r = mw_sockdiag_parse(bytes, (size_t)n, diag->part, diag->sequence, each, data);
		if (r)
			return r;
	}
	return 0;
}

int mw_sockdiag_open_ended(int *ret_fd)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	if (fd < 0)
		return -errno;
	int size = ENDED_BUFFER_BYTES;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	const struct sockaddr_nl address = {.nl_family = AF_NETLINK};
	int r = bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ? -errno : 0;
	static const int groups[] = {SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET6_TCP_DESTROY};
	/* Without IPv6 there is the first alone. */
	if (r == 0 && setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[0], sizeof(groups[0])) < 0)
		r = -errno;
	(void)setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[1], sizeof(groups[1]));
	if (r < 0)
		(void)close(fd);
	else
		*ret_fd = fd;
	return r;
}

int mw_sockdiag_read_ended(int fd, unsigned pieces, mw_sock_each *each, void *data)
{
	_Alignas(struct nlmsghdr) char bytes[PIECE_BYTES / 8];
	unsigned n = 0;
	for (; n < pieces; n++) {
		ssize_t size = receive(fd, bytes, sizeof(bytes));
		if (size == -EAGAIN)
			break;
		if (size < 0)
			return (int)size;
		(void)mw_sockdiag_parse(bytes, (size_t)size, MW_SOCK_PARTS, 0, each, data);
	}
	return (int)n;
}

/* "0100007F:1F90": words of 32 bits as this machine has them. */
static bool parse_address(const char *text, bool is_ipv6, uint8_t address[16], uint16_t *ret_port)
{
	unsigned words = is_ipv6 ? 4 : 1;
	if (strlen(text) != words * 8 + 5 || text[words * 8] != ':')
		return false;
	for (unsigned i = 0; i < words; i++) {
		char word[9];
		memcpy(word, text + (size_t)i * 8, 8);
		word[8] = '\0';
		uint32_t value = (uint32_t)strtoul(word, NULL, 16);
		memcpy(address + (size_t)i * sizeof(value), &value, sizeof(value));
	}
	*ret_port = (uint16_t)strtoul(text + (size_t)words * 8 + 1, NULL, 16);
	return true;
}

/* "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1 …" */
static bool parse_inet_line(char *line, struct mw_sock *sock)
{
	enum {
		LOCAL = 1,
		REMOTE = 2,
		STATE = 3,
		INODE = 9,
		FIELDS
	};
	char *field[FIELDS];
	char *rest = line;
	for (unsigned i = 0; i < FIELDS; i++)
		if (!(field[i] = strtok_r(rest, " ", &rest)))
			return false;
	bool is_ipv6 = parts[sock->part].family == AF_INET6;
	if (!parse_address(field[LOCAL], is_ipv6, sock->local, &sock->local_port) ||
	    !parse_address(field[REMOTE], is_ipv6, sock->remote, &sock->remote_port))
		return false;
	sock->state = (uint8_t)strtoul(field[STATE], NULL, 16);
	sock->inode = strtoull(field[INODE], NULL, 10);
	sock->type = parts[sock->part].type;
	return is_wanted(sock->state);
}

/* "0000000000000000: 00000002 00000000 00010000 0001 01 12345 /run/some path" */
static bool parse_unix_line(char *line, struct mw_sock *sock)
{
	enum {
		FLAGS = 3,
		TYPE = 4,
		STATE = 5,
		INODE = 6,
		FIELDS
	};
	char *field[FIELDS];
	char *rest = line;
	for (unsigned i = 0; i < FIELDS; i++)
		if (!(field[i] = strtok_r(rest, " ", &rest)))
			return false;
	sock->inode = strtoull(field[INODE], NULL, 10);
	sock->type = (uint8_t)strtoul(field[TYPE], NULL, 16);
	sock->state = strtoul(field[FLAGS], NULL, 16) & UNIX_LISTENS      ? MW_SOCK_LISTEN
		      : strtoul(field[STATE], NULL, 16) == UNIX_CONNECTED ? MW_SOCK_ESTABLISHED
									  : MW_SOCK_CLOSED;
	size_t n = strlen(rest);
	if (n && rest[0] == '@')
		rest[0] = '\0'; /* abstract */
	sock->path = rest;
	sock->path_bytes = n < MW_SOCK_PATH_BYTES ? n : MW_SOCK_PATH_BYTES;
	return true;
}

int mw_sockets_read_file(int netfd, enum mw_sock_part part, size_t limit, mw_sock_each *each, void *data)
{
	int fd = openat(netfd, parts[part].file, O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
	if (!file) {
		int r = -errno;
		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	char line[LINE_BYTES];
	bool is_head = true;
	int r = 0;
	while (fgets(line, sizeof(line), file)) {
		char *end = strchr(line, '\n');
		if (end)
			*end = '\0';
		struct mw_sock sock = {.part = part};
		if (!is_head && limit-- == 0) {
			r = -EFBIG;
			break;
		}
		if (!is_head && (part == MW_SOCK_UNIX ? parse_unix_line(line, &sock) : parse_inet_line(line, &sock)))
			each(data, &sock);
		is_head = false;
	}
	(void)fclose(file);
	return r;
}

void mw_sockets_port_range(int procfd, uint16_t *ret_first, uint16_t *ret_last)
{
	MW_AUTO_FD fd = openat(procfd, "sys/net/ipv4/ip_local_port_range", O_RDONLY | O_CLOEXEC);
	char text[LINE_BYTES] = "";
	char *end = text;
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	long first = n > 0 ? strtol(text, &end, 10) : 0;
	long last = n > 0 ? strtol(end, NULL, 10) : 0;
	bool is_sane = first > 0 && first < last && last <= UINT16_MAX;
	*ret_first = (uint16_t)(is_sane ? first : FIRST_EPHEMERAL);
	*ret_last = (uint16_t)(is_sane ? last : LAST_EPHEMERAL);
}

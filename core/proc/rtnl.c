#include "proc/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

enum {
	/* The kernel fills a piece of a dump up to the size that is read, at most 32 KiB; netlink(7). */
	PIECE_BYTES = 32 << 10,
	IPV4_BYTES = 4,
	IPV6_BYTES = 16,
};

static int ask(int fd, uint16_t type, unsigned char family)
{
	/* The heads of all questions begin with the family, and the kernel takes the longest for any. */
	struct {
		struct nlmsghdr head;
		union {
			unsigned char family;
			struct ifinfomsg link;
			struct rtmsg route;
		};
	} request = {
		.head = {.nlmsg_len = sizeof(request),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			 .nlmsg_seq = 1},
	};
	request.family = family;
	const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n = sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel, sizeof(kernel));
	return n < 0 ? -errno : 0;
}

/* A dump is made as it is read: there is nothing to wait for. */
static ssize_t receive(int fd, void *bytes)
{
	struct sockaddr_nl from = {0};
	struct iovec vector = {.iov_base = bytes, .iov_len = PIECE_BYTES};
	struct msghdr message = {.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &vector, .msg_iovlen = 1};
	for (;;) {
		ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT);
		if (n < 0 && errno != EINTR)
			return -errno;
		/* Anybody may send to a netlink socket of ours. */
		if (n >= 0 && from.nl_pid == 0)
			return message.msg_flags & MSG_TRUNC ? -EPROTO : n;
	}
}

int mw_rtnl_parse(const void *bytes, size_t size, uint32_t sequence, mw_rtnl_each *each, void *data)
{
	const char *at = bytes;
	for (size_t left = size, step; left >= sizeof(struct nlmsghdr); at += step, left -= step) {
		const struct nlmsghdr *head = (const struct nlmsghdr *)(const void *)at;
		if (head->nlmsg_len < sizeof(*head) || head->nlmsg_len > left)
			return -EPROTO;
		step = NLMSG_ALIGN((size_t)head->nlmsg_len);
		step = step < left ? step : left;
		if (head->nlmsg_seq != sequence)
			continue;
		if (head->nlmsg_type == NLMSG_DONE)
			return 1;
		if (head->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *error = mw_rtnl_body(head, sizeof(error->error));
			return !error ? -EPROTO : error->error < 0 ? error->error : 1;
		}
		int r = each(data, head);
		if (r < 0)
			return r;
	}
	return 0;
}

int mw_rtnl_dump(uint16_t type, unsigned char family, mw_rtnl_each *each, void *data)
{
	MW_AUTO_FREE char *bytes = malloc(PIECE_BYTES); /* aligned for a head */
	MW_AUTO_FD fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd < 0 || !bytes)
		return bytes ? -ENOENT : -ENOMEM;
	int r = ask(fd, type, family);
	while (r == 0) {
		ssize_t n = receive(fd, bytes);
		r = n < 0 ? (int)n : mw_rtnl_parse(bytes, (size_t)n, 1, each, data);
	}
	return r > 0 ? 0 : r;
}

const void *mw_rtnl_body(const struct nlmsghdr *message, size_t bytes)
{
	if (message->nlmsg_len < (size_t)NLMSG_HDRLEN + bytes)
		return NULL;
	return (const char *)message + NLMSG_HDRLEN;
}

void mw_rtnl_parse_attributes(const void *bytes, size_t size, const struct rtattr **by_type, size_t count)
{
	const char *at = bytes;
	memset((void *)by_type, 0, count * sizeof(*by_type));
	for (size_t left = size, step; left >= sizeof(struct rtattr); at += step, left -= step) {
		const struct rtattr *attribute = (const struct rtattr *)(const void *)at;
		if (attribute->rta_len < sizeof(*attribute) || attribute->rta_len > left)
			return;
		size_t type = attribute->rta_type & ~(size_t)(NLA_F_NESTED | NLA_F_NET_BYTEORDER);
		if (type < count)
			by_type[type] = attribute;
		step = RTA_ALIGN((size_t)attribute->rta_len);
		step = step < left ? step : left;
	}
}

void mw_rtnl_attributes(const struct nlmsghdr *message, size_t head_bytes, const struct rtattr **by_type, size_t count)
{
	size_t skip = (size_t)NLMSG_HDRLEN + NLMSG_ALIGN(head_bytes);
	size_t size = message->nlmsg_len > skip ? message->nlmsg_len - skip : 0;
	mw_rtnl_parse_attributes((const char *)message + (size ? skip : 0), size, by_type, count);
}

static size_t bytes_of(const struct rtattr *attribute)
{
	return attribute ? attribute->rta_len - sizeof(*attribute) : 0;
}

uint32_t mw_rtnl_u32(const struct rtattr *attribute, uint32_t otherwise)
{
	if (bytes_of(attribute) >= sizeof(otherwise))
		memcpy(&otherwise, RTA_DATA(attribute), sizeof(otherwise));
	return otherwise;
}

const char *mw_rtnl_text(const struct rtattr *attribute)
{
	size_t n = bytes_of(attribute);
	const char *text = n ? RTA_DATA(attribute) : "";
	return n && memchr(text, '\0', n) ? text : "";
}

void mw_rtnl_address(const struct rtattr *attribute, int family, char out[64])
{
	size_t need = family == AF_INET ? IPV4_BYTES : IPV6_BYTES;
	out[0] = '\0';
	if (bytes_of(attribute) >= need && (family == AF_INET || family == AF_INET6))
		(void)inet_ntop(family, RTA_DATA(attribute), out, 64);
}

void mw_rtnl_mac(const struct rtattr *attribute, char out[64])
{
	enum {
		DIGITS = 3 /* and a colon */
	};
	size_t n = bytes_of(attribute);
	const unsigned char *bytes = n ? RTA_DATA(attribute) : NULL;
	out[0] = '\0';
	for (size_t i = 0; i < n && (i + 1) * DIGITS < 64; i++)
		(void)snprintf(out + i * DIGITS - (i > 0), DIGITS + 2, "%s%02x", i ? ":" : "", bytes[i]);
}

/* What the kernel knows of the network, of the network namespace we are in: rtnetlink(7). */
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* Called for each message of the answer; 0, or -errno to end it. */
typedef int mw_rtnl_each(void *data, const struct nlmsghdr *message);

/* Ask for all of `type` (RTM_GETLINK, RTM_GETADDR, …) of an address family, AF_UNSPEC for every one.  -ENOENT when there is no
 * netlink here, else an errno of the kernel's or of `each`. */
int mw_rtnl_dump(uint16_t type, unsigned char family, mw_rtnl_each *each, void *data);
/* The messages of one datagram: 1 at the end of the answer, 0 when more is to come, -errno. */
int mw_rtnl_parse(const void *bytes, size_t size, uint32_t sequence, mw_rtnl_each *each, void *data);

/* Attributes of a message behind its own head of `head_bytes`: by_type[t], NULL for none; t < count. */
void mw_rtnl_attributes(const struct nlmsghdr *message, size_t head_bytes, const struct rtattr **by_type, size_t count);
/* Those that `bytes` hold. */
void mw_rtnl_parse_attributes(const void *bytes, size_t size, const struct rtattr **by_type, size_t count);
/* The body of a message, NULL when it is shorter than `bytes`. */
const void *mw_rtnl_body(const struct nlmsghdr *message, size_t bytes);
/* A number of 32 bits, or `otherwise`. */
uint32_t mw_rtnl_u32(const struct rtattr *attribute, uint32_t otherwise);
/* A text, with its NUL; "" for none. */
const char *mw_rtnl_text(const struct rtattr *attribute);
/* An address as text; "" when it is none of the family. */
void mw_rtnl_address(const struct rtattr *attribute, int family, char out[64]);
/* "00:11:22:33:44:55"; of whatever length, "" for none. */
void mw_rtnl_mac(const struct rtattr *attribute, char out[64]);

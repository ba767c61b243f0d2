#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "proc/rtnl.h"
#include "sql/table.h"

enum {
	INTERFACE,
	ADDRESS,
	MASK,
	BROADCAST,
	POINT_TO_POINT,
	TYPE,
	FRIENDLY_NAME,
};

static const struct mw_sql_column columns[] = {
	[INTERFACE] = {"interface", MW_SQL_TEXT, 0, "Name of the network interface"},
	[ADDRESS] = {"address", MW_SQL_TEXT, 0, "Its address, IPv4 or IPv6"},
	[MASK] = {"mask", MW_SQL_TEXT, 0, "Mask of the network"},
	[BROADCAST] = {"broadcast", MW_SQL_TEXT, 0, "Broadcast address, of IPv4"},
	[POINT_TO_POINT] = {"point_to_point", MW_SQL_TEXT, 0, "The other end of a link of two"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "manual, auto (made by the kernel, or told by a router) or unknown"},
	[FRIENDLY_NAME] = {"friendly_name", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	{0},
};

static void mask_of(unsigned bits, int family, char out[64])
{
	unsigned char bytes[16] = {0};
	for (unsigned i = 0; i < bits && i < sizeof(bytes) * 8; i++)
		bytes[i / 8] |= (unsigned char)(0x80 >> i % 8);
	if (!inet_ntop(family, bytes, out, 64))
		out[0] = '\0';
}

static const char *type_of(const struct rtattr *protocol)
{
	/* IFAPROT_…: 1 the loopback's, 2 from a router, 3 link-local; from Linux 5.18 on.  Of others nothing is known. */
	enum {
		FIRST_KERNEL = 1,
		LAST_KERNEL = 3
	};
	const unsigned char *value = protocol && protocol->rta_len > sizeof(*protocol) ? RTA_DATA(protocol) : NULL;
	return !value ? "unknown" : *value >= FIRST_KERNEL && *value <= LAST_KERNEL ? "auto" : "manual";
}

static int add_address(void *data, const struct nlmsghdr *message)
{
	enum {
		IFA_PROTOCOL = 11, /* IFA_PROTO of newer headers */
		ATTRIBUTES
	};
	const struct rtattr *attributes[ATTRIBUTES];
	struct mw_rows *rows = data;
	char name[IF_NAMESIZE] = "";
	char text[64];
	const struct ifaddrmsg *head = mw_rtnl_body(message, sizeof(*head));
	if (message->nlmsg_type != RTM_NEWADDR || !head ||
	    (head->ifa_family != AF_INET && head->ifa_family != AF_INET6))
		return 0;
	mw_rtnl_attributes(message, sizeof(*head), attributes, ATTRIBUTES);
	const struct rtattr *local = attributes[IFA_LOCAL];
	const struct rtattr *address = attributes[IFA_ADDRESS];
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, INTERFACE, if_indextoname(head->ifa_index, name) ? name : "");
	mw_rtnl_address(local ? local : address, head->ifa_family, text);
	mw_rows_string(rows, ADDRESS, text);
	mask_of(head->ifa_prefixlen, head->ifa_family, text);
	mw_rows_string(rows, MASK, text);
	mw_rtnl_address(attributes[IFA_BROADCAST], head->ifa_family, text);
	mw_rows_string(rows, BROADCAST, text);
	/* With two addresses that differ the second is the peer's. */
	bool has_peer = local && address && local->rta_len == address->rta_len &&
			memcmp(RTA_DATA(local), RTA_DATA(address), RTA_PAYLOAD(local)) != 0;
	mw_rtnl_address(has_peer ? address : NULL, head->ifa_family, text);
	mw_rows_string(rows, POINT_TO_POINT, text);
	mw_rows_string(rows, TYPE, type_of(attributes[IFA_PROTOCOL]));
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)scan;
	(void)err;
	int r = mw_rtnl_dump(RTM_GETADDR, AF_UNSPEC, add_address, rows);
	return r == -ENOENT ? 0 : r;
}

const struct mw_sql_table mw_table_interface_addresses = {
	.name = "interface_addresses",
	.doc = "Addresses of the container's network interfaces.",
	.source = "rtnetlink(7)",
	.example = "SELECT interface, address, mask FROM interface_addresses WHERE interface != 'lo'",
	.columns = columns,
	.fill = fill,
};

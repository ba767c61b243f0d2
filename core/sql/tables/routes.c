#include <errno.h>
#include <net/if.h>
#include <string.h>

#include "proc/rtnl.h"
#include "sql/table.h"

enum {
	DESTINATION,
	NETMASK,
	GATEWAY,
	SOURCE,
	FLAGS,
	INTERFACE,
	MTU,
	METRIC,
	TYPE,
	HOPCOUNT,
};

static const struct mw_sql_column columns[] = {
	[DESTINATION] = {"destination", MW_SQL_TEXT, 0, "Network, or address, the route leads to"},
	[NETMASK] = {"netmask", MW_SQL_INTEGER, 0, "Bits of the network's mask"},
	[GATEWAY] = {"gateway", MW_SQL_TEXT, 0,
		     "Where packets go first; empty when the destination is reached directly"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "Address packets are sent from"},
	[FLAGS] = {"flags", MW_SQL_INTEGER, 0, "RTM_F_… and RTNH_F_… of rtnetlink(7)"},
	[INTERFACE] = {"interface", MW_SQL_TEXT, 0, "Name of the network interface"},
	[MTU] = {"mtu", MW_SQL_INTEGER, 0, "Bytes of the largest packet; 0 for the interface's own"},
	[METRIC] = {"metric", MW_SQL_INTEGER, 0, "Of several the lowest is taken"},
	[TYPE] = {"type", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "gateway (unicast), local, broadcast, anycast or other"},
	[HOPCOUNT] = {"hopcount", MW_SQL_INTEGER, 0, "Routers a packet may pass; 0 for the system's own"},
	{0},
};

static const char *type_of(unsigned char type)
{
	static const char *const types[] = {
		[RTN_UNICAST] = "gateway",
		[RTN_LOCAL] = "local",
		[RTN_BROADCAST] = "broadcast",
		[RTN_ANYCAST] = "anycast",
	};
	return type < sizeof(types) / sizeof(*types) && types[type] ? types[type] : "other";
}

enum {
	ATTRIBUTES = RTA_VIA + 1
};

static void gateway_of(const struct rtattr *const *attributes, int family, char text[64])
{
	const struct rtattr *via = attributes[RTA_VIA];
	mw_rtnl_address(attributes[RTA_GATEWAY], family, text);
	if (*text || !via || via->rta_len < sizeof(*via) + sizeof(struct rtvia))
		return;
	/* An IPv4 network behind an IPv6 router: the family, then the address. */
	const struct rtvia *address = RTA_DATA(via);
	union {
		struct rtattr head;
		char bytes[sizeof(struct rtattr) + 16];
	} copy = {.head.rta_len = sizeof(copy)};
	size_t n = via->rta_len - sizeof(*via) - sizeof(*address);
	memcpy(copy.bytes + sizeof(copy.head), address->rtvia_addr, n < 16 ? n : 16);
	mw_rtnl_address(&copy.head, address->rtvia_family, text);
}

/* One way of a route: `way` has its gateway. */
static int add_way(struct mw_rows *rows, const struct rtmsg *head, const struct rtattr *const *route,
		   const struct rtattr *const *way, uint32_t index, unsigned flags)
{
	const struct rtattr *metrics[RTAX_HOPLIMIT + 1] = {NULL};
	char name[IF_NAMESIZE] = "";
	char text[64];
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	if (route[RTA_METRICS])
		mw_rtnl_parse_attributes(RTA_DATA(route[RTA_METRICS]), RTA_PAYLOAD(route[RTA_METRICS]), metrics,
					 RTAX_HOPLIMIT + 1);
	mw_rtnl_address(route[RTA_DST], head->rtm_family, text);
	const char *any = head->rtm_family == AF_INET ? "0.0.0.0" : "::";
	mw_rows_string(rows, DESTINATION, *text ? text : any);
	mw_rows_int(rows, NETMASK, head->rtm_dst_len);
	gateway_of(way, head->rtm_family, text);
	mw_rows_string(rows, GATEWAY, text);
	mw_rtnl_address(route[RTA_PREFSRC], head->rtm_family, text);
	mw_rows_string(rows, SOURCE, text);
	mw_rows_int(rows, FLAGS, flags);
	mw_rows_string(rows, INTERFACE, index && if_indextoname(index, name) ? name : "");
	mw_rows_int(rows, MTU, mw_rtnl_u32(metrics[RTAX_MTU], 0));
	mw_rows_int(rows, METRIC, mw_rtnl_u32(route[RTA_PRIORITY], 0));
	mw_rows_string(rows, TYPE, type_of(head->rtm_type));
	mw_rows_int(rows, HOPCOUNT, mw_rtnl_u32(metrics[RTAX_HOPLIMIT], 0));
	return 0;
}

/* A route over several ways has a row for each. */
static int add_ways(struct mw_rows *rows, const struct rtmsg *head, const struct rtattr *const *route)
{
	const struct rtattr *way[ATTRIBUTES];
	const char *at = RTA_DATA(route[RTA_MULTIPATH]);
	size_t left = RTA_PAYLOAD(route[RTA_MULTIPATH]);
	int r = 0;
	while (r == 0 && left >= sizeof(struct rtnexthop)) {
		const struct rtnexthop *hop = (const struct rtnexthop *)(const void *)at;
		if (hop->rtnh_len < sizeof(*hop) || hop->rtnh_len > left)
			break;
		mw_rtnl_parse_attributes(at + sizeof(*hop), hop->rtnh_len - sizeof(*hop), way, ATTRIBUTES);
		r = add_way(rows, head, route, way, (uint32_t)hop->rtnh_ifindex, head->rtm_flags | hop->rtnh_flags);
		size_t step = ((size_t)hop->rtnh_len + 3) & ~(size_t)3;
		step = step < left ? step : left;
		at += step;
		left -= step;
	}
	return r;
}

static int add_route(void *data, const struct nlmsghdr *message)
{
	const struct rtattr *route[ATTRIBUTES];
	const struct rtmsg *head = mw_rtnl_body(message, sizeof(*head));
	if (message->nlmsg_type != RTM_NEWROUTE || !head || head->rtm_flags & RTM_F_CLONED)
		return 0;
	mw_rtnl_attributes(message, sizeof(*head), route, ATTRIBUTES);
	if (route[RTA_MULTIPATH])
		return add_ways(data, head, route);
	return add_way(data, head, route, route, mw_rtnl_u32(route[RTA_OIF], 0), head->rtm_flags);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)scan;
	(void)err;
	int r = mw_rtnl_dump(RTM_GETROUTE, AF_INET, add_route, rows);
	if (r == 0)
		r = mw_rtnl_dump(RTM_GETROUTE, AF_INET6, add_route, rows);
	return r == -ENOENT || r == -EAFNOSUPPORT || r == -EOPNOTSUPP ? 0 : r;
}

const struct mw_sql_table mw_table_routes = {
	.name = "routes",
	.doc = "Where packets go, IPv4 and IPv6, of all routing tables.",
	.source = "rtnetlink(7)",
	.example = "SELECT gateway, interface FROM routes WHERE destination = '0.0.0.0' AND netmask = 0",
	.columns = columns,
	.fill = fill,
};

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "proc/rtnl.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	INTERFACE,
	MAC,
	TYPE,
	MTU,
	METRIC,
	FLAGS,
	IPACKETS,
	OPACKETS,
	IBYTES,
	OBYTES,
	IERRORS,
	OERRORS,
	IDROPS,
	ODROPS,
	COLLISIONS,
	LAST_CHANGE,
	LINK_SPEED,
	PCI_SLOT,
	FRIENDLY_NAME,
	DESCRIPTION,
	MANUFACTURER,
	CONNECTION_ID,
	CONNECTION_STATUS,
	ENABLED,
	PHYSICAL_ADAPTER,
	SPEED,
	SERVICE,
	DHCP_ENABLED,
	DHCP_LEASE_EXPIRES,
	DHCP_LEASE_OBTAINED,
	DHCP_SERVER,
	DNS_DOMAIN,
	DNS_DOMAIN_SUFFIX_SEARCH_ORDER,
	DNS_HOST_NAME,
	DNS_SERVER_SEARCH_ORDER,
};

static const struct mw_sql_column columns[] = {
	[INTERFACE] = {"interface", MW_SQL_TEXT, 0, "Name of the network interface"},
	[MAC] = {"mac", MW_SQL_TEXT, 0, "Its hardware address", "nocase"},
	[TYPE] = {"type", MW_SQL_INTEGER, 0, "Kind of hardware, ARPHRD_… of net/if_arp.h: 1 Ethernet, 772 loopback"},
	[MTU] = {"mtu", MW_SQL_INTEGER, 0, "Bytes of the largest packet"},
	[METRIC] = {"metric", MW_SQL_INTEGER, 0, "Always 0"},
	[FLAGS] = {"flags", MW_SQL_INTEGER, 0, "IFF_… of netdevice(7)"},
	[IPACKETS] = {"ipackets", MW_SQL_BIGINT, 0, "Packets received"},
	[OPACKETS] = {"opackets", MW_SQL_BIGINT, 0, "Packets sent"},
	[IBYTES] = {"ibytes", MW_SQL_BIGINT, 0, "Bytes received"},
	[OBYTES] = {"obytes", MW_SQL_BIGINT, 0, "Bytes sent"},
	[IERRORS] = {"ierrors", MW_SQL_BIGINT, 0, "Packets received broken"},
	[OERRORS] = {"oerrors", MW_SQL_BIGINT, 0, "Packets that could not be sent"},
	[IDROPS] = {"idrops", MW_SQL_BIGINT, 0, "Packets received and dropped"},
	[ODROPS] = {"odrops", MW_SQL_BIGINT, 0, "Packets dropped instead of sent"},
	[COLLISIONS] = {"collisions", MW_SQL_BIGINT, 0, "Collisions"},
	[LAST_CHANGE] = {"last_change", MW_SQL_BIGINT, 0, "Always -1: not known"},
	[LINK_SPEED] = {"link_speed", MW_SQL_BIGINT, 0, "Mbit/s; 0 when not known"},
	[PCI_SLOT] = {"pci_slot", MW_SQL_TEXT, 0, "Where its device is in the machine; empty for virtual ones"},
	[FRIENDLY_NAME] = {"friendly_name", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[DESCRIPTION] = {"description", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[MANUFACTURER] = {"manufacturer", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[CONNECTION_ID] = {"connection_id", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[CONNECTION_STATUS] = {"connection_status", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[ENABLED] = {"enabled", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[PHYSICAL_ADAPTER] = {"physical_adapter", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[SPEED] = {"speed", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[SERVICE] = {"service", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[DHCP_ENABLED] = {"dhcp_enabled", MW_SQL_INTEGER, MW_SQL_FOREIGN, "Windows only"},
	[DHCP_LEASE_EXPIRES] = {"dhcp_lease_expires", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[DHCP_LEASE_OBTAINED] = {"dhcp_lease_obtained", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[DHCP_SERVER] = {"dhcp_server", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[DNS_DOMAIN] = {"dns_domain", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[DNS_DOMAIN_SUFFIX_SEARCH_ORDER] = {"dns_domain_suffix_search_order", MW_SQL_TEXT, MW_SQL_FOREIGN,
					    "Windows only"},
	[DNS_HOST_NAME] = {"dns_host_name", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	[DNS_SERVER_SEARCH_ORDER] = {"dns_server_search_order", MW_SQL_TEXT, MW_SQL_FOREIGN, "Windows only"},
	{0},
};

static void add_counters(const struct rtattr *attribute, struct mw_rows *rows)
{
	struct rtnl_link_stats64 stats = {0};
	size_t n = attribute ? attribute->rta_len - sizeof(*attribute) : 0;
	memcpy(&stats, n ? RTA_DATA(attribute) : &stats, n < sizeof(stats) ? n : sizeof(stats));
	mw_rows_int(rows, IPACKETS, (int64_t)stats.rx_packets);
	mw_rows_int(rows, OPACKETS, (int64_t)stats.tx_packets);
	mw_rows_int(rows, IBYTES, (int64_t)stats.rx_bytes);
	mw_rows_int(rows, OBYTES, (int64_t)stats.tx_bytes);
	mw_rows_int(rows, IERRORS, (int64_t)stats.rx_errors);
	mw_rows_int(rows, OERRORS, (int64_t)stats.tx_errors);
	mw_rows_int(rows, IDROPS, (int64_t)stats.rx_dropped);
	mw_rows_int(rows, ODROPS, (int64_t)stats.tx_dropped);
	mw_rows_int(rows, COLLISIONS, (int64_t)stats.collisions);
}

static int64_t speed_of(const char *name)
{
	struct ethtool_cmd command = {.cmd = ETHTOOL_GSET};
	struct ifreq request = {.ifr_data = (void *)&command};
	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	MW_AUTO_FD fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &request) < 0)
		return 0;
	uint32_t speed =
		(uint32_t)command.speed_hi << 16 | command.speed; /* ethtool_cmd_speed() shifts into the sign */
	return speed == (uint32_t)SPEED_UNKNOWN ? 0 : speed;
}

static void add_slot(const struct mw_sql_place *place, const char *name, struct mw_rows *rows)
{
	char path[MW_PATH_BYTES];
	MW_AUTO(mw_sql_lines) lines;
	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/device/uevent", name);
	(void)mw_sql_lines_init(&lines, place, path);
	mw_rows_string(rows, PCI_SLOT, "");
	for (const char *line; (line = mw_sql_next_line(&lines));)
		if (strncmp(line, "PCI_SLOT_NAME=", 14) == 0)
			mw_rows_string(rows, PCI_SLOT, line + 14);
}

struct target {
	const struct mw_sql_scan *scan;
	struct mw_sql_place place;
	struct mw_rows *rows;
};

static int add_link(void *data, const struct nlmsghdr *message)
{
	enum {
		ATTRIBUTES = IFLA_STATS64 + 1
	};
	const struct rtattr *attributes[ATTRIBUTES];
	const struct target *target = data;
	struct mw_rows *rows = target->rows;
	char text[64];
	const struct ifinfomsg *head = mw_rtnl_body(message, sizeof(*head));
	if (message->nlmsg_type != RTM_NEWLINK || !head)
		return 0;
	mw_rtnl_attributes(message, sizeof(*head), attributes, ATTRIBUTES);
	const char *name = mw_rtnl_text(attributes[IFLA_IFNAME]);
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, INTERFACE, name);
	mw_rtnl_mac(attributes[IFLA_ADDRESS], text);
	mw_rows_string(rows, MAC, text);
	mw_rows_int(rows, TYPE, head->ifi_type);
	mw_rows_int(rows, MTU, mw_rtnl_u32(attributes[IFLA_MTU], 0));
	mw_rows_int(rows, METRIC, 0);
	mw_rows_int(rows, FLAGS, head->ifi_flags);
	add_counters(attributes[IFLA_STATS64], rows);
	mw_rows_int(rows, LAST_CHANGE, -1);
	if (mw_sql_wants(target->scan, LINK_SPEED))
		mw_rows_int(rows, LINK_SPEED, speed_of(name));
	if (mw_sql_wants(target->scan, PCI_SLOT))
		add_slot(&target->place, name, rows);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct target target = {.scan = scan, .rows = rows};
	(void)err;
	int r = mw_sql_place_init(&target.place, scan, MW_SQL_NO_COLUMN);
	if (r == 0)
		r = mw_rtnl_dump(RTM_GETLINK, AF_UNSPEC, add_link, &target);
	return r == -ENOENT ? 0 : r;
}

const struct mw_sql_table mw_table_interface_details = {
	.name = "interface_details",
	.doc = "The container's network interfaces and what went through them.",
	.source = "rtnetlink(7), /sys/class/net",
	.example = "SELECT interface, mac, mtu, ibytes, obytes FROM interface_details",
	.columns = columns,
	.fill = fill,
};

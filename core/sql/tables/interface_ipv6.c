#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/limits.h"
#include "proc/rtnl.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	INTERFACE,
	HOP_LIMIT,
	FORWARDING_ENABLED,
	REDIRECT_ACCEPT,
	RTADV_ACCEPT,
};

static const struct mw_sql_column columns[] = {
	[INTERFACE] = {"interface", MW_SQL_TEXT, 0, "Name of the network interface"},
	[HOP_LIMIT] = {"hop_limit", MW_SQL_INTEGER, 0, "Routers a packet may pass"},
	[FORWARDING_ENABLED] = {"forwarding_enabled", MW_SQL_INTEGER, 0, "1 when packets of others are passed on"},
	[REDIRECT_ACCEPT] = {"redirect_accept", MW_SQL_INTEGER, 0, "1 when a router may tell of a better one"},
	[RTADV_ACCEPT] = {"rtadv_accept", MW_SQL_INTEGER, 0, "1 when a router may tell addresses"},
	{0},
};

/* -1 when it is not said. */
static int64_t setting(int procfd, const char *interface, const char *name)
{
	char path[MW_PATH_BYTES];
	MW_AUTO(mw_sql_lines) lines;
	(void)snprintf(path, sizeof(path), "sys/net/ipv6/conf/%s/%s", interface, name);
	(void)mw_sql_lines_at(&lines, procfd, path);
	const char *line = mw_sql_next_line(&lines);
	return line ? strtoll(line, NULL, 10) : -1;
}

static int add(int procfd, const char *name, struct mw_rows *rows)
{
	int64_t forwarding = setting(procfd, name, "forwarding");
	bool all = setting(procfd, "all", "accept_redirects") != 0;
	bool own = setting(procfd, name, "accept_redirects") != 0;
	int64_t advertisements = setting(procfd, name, "accept_ra");
	if (forwarding < 0)
		return 0;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	/* Documentation/networking/ip-sysctl.rst: which of "all" and the interface's own counts. */
	mw_rows_string(rows, INTERFACE, name);
	mw_rows_int(rows, HOP_LIMIT, setting(procfd, name, "hop_limit"));
	mw_rows_int(rows, FORWARDING_ENABLED, forwarding);
	mw_rows_int(rows, REDIRECT_ACCEPT, forwarding ? all && own : all || own);
	mw_rows_int(rows, RTADV_ACCEPT, advertisements == 2 || (advertisements == 1 && !forwarding));
	return 0;
}

struct target {
	int procfd;
	struct mw_rows *rows;
};

static int add_link(void *data, const struct nlmsghdr *message)
{
	const struct rtattr *attributes[IFLA_IFNAME + 1];
	const struct target *target = data;
	if (message->nlmsg_type != RTM_NEWLINK)
		return 0;
	mw_rtnl_attributes(message, sizeof(struct ifinfomsg), attributes, IFLA_IFNAME + 1);
	return add(target->procfd, mw_rtnl_text(attributes[IFLA_IFNAME]), target->rows);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct target target = {.procfd = scan->world->procfd, .rows = rows};
	(void)err;
	int r = mw_rtnl_dump(RTM_GETLINK, AF_UNSPEC, add_link, &target);
	return r == -ENOENT ? 0 : r;
}

const struct mw_sql_table mw_table_interface_ipv6 = {
	.name = "interface_ipv6",
	.doc = "How network interfaces deal with IPv6; those that have it.",
	.source = "rtnetlink(7), /proc/sys/net/ipv6/conf",
	.example = "SELECT interface, forwarding_enabled FROM interface_ipv6",
	.columns = columns,
	.fill = fill,
};

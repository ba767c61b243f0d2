#include <errno.h>
#include <net/if.h>
#include <sys/socket.h>

#include "proc/rtnl.h"
#include "sql/table.h"

enum {
	ADDRESS,
	MAC,
	INTERFACE,
	PERMANENT,
};

static const struct mw_sql_column columns[] = {
	[ADDRESS] = {"address", MW_SQL_TEXT, 0, "IPv4 address of a neighbour"},
	[MAC] = {"mac", MW_SQL_TEXT, 0, "Its hardware address", "nocase"},
	[INTERFACE] = {"interface", MW_SQL_TEXT, 0, "Name of the network interface it is reached by"},
	[PERMANENT] = {"permanent", MW_SQL_TEXT, 0, "1 for an entry that was made by hand, else 0"},
	{0},
};

static int add_neighbour(void *data, const struct nlmsghdr *message)
{
	const struct rtattr *attributes[NDA_LLADDR + 1];
	struct mw_rows *rows = data;
	char name[IF_NAMESIZE] = "";
	char text[64];
	const struct ndmsg *head = mw_rtnl_body(message, sizeof(*head));
	if (message->nlmsg_type != RTM_NEWNEIGH || !head || head->ndm_family != AF_INET || head->ndm_state & NUD_NOARP)
		return 0;
	mw_rtnl_attributes(message, sizeof(*head), attributes, NDA_LLADDR + 1);
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rtnl_address(attributes[NDA_DST], AF_INET, text);
	mw_rows_string(rows, ADDRESS, text);
	mw_rtnl_mac(attributes[NDA_LLADDR], text);
	mw_rows_string(rows, MAC,
		       *text ? text : "00:00:00:00:00:00"); /* as /proc/net/arp has those that do not answer */
	mw_rows_string(rows, INTERFACE, if_indextoname((unsigned)head->ndm_ifindex, name) ? name : "");
	mw_rows_string(rows, PERMANENT, head->ndm_state & NUD_PERMANENT ? "1" : "0");
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)scan;
	(void)err;
	int r = mw_rtnl_dump(RTM_GETNEIGH, AF_INET, add_neighbour, rows);
	return r == -ENOENT ? 0 : r;
}

const struct mw_sql_table mw_table_arp_cache = {
	.name = "arp_cache",
	.doc = "Hardware addresses of neighbours, learned by ARP.",
	.source = "rtnetlink(7)",
	.example = "SELECT mac, count(*) FROM arp_cache GROUP BY mac HAVING count(*) > 1",
	.columns = columns,
	.fill = fill,
};

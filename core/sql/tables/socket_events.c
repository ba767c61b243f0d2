/* What the sensor saw of sockets, from the spool.  Bodies have the shape of core/event/event_shapes.c. */

#include "sql/spool_table.h"

enum {
	ACTION,
	PID,
	PATH,
	FD,
	AUID,
	FAMILY,
	PROTOCOL,
	LOCAL_ADDRESS,
	REMOTE_ADDRESS,
	LOCAL_PORT,
	REMOTE_PORT,
	SOCKET,
	TIME,
	UPTIME,
	EID,
	SUCCESS,
	STATUS,
	NAME,
	CMDLINE,
	SAMPLED,
};

static const struct mw_sql_column columns[] = {
	[ACTION] = {"action", MW_SQL_TEXT, 0, "connect, bind, listen or accept"},
	[PID] = {"pid", MW_SQL_BIGINT, 0, "Process id; NULL when not known"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of its executable"},
	[FD] = {"fd", MW_SQL_TEXT, 0, "Descriptor"},
	[AUID] = {"auid", MW_SQL_BIGINT, 0, "Audit user id; not known without the audit system"},
	[FAMILY] = {"family", MW_SQL_INTEGER, 0, "1 unix, 2 IPv4, 10 IPv6"},
	[PROTOCOL] = {"protocol", MW_SQL_INTEGER, MW_SQL_HIDDEN, "6 TCP, 17 UDP"},
	[LOCAL_ADDRESS] = {"local_address", MW_SQL_TEXT, 0, "Address of this end"},
	[REMOTE_ADDRESS] = {"remote_address", MW_SQL_TEXT, 0, "Address of the other end"},
	[LOCAL_PORT] = {"local_port", MW_SQL_INTEGER, 0, "Port of this end"},
	[REMOTE_PORT] = {"remote_port", MW_SQL_INTEGER, 0, "Port of the other end"},
	[SOCKET] = {"socket", MW_SQL_TEXT, MW_SQL_HIDDEN, "unix: its path; with @ in front when it is abstract"},
	[TIME] = {"time", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_RANGE | MW_SQL_ORDER,
		  "When it happened, in seconds since 1970"},
	[UPTIME] = {"uptime", MW_SQL_BIGINT, 0,
		    "Seconds that the machine was up then; NULL of events before it was started"},
	[EID] = {"eid", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_HIDDEN, "Id of the event"},
	[SUCCESS] = {"success", MW_SQL_INTEGER, MW_SQL_HIDDEN, "1 when it succeeded, 0 when not"},
	[STATUS] =
		{"status", MW_SQL_TEXT, 0,
		 "succeeded, failed, in_progress (connect without waiting), no_client (accept without waiting); NULL when not "
		 "known"},
	[NAME] = {"name", MW_SQL_TEXT, 0, "Command name (comm) of the process"},
	[CMDLINE] = {"cmdline", MW_SQL_TEXT, 0, "Its arguments, with blanks between"},
	[SAMPLED] = {"sampled", MW_SQL_INTEGER, 0,
		     "1 when it was found by looking now and then, and so a little later"},
	{0},
};

#define SOCKET_(field) "json_extract(body, '$.socket." field "')"
/* Found by looking, or only asked for: what came of it is not known. */
#define UNKNOWN "json_type(body, '$.call') IS NULL OR json_extract(body, '$.call.attempt')"
#define ERROR "json_extract(body, '$.call.error')"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[ACTION] = "substr(kind, 8)", /* behind "socket." */
	[PID] = "nullif(pid, 0)",
	[PATH] = "json_extract(body, '$.process.exe')",
	[FD] = "CAST(" SOCKET_("fd") " AS TEXT)",
	[FAMILY] = "CASE " SOCKET_("family") " WHEN 'ipv4' THEN 2 WHEN 'ipv6' THEN 10 WHEN 'unix' THEN 1 END",
	[PROTOCOL] = "CASE " SOCKET_("protocol") " WHEN 'tcp' THEN 6 WHEN 'udp' THEN 17 WHEN 'icmp' THEN 1 END",
	[LOCAL_ADDRESS] = SOCKET_("local_address"),
	[REMOTE_ADDRESS] = SOCKET_("remote_address"),
	[LOCAL_PORT] = SOCKET_("local_port"),
	[REMOTE_PORT] = SOCKET_("remote_port"),
	[SOCKET] = SOCKET_("path"),
	[TIME] = "time_ns / 1000000000",
	[UPTIME] = "uptime_at(time_ns)",
	[EID] = "id",
	[SUCCESS] = "CASE WHEN " UNKNOWN " THEN NULL ELSE " ERROR " IS NULL END",
	[STATUS] = "CASE WHEN " UNKNOWN " THEN NULL WHEN " ERROR " IS NULL THEN 'succeeded'"
		   " WHEN " ERROR " = 'EINPROGRESS' THEN 'in_progress' WHEN " ERROR " IN ('EAGAIN', 'EWOULDBLOCK')"
		   " AND kind = 'socket.accept' THEN 'no_client' ELSE 'failed' END",
	[NAME] = "json_extract(body, '$.process.name')",
	[CMDLINE] = "json_extract(body, '$.process.cmdline')",
	[SAMPLED] = "coalesce(json_extract(body, '$.sampled'), 0)",
};

static const struct mw_spool_source source = {
	.is_events = true,
	.stream = MW_SPOOL_EVENTS,
	.where = "kind IN ('socket.connect', 'socket.bind', 'socket.listen', 'socket.accept')",
	.expressions = expressions,
	.time = TIME,
	.eid = EID,
	.pid = PID,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_socket_events = {
	.name = "socket_events",
	.doc = "Connections made, taken and waited for, as the sensor saw them.",
	.source = "spool",
	.example =
		"SELECT time, pid, path, action, remote_address, remote_port FROM socket_events WHERE action = 'connect'"
		" ORDER BY time DESC LIMIT 10",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

/* Sockets that wait for somebody: TCP that listens, UDP without a peer, unix with a name. */

#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>

#include "sql/sockets.h"
#include "sql/table.h"

enum {
	PID,
	PORT,
	PROTOCOL,
	FAMILY,
	ADDRESS,
	FD,
	SOCKET,
	PATH,
	NET_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	/* Not one of osquery's indexes, but as useful: see process_open_sockets. */
	[PID] = {"pid", MW_SQL_INTEGER, MW_SQL_RANGE | MW_SQL_SET, "Process id; -1 when nobody is known to hold it"},
	[PORT] = {"port", MW_SQL_INTEGER, 0, "Port; 0 for unix"},
	[PROTOCOL] = {"protocol", MW_SQL_INTEGER, 0, "6 TCP, 17 UDP, 0 unix"},
	[FAMILY] = {"family", MW_SQL_INTEGER, 0, "1 unix, 2 IPv4, 10 IPv6"},
	[ADDRESS] = {"address", MW_SQL_TEXT, 0, "Address it listens on"},
	[FD] = {"fd", MW_SQL_BIGINT, 0, "Descriptor; -1 as pid"},
	[SOCKET] = {"socket", MW_SQL_BIGINT, 0, "Inode of the socket"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "unix: its path; with @ in front when it is abstract"},
	[NET_NAMESPACE] = {"net_namespace", MW_SQL_TEXT, 0, "Inode of the network namespace"},
	{0},
};

static bool waits(const struct mw_open_socket *socket)
{
	const struct mw_sock *sock = &socket->sock;
	if (sock->part == MW_SOCK_UNIX)
		return *socket->path && (sock->state == MW_SOCK_LISTEN || sock->state == MW_SOCK_CLOSED);
	if (mw_socket_protocol(sock) == IPPROTO_TCP)
		return sock->state == MW_SOCK_LISTEN;
	return sock->remote_port == 0 && sock->local_port != 0;
}

static int add_socket(const struct mw_open_socket *socket, void *data)
{
	struct mw_rows *rows = data;
	const struct mw_sock *sock = &socket->sock;
	char text[64];
	if (!waits(socket))
		return 0;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, PID, socket->pid);
	mw_rows_int(rows, PORT, sock->local_port);
	mw_rows_int(rows, PROTOCOL, mw_socket_protocol(sock));
	mw_rows_int(rows, FAMILY, mw_socket_family(sock));
	mw_rows_string(rows, ADDRESS, mw_socket_local(sock, text) ? text : "");
	mw_rows_int(rows, FD, socket->fd);
	mw_rows_int(rows, SOCKET, (int64_t)sock->inode);
	mw_rows_string(rows, PATH, socket->path);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)socket->namespace);
	mw_rows_string(rows, NET_NAMESPACE, text);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	return mw_each_open_socket(scan, PID, add_socket, rows, err);
}

const struct mw_sql_table mw_table_listening_ports = {
	.name = "listening_ports",
	.doc = "Sockets that wait for somebody to connect or send.",
	.source = "sock_diag(7), /proc/PID/net, /proc/PID/fd",
	.example =
		"SELECT p.name, l.address, l.port FROM listening_ports l JOIN processes p USING (pid) WHERE l.family IN (2, 10)",
	.columns = columns,
	.fill = fill,
};

/* Sockets that processes hold open. */

#include <netinet/in.h>
#include <stdio.h>

#include "sql/sockets.h"
#include "sql/table.h"

enum {
	PID,
	FD,
	SOCKET,
	FAMILY,
	PROTOCOL,
	LOCAL_ADDRESS,
	REMOTE_ADDRESS,
	LOCAL_PORT,
	REMOTE_PORT,
	PATH,
	STATE,
	NET_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_SET,
		 "Process id; -1 when nobody is known to hold it"},
	[FD] = {"fd", MW_SQL_BIGINT, 0, "Descriptor; -1 likewise"},
	[SOCKET] = {"socket", MW_SQL_BIGINT, 0, "Inode of the socket"},
	[FAMILY] = {"family", MW_SQL_INTEGER, 0, "1 unix, 2 IPv4, 10 IPv6"},
	[PROTOCOL] = {"protocol", MW_SQL_INTEGER, 0, "6 TCP, 17 UDP, 0 unix"},
	[LOCAL_ADDRESS] = {"local_address", MW_SQL_TEXT, 0, "Address of this end"},
	[REMOTE_ADDRESS] = {"remote_address", MW_SQL_TEXT, 0, "Address of the other end"},
	[LOCAL_PORT] = {"local_port", MW_SQL_INTEGER, 0, "Port of this end"},
	[REMOTE_PORT] = {"remote_port", MW_SQL_INTEGER, 0, "Port of the other end"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "unix: its path; with @ in front when it is abstract"},
	[STATE] = {"state", MW_SQL_TEXT, 0, "TCP: LISTEN, ESTABLISHED …"},
	[NET_NAMESPACE] = {"net_namespace", MW_SQL_TEXT, 0, "Inode of the network namespace"},
	{0},
};

static void add_state(const struct mw_sock *sock, struct mw_rows *rows)
{
	/* tcp_states.h of Linux. */
	static const char *const names[] = {NULL,         "ESTABLISHED", "SYN_SENT",  "SYN_RECV",
					    "FIN_WAIT1",  "FIN_WAIT2",   "TIME_WAIT", "CLOSE",
					    "CLOSE_WAIT", "LAST_ACK",    "LISTEN",    "CLOSING"};
	if (mw_socket_protocol(sock) == IPPROTO_TCP && sock->state && sock->state < sizeof(names) / sizeof(names[0]))
		mw_rows_string(rows, STATE, names[sock->state]);
}

static int add_socket(const struct mw_open_socket *socket, void *data)
{
	struct mw_rows *rows = data;
	const struct mw_sock *sock = &socket->sock;
	char text[64];
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_int(rows, PID, socket->pid);
	mw_rows_int(rows, FD, socket->fd);
	mw_rows_int(rows, SOCKET, (int64_t)sock->inode);
	mw_rows_int(rows, FAMILY, mw_socket_family(sock));
	mw_rows_int(rows, PROTOCOL, mw_socket_protocol(sock));
	if (mw_socket_local(sock, text)) {
		mw_rows_string(rows, LOCAL_ADDRESS, text);
		mw_rows_int(rows, LOCAL_PORT, sock->local_port);
	}
	if (mw_socket_remote(sock, text)) {
		mw_rows_string(rows, REMOTE_ADDRESS, text);
		mw_rows_int(rows, REMOTE_PORT, sock->remote_port);
	}
	mw_rows_string(rows, PATH, socket->path);
	add_state(sock, rows);
	(void)snprintf(text, sizeof(text), "%llu", (unsigned long long)socket->namespace);
	mw_rows_string(rows, NET_NAMESPACE, text);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	return mw_each_open_socket(scan, PID, add_socket, rows, err);
}

const struct mw_sql_table mw_table_process_open_sockets = {
	.name = "process_open_sockets",
	.doc = "Sockets that processes hold open: TCP, UDP and unix.",
	.source = "sock_diag(7), /proc/PID/net, /proc/PID/fd",
	.example =
		"SELECT p.name, s.remote_address, s.remote_port FROM process_open_sockets s JOIN processes p USING (pid)"
		" WHERE s.remote_port != 0",
	.columns = columns,
	.rows_per_key = 4,
	.fill = fill,
};

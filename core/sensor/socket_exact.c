#include "sensor/socket_exact.h"

#include <string.h>

#include "sensor/socket_table.h"

static uint64_t inode_key(enum mw_event_kind kind, uint64_t inode)
{
	return mw_told_key((uint64_t)kind, &inode, sizeof(inode));
}

static uint64_t address_key(enum mw_event_kind kind, const struct mw_socket *socket, int local_port)
{
	static const char mapped[] = "::ffff:";
	const char *address = socket->remote_address;
	if (strncmp(address, mapped, sizeof(mapped) - 1) == 0 && strchr(address, '.'))
		address += sizeof(mapped) - 1;
	const int ports[2] = {local_port, socket->remote_port};
	return mw_told_key(mw_told_key((uint64_t)kind, ports, sizeof(ports)), address, strlen(address));
}

void mw_socket_exact_add(struct mw_told *told, enum mw_event_kind kind, const struct mw_socket *socket,
			 int64_t until_ns)
{
	if (socket->inode)
		mw_told_add(told, inode_key(kind, socket->inode), until_ns);
	if (socket->remote_port)
		mw_told_add(told, address_key(kind, socket, socket->local_port), until_ns);
}

bool mw_socket_exact_has(const struct mw_told *told, enum mw_event_kind kind, const struct mw_socket *socket,
			 int64_t now_ns)
{
	if (socket->inode && mw_told_has(told, inode_key(kind, socket->inode), now_ns))
		return true;
	/* An event read before the call does not know the local port. */
	return socket->remote_port && (mw_told_has(told, address_key(kind, socket, socket->local_port), now_ns) ||
				       (!socket->inode && mw_told_has(told, address_key(kind, socket, 0), now_ns)));
}

/* First the descriptors of the processes: which sockets are whose, and in which network namespaces.  Then the sockets of each
 * namespace, one after the other: of ours from sock_diag, of others from the files of a process that is there. */
#include "sql/sockets.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "proc/procfs.h"
#include "sql/process_fds.h"
#include "sql/process_table.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	HOLDERS = 1 << 20,
	NAMESPACES = 256,
	SOCKETS = 1 << 20, /* lines of a file */
	PIECES = 16,
};

struct holder {
	uint64_t inode, namespace;
	pid_t pid;
	int fd;
};

struct work {
	struct holder *holders;
	size_t count, capacity;
	struct {
		uint64_t namespace;
		pid_t pid; /* one that is in it */
	} namespaces[NAMESPACES];
	size_t namespaces_count;
	/* Of the process that is looked at. */
	pid_t pid;
	uint64_t namespace;
	/* Of the walk over sockets. */
	bool is_of_some;
	mw_each_socket *each;
	void *data;
	int result;
};

static int note_holder(void *data, int fd, const char *target)
{
	struct work *work = data;
	uint64_t inode = mw_fd_inode(target, "socket");
	if (!inode)
		return 0;
	if (work->count == work->capacity) {
		size_t capacity = work->capacity ? work->capacity * 2 : 64;
		struct holder *holders =
			capacity > HOLDERS ? NULL : reallocarray(work->holders, capacity, sizeof(*holders));
		if (!holders)
			return capacity > HOLDERS ? -ENOBUFS : -ENOMEM;
		work->holders = holders;
		work->capacity = capacity;
	}
	work->holders[work->count++] =
		(struct holder){.inode = inode, .namespace = work->namespace, .pid = work->pid, .fd = fd};
	return 0;
}

static uint64_t namespace_of(int pidfd)
{
	char target[MW_PATH_BYTES];
	return mw_procfs_link(pidfd, "ns/net", target) == 0 ? mw_fd_inode(target, "net") : 0;
}

static void note_namespace(struct work *work)
{
	for (size_t i = 0; i < work->namespaces_count; i++)
		if (work->namespaces[i].namespace == work->namespace)
			return;
	if (!work->namespace || work->namespaces_count == NAMESPACES)
		return;
	work->namespaces[work->namespaces_count].namespace = work->namespace;
	work->namespaces[work->namespaces_count++].pid = work->pid;
}

static int look_at(struct work *work, const struct mw_sql_scan *scan, pid_t pid)
{
	MW_AUTO_FD pidfd = -1;
	int r = mw_procfs_open_pid(scan->world->procfd, pid, &pidfd);
	if (r < 0)
		return 0;
	scan->world->processes_read++;
	work->pid = pid;
	work->namespace = namespace_of(pidfd);
	note_namespace(work);
	r = mw_process_each_fd(pidfd, note_holder, work);
	if (r == -EACCES || r == -EPERM)
		mw_sql_warn(scan->world, "%s: some processes of other users cannot be looked into", scan->table->name);
	return r == -ENOMEM || r == -ENOBUFS ? r : 0;
}

static int look_at_all(struct work *work, const struct mw_sql_scan *scan)
{
	struct mw_procfs_walk *walk = NULL;
	int r = mw_procfs_walk_open(scan->world->procfd, &walk);
	if (r < 0)
		return r;
	pid_t pid;
	while ((r = mw_procfs_next(walk, &pid)) > 0)
		if ((r = look_at(work, scan, pid)) < 0)
			break;
	mw_procfs_walk_close(walk);
	return r;
}

static int by_inode(const void *a, const void *b)
{
	const struct holder *left = a;
	const struct holder *right = b;
	if (left->inode != right->inode)
		return left->inode < right->inode ? -1 : 1;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return left->fd < right->fd ? -1 : left->fd > right->fd;
}

/* The first of those that hold it, in order; NULL for none. */
static struct holder *holders_of(const struct work *work, uint64_t inode)
{
	size_t low = 0;
	size_t high = work->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (work->holders[middle].inode < inode)
			low = middle + 1;
		else
			high = middle;
	}
	return low < work->count && work->holders[low].inode == inode ? &work->holders[low] : NULL;
}

static void set_path(struct mw_open_socket *socket, const struct mw_sock *sock)
{
	size_t n = sock->path ? sock->path_bytes : 0;
	if (n > MW_SOCK_PATH_BYTES)
		n = MW_SOCK_PATH_BYTES;
	if (n && sock->path[0])
		n = strnlen(sock->path, n);
	for (size_t i = 0; i < n; i++)
		socket->path[i] = sock->path[i] ? sock->path[i] : '@';
	socket->path[n] = '\0';
}

static void take_socket(void *data, const struct mw_sock *sock)
{
	struct work *work = data;
	if (work->result < 0)
		return;
	struct mw_open_socket socket = {.pid = -1, .fd = -1, .namespace = work->namespace, .sock = *sock};
	set_path(&socket, sock);
	struct holder *holder = sock->inode ? holders_of(work, sock->inode) : NULL;
	if (!holder) {
		if (!work->is_of_some)
			work->result = work->each(&socket, work->data);
		return;
	}
	for (; holder < work->holders + work->count && holder->inode == sock->inode && work->result >= 0; holder++) {
		socket.pid = holder->pid;
		socket.fd = holder->fd;
		work->result = work->each(&socket, work->data);
	}
}

/* False when netlink cannot be asked for this part. */
static bool ask_kernel(struct work *work, enum mw_sock_part part)
{
	struct mw_sockdiag diag;
	if (mw_sockdiag_open(&diag) < 0)
		return false;
	int r = mw_sockdiag_ask(&diag, part);
	while (r == 0 && work->result >= 0)
		r = mw_sockdiag_read(&diag, PIECES, take_socket, work);
	mw_sockdiag_close(&diag);
	return r >= 0;
}

static void read_files(struct work *work, const struct mw_sql_scan *scan, const char *folder, enum mw_sock_part part)
{
	MW_AUTO_FD netfd = openat(scan->world->procfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (netfd < 0)
		return;
	if (mw_sockets_read_file(netfd, part, SOCKETS, take_socket, work) == -EFBIG)
		mw_sql_warn(scan->world, "%s: not all of the sockets are shown", scan->table->name);
}

static void walk_namespace(struct work *work, const struct mw_sql_scan *scan, pid_t pid, bool is_ours)
{
	char folder[32];
	(void)snprintf(folder, sizeof(folder), "%d/net", (int)pid);
	for (unsigned part = 0; part < MW_SOCK_PARTS && work->result >= 0; part++)
		if (!is_ours || !ask_kernel(work, (enum mw_sock_part)part))
			read_files(work, scan, folder, (enum mw_sock_part)part);
}

/* The processes that the query names; NULL for all. */
static const struct mw_sql_constraint *named(const struct mw_sql_scan *scan, unsigned pid_column, size_t *ret_count)
{
	const struct mw_sql_constraint *pids = mw_sql_one_of(scan, pid_column, ret_count);
	for (size_t i = 0; pids && i < *ret_count; i++)
		if (pids[i].is_integer && pids[i].integer == -1)
			return NULL;
	return pids;
}

int mw_each_open_socket(const struct mw_sql_scan *scan, unsigned pid_column, mw_each_socket *each, void *data,
			struct mw_err *err)
{
	size_t count = 0;
	const struct mw_sql_constraint *pids = named(scan, pid_column, &count);
	struct work work = {.each = each, .data = data, .is_of_some = pids != NULL};
	MW_AUTO_FREE pid_t *numbers = NULL;
	int r = pids ? mw_process_numbers(pids, count, &numbers, &count) : look_at_all(&work, scan);
	for (size_t i = 0; pids && i < count && r == 0; i++)
		r = look_at(&work, scan, numbers[i]);
	if (r < 0) {
		free(work.holders);
		return mw_err_set(err, r, "%s", r == -ENOBUFS ? "too many descriptors" : strerror(-r));
	}
	if (work.count)
		qsort(work.holders, work.count, sizeof(*work.holders), by_inode);
	MW_AUTO_FD selffd = openat(scan->world->procfd, "self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	uint64_t ours = selffd >= 0 ? namespace_of(selffd) : 0;
	for (size_t i = 0; i < work.namespaces_count && work.result >= 0; i++) {
		work.namespace = work.namespaces[i].namespace;
		walk_namespace(&work, scan, work.namespaces[i].pid, work.namespace == ours);
	}
	free(work.holders);
	return work.result < 0 ? work.result : 0;
}

int mw_socket_family(const struct mw_sock *sock)
{
	if (sock->part == MW_SOCK_UNIX)
		return AF_UNIX;
	return sock->part == MW_SOCK_TCP4 || sock->part == MW_SOCK_UDP4 ? AF_INET : AF_INET6;
}

int mw_socket_protocol(const struct mw_sock *sock)
{
	if (sock->part == MW_SOCK_UNIX)
		return 0;
	return sock->part == MW_SOCK_TCP4 || sock->part == MW_SOCK_TCP6 ? IPPROTO_TCP : IPPROTO_UDP;
}

static bool set_address(const struct mw_sock *sock, const uint8_t address[16], char out[64])
{
	return sock->part != MW_SOCK_UNIX && inet_ntop(mw_socket_family(sock), address, out, 64);
}

bool mw_socket_local(const struct mw_sock *sock, char out[64])
{
	return set_address(sock, sock->local, out);
}

bool mw_socket_remote(const struct mw_sock *sock, char out[64])
{
	return set_address(sock, sock->remote, out);
}

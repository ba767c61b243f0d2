/* sock_diag and /proc/net: real sockets of this process, as the kernel tells of them. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/sockdiag.h"

struct search {
	uint64_t inode;
	uint16_t local_port;
	struct mw_sock found;
	unsigned count;
	char path[MW_SOCK_PATH_BYTES];
};

static void match(void *data, const struct mw_sock *sock)
{
	struct search *search = data;
	if (search->inode ? sock->inode != search->inode : sock->local_port != search->local_port)
		return;
	search->count++;
	search->found = *sock;
	memcpy(search->path, sock->path ? sock->path : "", sock->path_bytes);
	search->found.path = NULL;
}

static uint64_t inode_of(int fd)
{
	struct stat stat;
	assert_int_equal(fstat(fd, &stat), 0);
	return stat.st_ino;
}

/* The socket in a snapshot; count 0 when it is not there.  Skips where netlink is refused. */
static struct search in_snapshot(int fd, enum mw_sock_part part)
{
	struct search search = {.inode = inode_of(fd)};
	struct mw_sockdiag diag;
	int r = mw_sockdiag_open(&diag);
	if (r == 0)
		r = mw_sockdiag_ask(&diag, part);
	while (r == 0)
		r = mw_sockdiag_read(&diag, 1, match, &search);
	mw_sockdiag_close(&diag);
	if (r == -ENOENT || r == -EPERM || r == -EACCES || r == -EPROTONOSUPPORT) {
		print_message("no sock_diag for part %d here: %s\n", (int)part, strerror(-r));
		skip();
	}
	assert_int_equal(r, 1);
	return search;
}

static struct search in_file(int fd, enum mw_sock_part part)
{
	struct search search = {.inode = inode_of(fd)};
	int netfd = open("/proc/self/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mw_sockets_read_file(netfd, part, 1 << 20, match, &search), 0);
	close(netfd);
	return search;
}

static socklen_t loopback(int family, struct sockaddr_storage *address)
{
	memset(address, 0, sizeof(*address));
	address->ss_family = (sa_family_t)family;
	if (family == AF_INET) {
		((struct sockaddr_in *)address)->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(struct sockaddr_in);
	}
	((struct sockaddr_in6 *)address)->sin6_addr = in6addr_loopback;
	return sizeof(struct sockaddr_in6);
}

static uint16_t port_of(int fd)
{
	struct sockaddr_storage address;
	memset(&address, 0, sizeof(address));
	socklen_t size = sizeof(address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
						  : ((struct sockaddr_in6 *)&address)->sin6_port);
}

/* A listener; skips where the family has no loopback address. */
static int listen_on(int family)
{
	struct sockaddr_storage address;
	memset(&address, 0, sizeof(address));
	socklen_t size = loopback(family, &address);
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0) {
		print_message("no loopback address of family %d here: %s\n", family, strerror(errno));
		skip();
	}
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int connect_to(int listener)
{
	struct sockaddr_storage address;
	memset(&address, 0, sizeof(address));
	socklen_t size = sizeof(address);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, size), 0);
	return fd;
}

static void check_tcp(int family, enum mw_sock_part part, const char *loopback_text, bool from_file)
{
	struct search (*look)(int, enum mw_sock_part) = from_file ? in_file : in_snapshot;
	int listener = listen_on(family);
	int client = connect_to(listener);
	int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	char address[64];

	struct search search = look(listener, part);
	assert_int_equal(search.count, 1);
	assert_int_equal(search.found.state, MW_SOCK_LISTEN);
	assert_int_equal(search.found.type, SOCK_STREAM);
	assert_int_equal(search.found.local_port, port_of(listener));
	assert_int_equal(search.found.remote_port, 0);

	search = look(client, part);
	assert_int_equal(search.count, 1);
	assert_int_equal(search.found.state, MW_SOCK_ESTABLISHED);
	assert_int_equal(search.found.local_port, port_of(client));
	assert_int_equal(search.found.remote_port, port_of(listener));
	assert_int_equal(mw_sock_address(part, search.found.remote, search.found.remote_port, address),
			 family == AF_INET);
	assert_string_equal(address, loopback_text);
	assert_int_equal(!search.found.cookie, from_file);

	search = look(server, part);
	assert_int_equal(search.found.local_port, port_of(listener));
	assert_int_equal(search.found.remote_port, port_of(client));
	close(client);
	close(server);
	close(listener);
}

static void tcp_over_ipv4(void **state)
{
	(void)state;
	check_tcp(AF_INET, MW_SOCK_TCP4, "127.0.0.1", true);
	check_tcp(AF_INET, MW_SOCK_TCP4, "127.0.0.1", false);
}

static void tcp_over_ipv6(void **state)
{
	(void)state;
	check_tcp(AF_INET6, MW_SOCK_TCP6, "::1", true);
	check_tcp(AF_INET6, MW_SOCK_TCP6, "::1", false);
}

/* A socket for both families has a mapped address, which is one of IPv4 to everybody else. */
static void mapped_addresses_are_those_of_ipv4(void **state)
{
	(void)state;
	const uint8_t mapped[16] = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 1};
	const uint8_t none[16] = {0};
	char address[64];
	assert_true(mw_sock_address(MW_SOCK_TCP6, mapped, 0, address));
	assert_string_equal(address, "192.0.2.1");
	assert_false(mw_sock_address(MW_SOCK_TCP6, none, 0, address));
	assert_string_equal(address, "");
	assert_true(mw_sock_address(MW_SOCK_UDP4, none, 0, address));
	assert_string_equal(address, "");
	assert_true(mw_sock_address(MW_SOCK_UDP4, none, 80, address)); /* all addresses of this machine */
	assert_string_equal(address, "0.0.0.0");
}

static void udp(void **state)
{
	(void)state;
	struct sockaddr_storage address;
	memset(&address, 0, sizeof(address));
	socklen_t size = loopback(AF_INET, &address);
	int bound = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(bound, (struct sockaddr *)&address, size), 0);
	((struct sockaddr_in *)&address)->sin_port = htons(53);
	int connected = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(connected, (struct sockaddr *)&address, size), 0);
	for (int from_file = 1; from_file >= 0; from_file--) {
		struct search (*look)(int, enum mw_sock_part) = from_file ? in_file : in_snapshot;
		struct search search = look(bound, MW_SOCK_UDP4);
		assert_int_equal(search.found.local_port, port_of(bound));
		assert_int_equal(search.found.remote_port, 0);
		assert_int_equal(search.found.type, SOCK_DGRAM);
		search = look(connected, MW_SOCK_UDP4);
		assert_int_equal(search.found.state, MW_SOCK_ESTABLISHED);
		assert_int_equal(search.found.remote_port, 53);
	}
	close(bound);
	close(connected);
}

static void check_unix(const char *path, size_t path_bytes)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	memcpy(address.sun_path, path, path_bytes);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + path_bytes);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(listener, 1), 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, size), 0);
	int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	for (int from_file = 1; from_file >= 0; from_file--) {
		struct search (*look)(int, enum mw_sock_part) = from_file ? in_file : in_snapshot;
		struct search search = look(listener, MW_SOCK_UNIX);
		assert_int_equal(search.count, 1);
		assert_int_equal(search.found.state, MW_SOCK_LISTEN);
		assert_int_equal(search.found.type, SOCK_STREAM);
		assert_int_equal(search.found.path_bytes, path_bytes);
		assert_memory_equal(search.path, path, path_bytes);
		search = look(client, MW_SOCK_UNIX);
		assert_int_equal(search.found.state, MW_SOCK_ESTABLISHED);
		assert_int_equal(search.found.path_bytes, 0);
		if (!from_file)
			assert_int_equal(search.found.peer, inode_of(server));
		search = look(server, MW_SOCK_UNIX);
		assert_int_equal(search.found.state, MW_SOCK_ESTABLISHED);
		assert_int_equal(search.found.path_bytes, path_bytes);
	}
	close(client);
	close(server);
	close(listener);
}

static void unix_sockets(void **state)
{
	(void)state;
	char path[64];
	(void)snprintf(path, sizeof(path), "/tmp/test sockdiag %d", (int)getpid());
	check_unix(path, strlen(path));
	unlink(path);
	path[0] = '\0'; /* abstract */
	check_unix(path, 1 + strlen(path + 1));
}

static void the_end_of_a_connection_is_told(void **state)
{
	(void)state;
	int fd;
	int r = mw_sockdiag_open_ended(&fd);
	if (r < 0) {
		print_message("the kernel tells no ends of connections here: %s\n", strerror(-r));
		skip();
	}
	int listener = listen_on(AF_INET);
	int client = connect_to(listener);
	int server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	uint16_t port = port_of(client);
	uint64_t cookie = in_snapshot(client, MW_SOCK_TCP4).found.cookie;
	close(client);
	close(server);
	struct search search = {.local_port = port};
	for (int tries = 0; tries < 100 && search.count == 0; tries++) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		(void)poll(&wait, 1, 100);
		assert_true(mw_sockdiag_read_ended(fd, 16, match, &search) >= 0);
	}
	assert_int_equal(search.count, 1);
	assert_int_equal(search.found.part, MW_SOCK_TCP4);
	assert_int_equal(search.found.remote_port, port_of(listener));
	assert_int_equal(search.found.cookie, cookie);
	close(listener);
	close(fd);
}

/* Without reading, the kernel runs out of memory for us, and says so. */
static void lost_ends_are_noticed(void **state)
{
	(void)state;
	int fd;
	int r = mw_sockdiag_open_ended(&fd);
	if (r < 0) {
		print_message("the kernel tells no ends of connections here: %s\n", strerror(-r));
		skip();
	}
	int size = 1;
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
	int listener = listen_on(AF_INET);
	struct search search = {.local_port = 1};
	r = 0;
	for (int round = 0; round < 50 && r != -ENOBUFS; round++) {
		for (int i = 0; i < 20; i++) {
			int client = connect_to(listener);
			close(accept4(listener, NULL, NULL, SOCK_CLOEXEC));
			close(client);
		}
		while ((r = mw_sockdiag_read_ended(fd, 1, match, &search)) > 0)
			;
	}
	assert_int_equal(r, -ENOBUFS);
	close(listener);
	close(fd);
}

static void count(void *data, const struct mw_sock *sock)
{
	(void)sock;
	++*(unsigned *)data;
}

static void broken_messages_are_refused(void **state)
{
	(void)state;
	struct {
		struct nlmsghdr head;
		struct inet_diag_msg body;
	} message = {
		.head = {.nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_seq = 7, .nlmsg_len = sizeof(message)},
		.body = {.idiag_family = AF_INET, .idiag_state = MW_SOCK_LISTEN},
	};
	unsigned n = 0;
	assert_int_equal(mw_sockdiag_parse(&message, sizeof(message), MW_SOCK_TCP4, 7, count, &n), 0);
	assert_int_equal(n, 1);
	/* Of another answer, of another family, too short for a body. */
	assert_int_equal(mw_sockdiag_parse(&message, sizeof(message), MW_SOCK_TCP4, 8, count, &n), 0);
	assert_int_equal(mw_sockdiag_parse(&message, sizeof(message), MW_SOCK_TCP6, 7, count, &n), 0);
	assert_int_equal(mw_sockdiag_parse(&message, sizeof(message), MW_SOCK_UNIX, 7, count, &n), 0);
	message.head.nlmsg_len = sizeof(message.head) + 10;
	assert_int_equal(mw_sockdiag_parse(&message, sizeof(message), MW_SOCK_TCP4, 7, count, &n), -EPROTO);
	assert_int_equal(n, 1);
	/* Longer than what came, shorter than its own head. */
	message.head.nlmsg_len = sizeof(message) + 1;
	assert_int_equal(mw_sockdiag_parse(&message, sizeof(message), MW_SOCK_TCP4, 7, count, &n), -EPROTO);
	message.head.nlmsg_len = 3;
	assert_int_equal(mw_sockdiag_parse(&message, sizeof(message), MW_SOCK_TCP4, 7, count, &n), -EPROTO);
	assert_int_equal(n, 1);
	/* The end, and an error. */
	struct {
		struct nlmsghdr head;
		int32_t error;
	} end = {.head = {.nlmsg_type = NLMSG_DONE, .nlmsg_seq = 7, .nlmsg_len = sizeof(end)}};
	assert_int_equal(mw_sockdiag_parse(&end, sizeof(end), MW_SOCK_TCP4, 7, count, &n), 1);
	end.head.nlmsg_type = NLMSG_ERROR;
	end.error = -ENOENT;
	assert_int_equal(mw_sockdiag_parse(&end, sizeof(end), MW_SOCK_TCP4, 7, count, &n), -ENOENT);
	end.head.nlmsg_len = sizeof(end.head);
	assert_int_equal(mw_sockdiag_parse(&end, sizeof(end), MW_SOCK_TCP4, 7, count, &n), -EPROTO);
}

static void every_beginning_of_a_real_answer_is_survived(void **state)
{
	(void)state;
	_Alignas(8) char bytes[4096];
	struct mw_sockdiag diag;
	if (mw_sockdiag_open(&diag) < 0 || mw_sockdiag_ask(&diag, MW_SOCK_UNIX) < 0) {
		print_message("no netlink here\n");
		skip();
	}
	ssize_t size = recv(diag.fd, bytes, sizeof(bytes), 0);
	assert_true(size > 0);
	unsigned whole = 0;
	(void)mw_sockdiag_parse(bytes, (size_t)size, MW_SOCK_UNIX, diag.sequence, count, &whole);
	for (size_t n = 0; n < (size_t)size; n++) {
		char *copy = malloc(n + 1); /* so that a sanitizer sees what is read past it */
		memcpy(copy, bytes, n);
		unsigned some = 0;
		(void)mw_sockdiag_parse(copy, n, MW_SOCK_UNIX, diag.sequence, count, &some);
		assert_true(some <= whole);
		free(copy);
	}
	mw_sockdiag_close(&diag);
}

static void files_are_read_to_a_limit(void **state)
{
	(void)state;
	int first = listen_on(AF_INET);
	int second = listen_on(AF_INET);
	int netfd = open("/proc/self/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned n = 0;
	assert_int_equal(mw_sockets_read_file(netfd, MW_SOCK_TCP4, 1, count, &n), -EFBIG);
	assert_true(n <= 1);
	close(netfd);
	netfd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mw_sockets_read_file(netfd, MW_SOCK_TCP4, 1, count, &n), -ENOENT);
	close(netfd);
	close(first);
	close(second);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_over_ipv4),
		cmocka_unit_test(tcp_over_ipv6),
		cmocka_unit_test(mapped_addresses_are_those_of_ipv4),
		cmocka_unit_test(udp),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(the_end_of_a_connection_is_told),
		cmocka_unit_test(lost_ends_are_noticed),
		cmocka_unit_test(broken_messages_are_refused),
		cmocka_unit_test(every_beginning_of_a_real_answer_is_survived),
		cmocka_unit_test(files_are_read_to_a_limit),
	};
	return cmocka_run_group_tests_name("sockdiag", tests, NULL, NULL);
}

/* Calls about sockets: both ends as the kernel has them, and who was asked for when it has none. */
#if !defined(__x86_64__)
#include <stdio.h>

int main(void)
{
	(void)puts("1..1\nok 1 - calls # SKIP written for the calls that x86-64 has: open, rename, dup2 and others");
	return 0;
}
#else
#include "traced.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "trace/calls.h"

#define SOCKETS (KIND(MW_SOCKET_CONNECT) | KIND(MW_SOCKET_BIND) | KIND(MW_SOCKET_LISTEN) | KIND(MW_SOCKET_ACCEPT))

static const struct sockaddr_in *ipv4(const unsigned char *address)
{
	return (const struct sockaddr_in *)(const void *)address;
}

static const struct sockaddr_in6 *ipv6(const unsigned char *address)
{
	return (const struct sockaddr_in6 *)(const void *)address;
}

static void loopback(int domain, struct sockaddr_storage *address, socklen_t *size)
{
	memset(address, 0, sizeof(*address));
	if (domain == AF_INET) {
		struct sockaddr_in *in = (struct sockaddr_in *)address;
		*in = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
		*size = sizeof(*in);
	} else {
		struct sockaddr_in6 *in = (struct sockaddr_in6 *)address;
		*in = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
		*size = sizeof(*in);
	}
}

static int domain_of_test;

static void converse(void)
{
	struct sockaddr_storage address;
	socklen_t size;
	loopback(domain_of_test, &address, &size);
	int server = socket(domain_of_test, SOCK_STREAM | SOCK_CLOEXEC, 0);
	EXPECT(server >= 0 && bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 5) == 0);
	EXPECT(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	int client = socket(domain_of_test, SOCK_STREAM, 0);
	EXPECT(client >= 0 && connect(client, (struct sockaddr *)&address, size) == 0);
	int accepted = accept4(server, NULL, NULL, SOCK_CLOEXEC);
	EXPECT(accepted >= 0);
	/* Nobody waits: no event. */
	EXPECT(fcntl(server, F_SETFL, O_NONBLOCK) == 0);
	EXPECT(accept(server, NULL, NULL) < 0 && errno == EAGAIN);
	/* Nobody listens any more. */
	EXPECT(close(server) == 0);
	int late = socket(domain_of_test, SOCK_STREAM, 0);
	EXPECT(connect(late, (struct sockaddr *)&address, size) < 0 && errno == ECONNREFUSED);
	int datagrams = socket(domain_of_test, SOCK_DGRAM, 0);
	EXPECT(datagrams >= 0 && connect(datagrams, (struct sockaddr *)&address, size) == 0);
	EXPECT(connect(999, (struct sockaddr *)&address, size) < 0 && errno == EBADF);
	EXPECT(connect(client, (struct sockaddr *)16, size) < 0 && errno == EFAULT);
	EXPECT(close(accepted) == 0);
}

static in_port_t port_of(int domain, const unsigned char *address)
{
	return domain == AF_INET ? ipv4(address)->sin_port : ipv6(address)->sin6_port;
}

static void check_conversation(int domain)
{
	struct traced traced;
	domain_of_test = domain;
	trace_well(&traced, converse, SOCKETS);
	const struct mw_record_call *bound = nth(&traced, "bind", 0);
	assert_int_equal(bound->event, MW_SOCKET_BIND);
	assert_int_equal(bound->socket_type, SOCK_STREAM);
	assert_int_equal(bound->socket_protocol, IPPROTO_TCP);
	assert_int_equal(bound->remote_bytes, 0);
	in_port_t port = port_of(domain, bound->local);
	assert_true(port != 0); /* which it was not in the argument */
	const struct mw_record_call *listening = nth(&traced, "listen", 0);
	assert_int_equal(listening->number, 5);
	assert_int_equal(port_of(domain, listening->local), port);
	assert_int_equal(listening->inode, bound->inode);

	const struct mw_record_call *connected = nth(&traced, "connect", 0);
	assert_int_equal(connected->event, MW_SOCKET_CONNECT);
	assert_int_equal(connected->head.flags, 0);
	assert_int_equal(connected->result, 0);
	assert_true(connected->inode != 0);
	assert_int_equal(port_of(domain, connected->remote), port);
	if (domain == AF_INET)
		assert_int_equal(ipv4(connected->remote)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	else
		assert_true(IN6_IS_ADDR_LOOPBACK(&ipv6(connected->remote)->sin6_addr));
	assert_true(port_of(domain, connected->local) != 0);

	const struct mw_record_call *accepted = nth(&traced, "accept4", 0);
	assert_int_equal(accepted->event, MW_SOCKET_ACCEPT);
	assert_int_equal(accepted->fd, accepted->result);
	assert_int_equal(port_of(domain, accepted->local), port);
	assert_int_equal(port_of(domain, accepted->remote), port_of(domain, connected->local));
	assert_int_equal(count_of(&traced, "accept"), 0);

	const struct mw_record_call *refused = nth(&traced, "connect", 1);
	assert_int_equal(refused->result, -ECONNREFUSED);
	assert_int_equal(port_of(domain, refused->remote), port);
	assert_int_equal(refused->head.flags, 0);
	const struct mw_record_call *datagrams = nth(&traced, "connect", 2);
	assert_int_equal(datagrams->socket_type, SOCK_DGRAM);
	assert_int_equal(datagrams->socket_protocol, IPPROTO_UDP);
	assert_int_equal(port_of(domain, datagrams->remote), port);
	const struct mw_record_call *none = nth(&traced, "connect", 3);
	assert_int_equal(none->result, -EBADF);
	assert_int_equal(port_of(domain, none->remote), port);
	const struct mw_record_call *unreadable = nth(&traced, "connect", 4);
	assert_int_equal(unreadable->result, -EFAULT);
	assert_int_equal(unreadable->head.flags, MW_CALL_INCOMPLETE);
	assert_int_equal(unreadable->remote_bytes, 0);
	traced_free(&traced);
}

static void ipv4_sockets_are_told(void **state)
{
	(void)state;
	check_conversation(AF_INET);
}

static void ipv6_sockets_are_told(void **state)
{
	(void)state;
	struct sockaddr_storage address;
	socklen_t size;
	loopback(AF_INET6, &address, &size);
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool here = fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0;
	(void)close(fd);
	if (!here) {
		print_message("there is no IPv6 here\n");
		skip();
	}
	check_conversation(AF_INET6);
}

static void connect_without_waiting(void)
{
	struct sockaddr_storage address;
	socklen_t size;
	loopback(AF_INET, &address, &size);
	/* A queue that is full: further connections stay half open. */
	int server = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 0) == 0);
	EXPECT(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	bool is_pending = false;
	for (unsigned i = 0; i < 64 && !is_pending; i++) {
		int client = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		struct pollfd poll_client = {client, POLLOUT, 0};
		EXPECT(connect(client, (struct sockaddr *)&address, size) == 0 || errno == EINPROGRESS);
		is_pending = poll(&poll_client, 1, 200) == 0;
		if (is_pending)
			EXPECT(connect(client, (struct sockaddr *)&address, size) < 0 && errno == EALREADY);
	}
	EXPECT(is_pending);
}

static void a_connection_in_progress_is_told_once(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, connect_without_waiting, KIND(MW_SOCKET_CONNECT));
	assert_true(traced.count > 0);
	const struct mw_record_call *r = traced.records[traced.count - 1];
	assert_int_equal(r->result, -EINPROGRESS);
	assert_int_equal(r->head.flags, 0);
	assert_int_equal(ipv4(r->remote)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_true(ipv4(r->remote)->sin_port != 0);
	traced_free(&traced);
}

static socklen_t unix_name(struct sockaddr_un *address, const char *name, size_t n)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, n);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
}

static void speak_locally(void)
{
	static const char abstract[] = "\0moonwatch test\0with a NUL";
	struct sockaddr_un address;
	socklen_t size = unix_name(&address, "socket", sizeof("socket"));
	int server = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 1) == 0);
	int client = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(connect(client, (struct sockaddr *)&address, size) == 0);
	EXPECT(accept(server, NULL, NULL) >= 0);

	size = unix_name(&address, abstract, sizeof(abstract) - 1);
	server = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT(bind(server, (struct sockaddr *)&address, size) == 0);
	client = socket(AF_UNIX, SOCK_DGRAM, 0);
	EXPECT(connect(client, (struct sockaddr *)&address, size) == 0);
	/* Nobody has that one. */
	size = unix_name(&address, "none", sizeof("none"));
	EXPECT(connect(client, (struct sockaddr *)&address, size) < 0 && errno == ENOENT);
	/* As long as it may be, without a NUL. */
	memset(address.sun_path, 'l', sizeof(address.sun_path));
	server = socket(AF_UNIX, SOCK_STREAM, 0);
	EXPECT(bind(server, (struct sockaddr *)&address, sizeof(address)) == 0);
	/* Longer than any address. */
	char long_address[256] = {AF_UNIX};
	EXPECT(connect(client, (struct sockaddr *)(void *)long_address, sizeof(long_address)) < 0 && errno == EINVAL);
	char path[sizeof(address.sun_path) + 1] = {0};
	memcpy(path, address.sun_path, sizeof(address.sun_path));
	EXPECT(unlink("socket") == 0 && unlink(path) == 0);
}

static void unix_sockets_are_told(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, speak_locally, SOCKETS);
	const struct mw_record_call *r = nth(&traced, "bind", 0);
	assert_string_equal(path_of(r), in_folder("socket"));
	assert_int_equal(r->socket_type, SOCK_STREAM);
	assert_int_equal(((const struct sockaddr_un *)(const void *)r->local)->sun_family, AF_UNIX);
	assert_string_equal(path_of(nth(&traced, "connect", 0)), in_folder("socket"));
	assert_int_equal(nth(&traced, "accept", 0)->local_bytes,
			 offsetof(struct sockaddr_un, sun_path) + sizeof("socket"));

	r = nth(&traced, "bind", 1);
	const struct sockaddr_un *address = (const void *)r->local;
	assert_int_equal(r->path_bytes, 0);
	assert_int_equal(r->local_bytes, 2 + 26);
	assert_memory_equal(address->sun_path, "\0moonwatch test\0with a NUL", 26);
	r = nth(&traced, "connect", 1);
	address = (const void *)r->remote;
	assert_memory_equal(address->sun_path, "\0moonwatch test\0with a NUL", 26);
	assert_int_equal(r->socket_type, SOCK_DGRAM);
	r = nth(&traced, "connect", 2);
	assert_int_equal(r->result, -ENOENT);
	assert_string_equal(path_of(r), in_folder("none"));
	r = nth(&traced, "bind", 2);
	assert_int_equal(r->path_bytes, strlen(folder) + 1 + sizeof(address->sun_path));
	r = nth(&traced, "connect", 3);
	assert_int_equal(r->result, -EINVAL);
	assert_int_equal(r->head.flags, MW_CALL_INCOMPLETE);
	traced_free(&traced);
}

static void on_signal_open(int signal)
{
	(void)signal;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
}

static void on_alarm(int signal)
{
	(void)signal;
}

static void *knock(void *data)
{
	struct sockaddr_in address = *(const struct sockaddr_in *)data;
	pthread_t *main_thread = (pthread_t *)((char *)data + sizeof(address));
	/* Each of these interrupts accept(2), which is made again. */
	for (unsigned i = 0; i < 20; i++) {
		EXPECT(pthread_kill(*main_thread, SIGUSR1) == 0);
		(void)usleep(1000);
	}
	int client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(connect(client, (struct sockaddr *)&address, sizeof(address)) == 0);
	return NULL;
}

static void accept_under_fire(void)
{
	struct {
		struct sockaddr_in address;
		pthread_t thread;
	} data = {{.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)}, pthread_self()};
	socklen_t size = sizeof(data.address);
	struct sigaction action = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(bind(server, (struct sockaddr *)&data.address, size) == 0 && listen(server, 1) == 0);
	EXPECT(getsockname(server, (struct sockaddr *)&data.address, &size) == 0);
	pthread_t other;
	EXPECT(pthread_create(&other, NULL, knock, &data) == 0);
	EXPECT(accept(server, NULL, NULL) >= 0);
	EXPECT(pthread_join(other, NULL) == 0);
}

static void a_call_made_again_is_told_once(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, accept_under_fire, SOCKETS);
	assert_int_equal(count_of(&traced, "accept"), 1);
	assert_int_equal(count_of(&traced, "connect"), 1);
	/* Told of the thread that made it. */
	assert_int_equal(nth(&traced, "accept", 0)->tid, traced.pid);
	assert_true(nth(&traced, "connect", 0)->tid != traced.pid);
	assert_int_equal(nth(&traced, "connect", 0)->head.pid, traced.pid);
	traced_free(&traced);
}

/* A server whose queue is full: connections to it wait.  Its address; *ret_server takes them when asked to. */
static struct sockaddr_in make_busy_server(int *ret_server)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 0) == 0);
	EXPECT(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(connect(client, (struct sockaddr *)&address, size) == 0);
	*ret_server = server;
	return address;
}

struct interrupter {
	pthread_t thread;
	int server;       /* takes a connection at the end */
	atomic_bool done; /* the call has ended */
};

static void *interrupt(void *data)
{
	struct interrupter *interrupter = data;
	/* Apart enough for the handler to end before the next, also on a busy machine: of nested ones each may be told. */
	for (unsigned i = 0; i < 12 && !atomic_load(&interrupter->done); i++) {
		EXPECT(pthread_kill(interrupter->thread, SIGUSR1) == 0);
		(void)usleep(30000);
	}
	if (interrupter->server >= 0)
		EXPECT(accept4(interrupter->server, NULL, NULL, SOCK_CLOEXEC) >= 0);
	return NULL;
}

/* Connect to a busy server under signals; its handler makes calls, too. */
static int connect_under_fire(int flags)
{
	int server;
	struct sockaddr_in address = make_busy_server(&server);
	struct sigaction action = {.sa_handler = on_signal_open, .sa_flags = flags};
	EXPECT(sigaction(SIGUSR1, &action, NULL) == 0);
	struct interrupter interrupter = {pthread_self(), flags & SA_RESTART ? server : -1, false};
	pthread_t other;
	EXPECT(pthread_create(&other, NULL, interrupt, &interrupter) == 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	int r = connect(client, (struct sockaddr *)&address, sizeof(address)) == 0 ? 0 : errno;
	atomic_store(&interrupter.done, true);
	EXPECT(pthread_join(other, NULL) == 0);
	return r;
}

static void connect_and_be_interrupted(void)
{
	EXPECT(connect_under_fire(0) == EINTR);
}

static void connect_and_be_restarted(void)
{
	EXPECT(connect_under_fire(SA_RESTART) == 0);
}

static void an_interrupted_connection_is_told_once(void **state)
{
	(void)state;
	struct traced traced;
	const uint64_t kinds = KIND(MW_SOCKET_CONNECT) | KIND(MW_FILE_OPEN);
	trace_well(&traced, connect_and_be_interrupted, kinds);
	assert_int_equal(count_of(&traced, "connect"), 2); /* the first one keeps the server busy */
	const struct mw_record_call *r = nth(&traced, "connect", 1);
	assert_int_equal(r->result, -EINTR);
	assert_int_equal(r->socket_type, SOCK_STREAM);
	assert_int_equal(ipv4(r->remote)->sin_port, ipv4(nth(&traced, "connect", 0)->remote)->sin_port);
	assert_true(count_of(&traced, "openat") >= 1);
	traced_free(&traced);

	trace_well(&traced, connect_and_be_restarted, kinds);
	assert_int_equal(count_of(&traced, "connect"), 2);
	assert_int_equal(nth(&traced, "connect", 1)->result, 0);
	traced_free(&traced);
}

#if defined(__x86_64__)
/* A call as programs of 32 bits make it; all pointers must be below 4 GiB. */
static long call_i386(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return (int)result;
}

static void speak_i386(void)
{
	enum {
		OPEN = 5,
		UNLINK = 10,
		CHOWN16 = 182,
		FTRUNCATE64 = 194,
		SOCKETCALL = 102,
	};
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	EXPECT(low != MAP_FAILED);
	memcpy(low, "thirty-two", sizeof("thirty-two"));
	long fd = call_i386(OPEN, (long)low, O_RDWR | O_CREAT | 0100000 /* O_LARGEFILE */, 0600);
	if (fd == -ENOSYS)
		_exit(77);
	EXPECT(fd >= 0);
	EXPECT(call_i386(FTRUNCATE64, fd, 5, 1) == 0);
	EXPECT(call_i386(CHOWN16, (long)low, 0xFFFF, 0xFFFF) == 0);
	EXPECT(call_i386(UNLINK, (long)low, 0, 0) == 0);

	struct sockaddr_in *address = (struct sockaddr_in *)(void *)(low + 64);
	*address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	uint32_t *args = (uint32_t *)(void *)(low + 128);
	args[0] = (uint32_t)socket(AF_INET, SOCK_STREAM, 0);
	args[1] = (uint32_t)(uintptr_t)address;
	args[2] = sizeof(*address);
	EXPECT(call_i386(SOCKETCALL, 2 /* bind */, (long)args, 0) == 0);
	args[1] = 7;
	EXPECT(call_i386(SOCKETCALL, 4 /* listen */, (long)args, 0) == 0);
	EXPECT(call_i386(SOCKETCALL, 3 /* connect */, 16, 0) == -EFAULT);
}
#endif

static void calls_of_32_bits_are_told(void **state)
{
	(void)state;
#if defined(__x86_64__)
	struct traced traced;
	trace(&traced, speak_i386, SOCKETS | KIND(MW_FILE_CREATE) | KIND(MW_FILE_DELETE) | KIND(MW_FILE_ATTRIBUTES));
	if (WIFSIGNALED(traced.status) || WEXITSTATUS(traced.status) == 77) {
		print_message("this kernel knows no programs of 32 bits\n");
		traced_free(&traced);
		skip();
	}
	assert_int_equal(traced.status, 0);
	const struct mw_record_call *r = nth(&traced, "open", 0);
	assert_int_equal(r->event, MW_FILE_CREATE);
	assert_string_equal(path_of(r), in_folder("thirty-two"));
	r = nth(&traced, "ftruncate", 0);
	assert_int_equal(r->size, 1LL << 32 | 5);
	r = nth(&traced, "chown", 0);
	assert_true(r->uid == MW_CALL_NONE && r->gid == MW_CALL_NONE);
	assert_string_equal(path_of(nth(&traced, "unlink", 0)), in_folder("thirty-two"));
	r = nth(&traced, "bind", 0);
	assert_int_equal(r->socket_protocol, IPPROTO_TCP);
	assert_int_equal(ipv4(r->local)->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(nth(&traced, "listen", 0)->number, 7);
	traced_free(&traced);
#else
	print_message("programs of 32 bits are tried on x86-64 only\n");
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipv4_sockets_are_told),
		cmocka_unit_test(ipv6_sockets_are_told),
		cmocka_unit_test(a_connection_in_progress_is_told_once),
		cmocka_unit_test_setup_teardown(unix_sockets_are_told, make_folder, remove_folder),
		cmocka_unit_test(a_call_made_again_is_told_once),
		cmocka_unit_test(an_interrupted_connection_is_told_once),
		cmocka_unit_test_setup_teardown(calls_of_32_bits_are_told, make_folder, remove_folder),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif

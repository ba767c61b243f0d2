/* The sampler: what it tells of sockets of this very process, over netlink and over /proc/net. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/event.h"
#include "event/level.h"
#include "event/process.h"
#include "loop/loop.h"
#include "sensor/processes.h"
#include "sensor/sockets.h"

#include "sampler.h"

/* At another sensor's place, listeners are told, connections are not; later ones are, once, with owner and descriptor. */
static void check_news(bool is_again)
{
	int old = listen_here();
	int old_client = connect_to(old);
	int old_server = accept_from(old);
	sample_as(is_again);
	const struct seen *seen = wait_for(MW_SOCKET_LISTEN, port_of(old), 0, NULL);
	assert_int_equal(seen->pid, getpid());
	assert_int_equal(seen->socket.fd, old);
	assert_int_equal(seen->socket.inode, inode_of(old));
	assert_int_equal(seen->socket.family, MW_SOCKET_IPV4);
	assert_string_equal(seen->socket.local_address, "127.0.0.1");
	assert_string_equal(seen->socket.remote_address, "");
	assert_int_equal(told(MW_SOCKET_BIND, port_of(old), 0, NULL), 1);

	int listener = listen_here();
	int client = connect_to(listener);
	int server = accept_from(listener);
	seen = wait_for(MW_SOCKET_CONNECT, port_of(client), port_of(listener), NULL);
	assert_int_equal(seen->pid, getpid());
	assert_int_equal(seen->socket.fd, client);
	assert_string_equal(seen->socket.remote_address, "127.0.0.1");
	seen = wait_for(MW_SOCKET_ACCEPT, port_of(listener), port_of(client), NULL);
	assert_int_equal(seen->socket.fd, server);
	(void)wait_for(MW_SOCKET_LISTEN, port_of(listener), 0, NULL);

	/* A port that is listened on, and two more snapshots. */
	int last = listen_here();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(last), 0, NULL);
	assert_int_equal(told(MW_SOCKET_CONNECT, port_of(client), 0, NULL), 1);
	assert_int_equal(told(MW_SOCKET_ACCEPT, port_of(listener), 0, NULL), 1);
	assert_int_equal(told(MW_SOCKET_LISTEN, port_of(listener), 0, NULL), 1);
	assert_int_equal(told(MW_SOCKET_CONNECT, port_of(old_client), 0, NULL), 0);
	assert_int_equal(told(MW_SOCKET_ACCEPT, port_of(old), 0, NULL), 0);
	int all[] = {old, old_client, old_server, listener, client, server, last};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		close(all[i]);
}

static void news_are_told_and_what_another_sensor_told_is_not(void **state)
{
	(void)state;
	check_news(true);
}

static void processes_that_were_here_before_us_have_old_sockets(void **state)
{
	(void)state;
	struct mw_image *image = mw_image_new();
	image->is_late = true;
	mw_process_set_image(t.self, image);
	t.processes.container_start_ns = mw_clock_real_ns();
	check_news(false);
}

/* The application may be faster than we are. */
static void sockets_older_than_the_first_snapshot_are_news(void **state)
{
	(void)state;
	/* So fast that it was only found. */
	struct mw_image *image = mw_image_new();
	image->is_late = true;
	mw_process_set_image(t.self, image);
	t.processes.container_start_ns = 2;
	int listener = listen_here();
	int client = connect_to(listener);
	sample();
	(void)wait_for(MW_SOCKET_CONNECT, port_of(client), port_of(listener), NULL);
	close(client);
	close(listener);
}

static bool ends_are_told(void)
{
	bool is_late;
	run_for(0, &is_late); /* the report comes with the first snapshot */
	if (strstr(t.report, "short connections are not seen")) {
		print_message("the kernel tells no ends of connections here: %s\n", t.report);
		return false;
	}
	return true;
}

static void short_connections_are_told_at_their_end(void **state)
{
	(void)state;
	int listener = listen_here();
	sample();
	if (!ends_are_told())
		skip();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(listener), 0, NULL);
	/* The loop does not run meanwhile, so no snapshot can find it. */
	int client = connect_to(listener);
	int server = accept_from(listener);
	int port = port_of(client);
	close(client);
	close(server);
	const struct seen *seen = wait_for(MW_SOCKET_CONNECT, port, port_of(listener), NULL);
	assert_int_equal(seen->pid, 0);
	assert_string_equal(seen->socket.remote_address, "127.0.0.1");
	seen = wait_for(MW_SOCKET_ACCEPT, port_of(listener), port, NULL);
	assert_int_equal(seen->pid, getpid()); /* it listens */
	close(listener);
}

static void the_end_of_a_connection_told_before_is_no_news(void **state)
{
	(void)state;
	int listener = listen_here();
	sample();
	if (!ends_are_told())
		skip();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(listener), 0, NULL);
	int client = connect_to(listener);
	int server = accept_from(listener);
	int port = port_of(client);
	(void)wait_for(MW_SOCKET_CONNECT, port, 0, NULL);
	(void)wait_for(MW_SOCKET_ACCEPT, port_of(listener), port, NULL);
	/* Half closed it has left the snapshots of connected sockets, or not; then it ends. */
	shutdown(client, SHUT_RDWR);
	shutdown(server, SHUT_RDWR);
	int other = listen_here();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(other), 0, NULL);
	close(client);
	close(server);
	client = connect_to(other);
	server = accept_from(other);
	int last_port = port_of(client);
	close(client);
	close(server);
	(void)wait_for(MW_SOCKET_CONNECT, last_port, 0, NULL);
	assert_int_equal(told(MW_SOCKET_CONNECT, port, 0, NULL), 1);
	assert_int_equal(told(MW_SOCKET_ACCEPT, port_of(listener), port, NULL), 1);
	close(listener);
	close(other);
}

static void exact(enum mw_event_kind kind, int fd, int remote_port, bool has_inode)
{
	struct mw_socket socket = {
		.family = MW_SOCKET_IPV4,
		.inode = has_inode ? inode_of(fd) : 0,
		.local_address = "127.0.0.1",
		.remote_address = "127.0.0.1",
		.local_port = port_of(fd),
		.remote_port = remote_port,
	};
	const struct mw_event event = {.kind = kind, .socket = &socket};
	mw_sockets_exact(t.sockets, &event);
}

static void what_system_calls_told_is_not_told_again(void **state)
{
	(void)state;
	sample();
	int listener = listen_here();
	exact(MW_SOCKET_BIND, listener, 0, true);
	exact(MW_SOCKET_LISTEN, listener, 0, true);
	int client = connect_to(listener);
	int server = accept_from(listener);
	exact(MW_SOCKET_CONNECT, client, port_of(listener), true);
	exact(MW_SOCKET_ACCEPT, server, port_of(client), true);
	/* A short one: of that the sampler only hears addresses. */
	int short_client = connect_to(listener);
	int short_server = accept_from(listener);
	int short_port = port_of(short_client);
	exact(MW_SOCKET_CONNECT, short_client, port_of(listener), true);
	exact(MW_SOCKET_ACCEPT, short_server, short_port, false);
	close(short_client);
	close(short_server);

	int port = port_of(listener);
	int other = listen_here();
	int other_client = connect_to(other);
	close(accept_from(other));
	(void)wait_for(MW_SOCKET_CONNECT, port_of(other_client), 0, NULL);
	mw_sockets_flush(t.sockets, NULL);
	assert_int_equal(told(MW_SOCKET_LISTEN, port, 0, NULL), 0);
	assert_int_equal(told(MW_SOCKET_BIND, port, 0, NULL), 0);
	assert_int_equal(told(MW_SOCKET_ACCEPT, port, 0, NULL), 0);
	assert_int_equal(told(MW_SOCKET_CONNECT, 0, port, NULL), 0);
	int all[] = {listener, client, server, other, other_client};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		close(all[i]);
}

static void datagrams(void **state)
{
	(void)state;
	sample();
	int first = listen_here();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(first), 0, NULL);
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(53)};
	int connected = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(connected, (struct sockaddr *)&address, sizeof(address)), 0);
	/* One in the range of ports the kernel gives is told when it is still there later. */
	int bound = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	address.sin_port = 0;
	assert_int_equal(bind(bound, (struct sockaddr *)&address, sizeof(address)), 0);
	const struct seen *seen = wait_for(MW_SOCKET_CONNECT, port_of(connected), 53, NULL);
	assert_int_equal(seen->socket.type, SOCK_DGRAM);
	assert_int_equal(seen->socket.protocol, IPPROTO_UDP);
	seen = wait_for(MW_SOCKET_BIND, port_of(bound), 0, NULL);
	assert_int_equal(seen->pid, getpid());
	/* Connected later, it is news again. */
	address.sin_port = htons(54);
	assert_int_equal(connect(bound, (struct sockaddr *)&address, sizeof(address)), 0);
	(void)wait_for(MW_SOCKET_CONNECT, port_of(bound), 54, NULL);
	close(connected);
	close(bound);
	close(first);
}

static void unix_sockets(void **state)
{
	(void)state;
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *folder = getenv("TMPDIR"); /* of this run alone: an earlier one may have left its socket */
	(void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sockets_%d", folder ? folder : "/tmp",
		       (int)getpid());
	(void)unlink(address.sun_path);
	sample();
	int first = listen_here();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(first), 0, NULL);
	int pair[2];
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 1), 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof(address)), 0);
	int server = accept_from(listener);
	const char *path = address.sun_path;
	const struct seen *seen = wait_for(MW_SOCKET_LISTEN, 0, 0, path);
	assert_int_equal(seen->socket.family, MW_SOCKET_UNIX);
	assert_int_equal(seen->socket.inode, inode_of(listener));
	seen = wait_for(MW_SOCKET_CONNECT, 0, 0, path);
	assert_int_equal(seen->socket.inode, inode_of(client));
	assert_int_equal(seen->pid, getpid());
	seen = wait_for(MW_SOCKET_ACCEPT, 0, 0, path);
	assert_int_equal(seen->socket.inode, inode_of(server));
	mw_sockets_flush(t.sockets, NULL);
	for (unsigned i = 0; i < t.count; i++) /* a pair is connected to nobody */
		assert_true(t.seen[i].socket.inode != inode_of(pair[0]) && t.seen[i].socket.inode != inode_of(pair[1]));
	unlink(path);
	int all[] = {pair[0], pair[1], listener, client, server, first};
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		close(all[i]);
}

/* Sockets of processes we do not know are passed over, but listeners are told. */
static void strangers(void **state)
{
	(void)state;
	mw_process_unref(mw_pidmap_remove(&t.processes.map, getpid()));
	sample();
	int first = listen_here();
	const struct seen *seen = wait_for(MW_SOCKET_LISTEN, port_of(first), 0, NULL);
	assert_int_equal(seen->pid, 0);
	assert_int_equal(seen->socket.fd, -1);
	int client = connect_to(first);
	int server = accept_from(first);
	int other = listen_here();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(other), 0, NULL);
	int last = listen_here();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(last), 0, NULL);
	close(client);
	close(server);
	mw_sockets_flush(t.sockets, NULL);
	assert_int_equal(told(MW_SOCKET_CONNECT, 0, port_of(first), NULL), 0);
	assert_int_equal(told(MW_SOCKET_ACCEPT, port_of(first), 0, NULL), 0);
	close(first);
	close(other);
	close(last);
}

/* A process that tells of its calls itself may be slow to; when nothing came, the sampler does. */
static void a_process_under_calls_is_given_time(void **state)
{
	(void)state;
	struct mw_image *image = mw_image_new();
	image->level = MW_LEVEL_CALLS;
	mw_process_set_image(t.self, image);
	sample();
	int listener = listen_here();
	int client = connect_to(listener);
	(void)wait_for(MW_SOCKET_CONNECT, port_of(client), port_of(listener), NULL);
	assert_int_equal(told(MW_SOCKET_CONNECT, port_of(client), 0, NULL), 1);
	close(client);
	close(listener);
}

/* The end of the application: nothing waits for another snapshot. */
static void a_flush_tells_all(void **state)
{
	(void)state;
	sample();
	if (!ends_are_told())
		skip();
	/* The exit of the process was recorded, yet it is still there. */
	assert_ptr_equal(mw_pidmap_remove(&t.processes.map, getpid()), t.self);
	int listener = listen_here();
	int client = connect_to(listener);
	int server = accept_from(listener);
	int short_client = connect_to(listener);
	int short_port = port_of(short_client);
	close(accept_from(listener));
	close(short_client);
	mw_sockets_flush(t.sockets, t.self);
	assert_null(mw_pidmap_get(&t.processes.map, getpid()));
	mw_process_unref(t.self);
	assert_int_equal(told(MW_SOCKET_LISTEN, port_of(listener), 0, NULL), 1);
	assert_int_equal(told(MW_SOCKET_CONNECT, port_of(client), 0, NULL), 1);
	assert_int_equal(told(MW_SOCKET_ACCEPT, port_of(listener), port_of(client), NULL), 1);
	(void)wait_for(MW_SOCKET_CONNECT, short_port, 0, NULL); /* the kernel tells of an end a little later */
	close(client);
	close(server);
	close(listener);
}

/* A storm is bounded, and what is past the bound is told. */
static void a_storm_is_counted(void **state)
{
	(void)state;
	int listener = listen_here();
	sample();
	if (!ends_are_told())
		skip();
	(void)wait_for(MW_SOCKET_LISTEN, port_of(listener), 0, NULL);
	int64_t deadline = mw_clock_mono_ns() + (int64_t)DEADLINE_MS * MW_NS_PER_MS;
	while (!t.report[0] && mw_clock_mono_ns() < deadline) {
		for (int i = 0; i < 500; i++) {
			int client = connect_to(listener);
			int server = accept_from(listener);
			/* No TIME_WAIT, which would use up the ports. */
			const struct linger linger = {.l_onoff = 1};
			(void)setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
			close(client);
			close(server);
		}
		bool is_late;
		t.kind = MW_EVENT_KINDS;
		run_for(INTERVAL_MS, &is_late);
	}
	assert_non_null(strstr(t.report, "sampled sockets:"));
	close(listener);
}

/* From now on, this process gets no netlink socket. */
static bool refuse_netlink(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {.len = sizeof(code) / sizeof(code[0]), .filter = code};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* In a process of its own, where netlink is refused. */
static int without_netlink(void)
{
	(void)start(NULL);
	sample();
	bool is_late;
	run_for(0, &is_late);
	if (!strstr(t.report, "short connections are not seen"))
		return 2;
	int listener = listen_here();
	int client = connect_to(listener);
	int server = accept_from(listener);
	if (wait_for(MW_SOCKET_CONNECT, port_of(client), port_of(listener), NULL)->pid != getpid())
		return 3;
	if (wait_for(MW_SOCKET_ACCEPT, port_of(listener), port_of(client), NULL)->socket.fd != server)
		return 4;
	mw_sockets_flush(t.sockets, NULL);
	return told(MW_SOCKET_CONNECT, port_of(client), 0, NULL) == 1 ? 0 : 5;
}

static void proc_net_takes_the_place_of_netlink(void **state)
{
	(void)state;
	(void)fflush(NULL);
	pid_t pid = fork();
	if (pid == 0)
		_exit(refuse_netlink() ? without_netlink() : 100);
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 100) {
		print_message("no seccomp filters here\n");
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(news_are_told_and_what_another_sensor_told_is_not),
		TEST(processes_that_were_here_before_us_have_old_sockets),
		TEST(sockets_older_than_the_first_snapshot_are_news),
		TEST(short_connections_are_told_at_their_end),
		TEST(the_end_of_a_connection_told_before_is_no_news),
		TEST(what_system_calls_told_is_not_told_again),
		TEST(datagrams),
		TEST(unix_sockets),
		TEST(strangers),
		TEST(a_process_under_calls_is_given_time),
		TEST(a_flush_tells_all),
		TEST(a_storm_is_counted),
		cmocka_unit_test(proc_net_takes_the_place_of_netlink),
	};
	return cmocka_run_group_tests_name("sockets", tests, NULL, NULL);
}

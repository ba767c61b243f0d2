/* A backend that takes the load of very many hosts, and is not strict: each path has one answer.  For `moonwatch loadgen`; what a
 * request may be is checked by server.py.
 *
 * usage: stub CERTIFICATE.pem KEY.pem PORT [WORKERS]
 *
 * Worker processes share the port (SO_REUSEPORT).  GET /counters gives {"connections", "handshakes", "enroll", "config", "log", "read",
 * "write", "other", "lines", "bytes", "refused"}, of all workers together.  The word "ready" is printed when all of them listen. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zlib.h>

enum {
	HEAD_BYTES = 8 << 10,
	BODY_BYTES = 16 << 20,
	UNPACKED_BYTES = 64 << 20,
	ANSWER_BYTES = 4 << 10,
	EVENTS = 256,
	WORKERS_MAX = 64,
};

enum counter {
	CONNECTIONS,
	HANDSHAKES,
	ENROLL,
	CONFIG,
	LOG,
	READ,
	WRITE,
	OTHER,
	LINES,
	BYTES,
	REFUSED,
	COUNTERS
};
static const char *const names[COUNTERS] = {"connections", "handshakes", "enroll", "config", "log",    "read",
					    "write",       "other",      "lines",  "bytes",  "refused"};
static _Atomic uint64_t *counters; /* of all processes */

struct connection {
	int fd;
	SSL *tls;
	bool is_open; /* the handshake is done */
	char *data;
	size_t size, room;
	char answer[ANSWER_BYTES];
	size_t answer_size, sent;
};

static void count(enum counter which, uint64_t by)
{
	atomic_fetch_add_explicit(&counters[which], by, memory_order_relaxed);
}

static void drop(struct connection *c)
{
	SSL_free(c->tls);
	close(c->fd);
	free(c->data);
	free(c);
}

/* Lines of a log, by a member each of them has. */
static uint64_t lines_of(const char *body, size_t size)
{
	static const char word[] = "\"unixTime\"";
	uint64_t n = 0;
	for (const char *end = body + size; (body = memmem(body, (size_t)(end - body), word, sizeof(word) - 1)); body++)
		n++;
	return n;
}

static uint64_t lines_of_packed(const char *body, size_t size)
{
	static char *room;
	z_stream stream = {.next_in = (unsigned char *)(uintptr_t)body, .avail_in = (unsigned)size};
	room = room ? room : malloc(UNPACKED_BYTES);
	if (!room || inflateInit2(&stream, 15 + 16) != Z_OK)
		return 0;
	stream.next_out = (unsigned char *)room;
	stream.avail_out = UNPACKED_BYTES;
	int r = inflate(&stream, Z_FINISH);
	uint64_t n = r == Z_STREAM_END ? lines_of(room, stream.total_out) : 0;
	(void)inflateEnd(&stream);
	return n;
}

static const char *header(const char *head, const char *name)
{
	size_t n = strlen(name);
	for (const char *line = strchr(head, '\n'); line; line = strchr(line + 1, '\n'))
		if (strncasecmp(line + 1, name, n) == 0 && line[1 + n] == ':')
			return line + 2 + n + strspn(line + 2 + n, " ");
	return NULL;
}

static enum counter endpoint_of(const char *path, size_t n)
{
	static const struct {
		const char *end;
		enum counter which;
	} ends[] = {{"enroll", ENROLL}, {"config", CONFIG}, {"/log", LOG}, {"read", READ}, {"write", WRITE}};
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
		size_t m = strlen(ends[i].end);
		if (n >= m && memcmp(path + n - m, ends[i].end, m) == 0)
			return ends[i].which;
	}
	return OTHER;
}

static int body_of_answer(enum counter which, const char *head, char *out, size_t room)
{
	const char *key = header(head, "Authorization");
	if (strncmp(head, "GET /counters ", 14) == 0) {
		size_t n = 0;
		for (int i = 0; i < COUNTERS; i++)
			n += (size_t)snprintf(out + n, room - n, "%s\"%s\": %llu", i ? ", " : "{", names[i],
					      (unsigned long long)atomic_load(&counters[i]));
		return (int)n + snprintf(out + n, room - n, "}\n");
	}
	if (which == ENROLL)
		return snprintf(out, room, "{\"node_key\":\"key-%d-%llu\"}", (int)getpid(),
				(unsigned long long)atomic_load(&counters[ENROLL]));
	if (!key || strncmp(key, "NodeKey key-", 12) != 0) {
		count(REFUSED, 1);
		return snprintf(out, room, "{\"node_invalid\":true}");
	}
	if (which == CONFIG)
		return snprintf(
			out, room,
			"{\"schedule\":{\"os\":{\"query\":\"SELECT name, version FROM os_version\",\"interval\":3600,"
			"\"snapshot\":true},\"listening\":{\"query\":\"SELECT pid, port, address FROM listening_ports\","
			"\"interval\":300}},\"node_invalid\":false}");
	return snprintf(out, room, which == READ ? "{\"queries\":{},\"node_invalid\":false}" : "{}");
}

/* Answer the request at the beginning of what came; how many bytes it had, 0: it is not whole, -1: it is none. */
static long answer(struct connection *c)
{
	if (c->size < 4)
		return 0;
	char *end = memmem(c->data, c->size, "\r\n\r\n", 4);
	if (!end)
		return c->size > HEAD_BYTES ? -1 : 0;
	*end = '\0';
	const char *length = header(c->data, "Content-Length");
	size_t body_size = length ? strtoul(length, NULL, 10) : 0;
	size_t head_size = (size_t)(end + 4 - c->data);
	if (body_size > BODY_BYTES)
		return -1;
	if (c->size < head_size + body_size) {
		*end = '\r';
		return 0;
	}
	const char *path = strchr(c->data, ' ');
	if (!path)
		return -1;
	enum counter which = endpoint_of(path + 1, strcspn(path + 1, " ?"));
	const char *packed = header(c->data, "Content-Encoding");
	count(which, 1);
	count(BYTES, head_size + body_size);
	if (which == LOG)
		count(LINES, packed && strncmp(packed, "gzip", 4) == 0 ? lines_of_packed(end + 4, body_size)
								       : lines_of(end + 4, body_size));
	char body[ANSWER_BYTES / 2];
	int n = body_of_answer(which, c->data, body, sizeof(body));
	c->answer_size = (size_t)snprintf(
		c->answer, sizeof(c->answer),
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", n, body);
	c->sent = 0;
	return (long)(head_size + body_size);
}

/* 0: more later; -1: it is over. */
static int waits(struct connection *c, int epoll, int r)
{
	int why = SSL_get_error(c->tls, r);
	ERR_clear_error();
	if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
		return -1;
	struct epoll_event event = {.events = why == SSL_ERROR_WANT_READ ? EPOLLIN : EPOLLOUT, .data.ptr = c};
	return epoll_ctl(epoll, EPOLL_CTL_MOD, c->fd, &event);
}

static int go_on(struct connection *c, int epoll)
{
	if (!c->is_open) {
		int r = SSL_accept(c->tls);
		if (r <= 0)
			return waits(c, epoll, r);
		c->is_open = true;
		count(HANDSHAKES, 1);
	}
	for (;;) {
		while (c->sent < c->answer_size) {
			int r = SSL_write(c->tls, c->answer + c->sent, (int)(c->answer_size - c->sent));
			if (r <= 0)
				return waits(c, epoll, r);
			c->sent += (size_t)r;
		}
		long used = answer(c);
		if (used < 0)
			return -1;
		if (used > 0) {
			c->size -= (size_t)used;
			memmove(c->data, c->data + used, c->size);
			if (!c->size) { /* idle connections are many: they hold no memory */
				free(c->data);
				c->data = NULL;
				c->room = 0;
			}
			continue;
		}
		if (c->room - c->size < 4096) {
			size_t room = c->room ? c->room * 2 : 16384;
			char *data = realloc(c->data, room);
			if (!data)
				return -1;
			c->data = data;
			c->room = room;
		}
		int r = SSL_read(c->tls, c->data + c->size, (int)(c->room - c->size));
		if (r <= 0) {
			if (!c->size) {
				free(c->data);
				c->data = NULL;
				c->room = 0;
			}
			return waits(c, epoll, r);
		}
		c->size += (size_t)r;
	}
}

static void take(int listener, int epoll, SSL_CTX *context)
{
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0)
			return;
		struct connection *c = calloc(1, sizeof(*c));
		if (c)
			c->tls = SSL_new(context);
		if (!c || !c->tls)
			exit(1); /* out of memory */
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
		c->fd = fd;
		SSL_set_fd(c->tls, fd);
		SSL_set_accept_state(c->tls);
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
			drop(c);
			continue;
		}
		count(CONNECTIONS, 1);
	}
}

static void work(int listener, SSL_CTX *context)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS] = {{.events = EPOLLIN, .data.ptr = NULL}};
	if (epoll < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, listener, events) < 0)
		exit(1);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);
		for (int i = 0; i < n; i++) {
			if (!events[i].data.ptr)
				take(listener, epoll, context);
			else if (go_on(events[i].data.ptr, epoll) < 0)
				drop(events[i].data.ptr);
		}
	}
}

static int listen_at(unsigned short port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &(int){1}, sizeof(int));
	if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 4096) < 0) {
		perror("stub: listen");
		exit(1);
	}
	return fd;
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		(void)fprintf(stderr, "usage: stub CERTIFICATE.pem KEY.pem PORT [WORKERS]\n");
		return 2;
	}
	long workers = argc > 4 ? strtol(argv[4], NULL, 10) : 1;
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	if (!context || SSL_CTX_use_certificate_chain_file(context, argv[1]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(context, argv[2], SSL_FILETYPE_PEM) != 1 || workers < 1 ||
	    workers > WORKERS_MAX) {
		ERR_print_errors_fp(stderr);
		return 1;
	}
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
					  SSL_MODE_ENABLE_PARTIAL_WRITE);
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	void *shared =
		mmap(NULL, sizeof(*counters) * COUNTERS, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 1;
	counters = shared;
	for (long i = 0; i < workers; i++) {
		int listener = listen_at((unsigned short)strtoul(argv[3], NULL, 10));
		if (fork() == 0) {
			(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
			work(listener, context);
		}
		close(listener);
	}
	(void)puts("ready");
	(void)fflush(stdout);
	(void)wait(NULL);
	return 1;
}

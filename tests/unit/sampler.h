/* The sampler of sockets at work in this process, and what it tells. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "event/event.h"
#include "event/level.h"
#include "event/process.h"
#include "loop/loop.h"
#include "sensor/processes.h"
#include "sensor/sockets.h"

enum {
	EVENTS = 2048,
	DEADLINE_MS = 10000,
	INTERVAL_MS = 50,
};

struct seen {
	enum mw_event_kind kind;
	struct mw_socket socket;
	pid_t pid;
};

static struct {
	struct mw_loop *loop;
	struct mw_processes processes;
	struct mw_process *self;
	struct mw_sockets *sockets;
	struct seen seen[EVENTS];
	unsigned count;
	char report[256];
	/* What is waited for. */
	enum mw_event_kind kind;
	int local_port, remote_port;
	const char *path;
} t;

static inline bool is_wanted(const struct seen *seen)
{
	return seen->kind == t.kind && (!t.local_port || seen->socket.local_port == t.local_port) &&
	       (!t.remote_port || seen->socket.remote_port == t.remote_port) &&
	       (!t.path || strcmp(seen->socket.path, t.path) == 0);
}

static inline void on_event(void *data, struct mw_event *event)
{
	(void)data;
	assert_true(event->is_sampled);
	assert_non_null(event->socket);
	if (t.count == EVENTS)
		return;
	t.seen[t.count] = (struct seen){event->kind, *event->socket, event->process ? event->process->pid : 0};
	if (is_wanted(&t.seen[t.count++]))
		mw_loop_stop(t.loop);
}

static inline void on_report(void *data, const char *line, bool is_urgent)
{
	(void)is_urgent;
	(void)data;
	(void)snprintf(t.report, sizeof(t.report), "%s", line);
}

static inline void on_deadline(void *data)
{
	*(bool *)data = true;
	mw_loop_stop(t.loop);
}

static inline void run_for(int64_t ms, bool *ret_is_late)
{
	*ret_is_late = false;
	struct mw_timer deadline = {.fire = on_deadline, .data = ret_is_late};
	mw_timer_set(t.loop, &deadline, ms);
	assert_int_equal(mw_loop_run(t.loop), 0);
	mw_timer_clear(t.loop, &deadline);
}

/* How many events are like that. */
static inline unsigned told(enum mw_event_kind kind, int local_port, int remote_port, const char *path)
{
	t.kind = kind;
	t.local_port = local_port;
	t.remote_port = remote_port;
	t.path = path;
	unsigned n = 0;
	for (unsigned i = 0; i < t.count; i++)
		n += is_wanted(&t.seen[i]);
	return n;
}

/* The first event like that, waited for. */
static inline const struct seen *wait_for(enum mw_event_kind kind, int local_port, int remote_port, const char *path)
{
	bool is_late = false;
	if (told(kind, local_port, remote_port, path) == 0)
		run_for(DEADLINE_MS, &is_late);
	for (unsigned i = 0; i < t.count; i++)
		if (is_wanted(&t.seen[i]))
			return &t.seen[i];
	fail_msg("no event of kind %s, ports %d and %d, path %s", mw_event_kinds[kind].name, local_port, remote_port,
		 path ? path : "-");
	return NULL;
}

static inline int start(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	assert_int_equal(mw_loop_new(&t.loop, NULL), 0);
	t.self = mw_processes_known(&t.processes, getpid(), 0, 1);
	return t.self ? 0 : -1;
}

static inline int stop(void **state)
{
	(void)state;
	mw_sockets_free(t.sockets);
	mw_processes_release(&t.processes);
	mw_loop_free(t.loop);
	return 0;
}

static inline void sample_as(bool is_again)
{
	const struct mw_sockets_options options = {
		.loop = t.loop,
		.processes = &t.processes,
		.interval_ms = INTERVAL_MS,
		.is_again = is_again,
		.emit = on_event,
		.report = on_report,
	};
	assert_int_equal(mw_sockets_new(&options, &t.sockets), 0);
}

static inline void sample(void)
{
	sample_as(false);
}

static inline int port_of(int fd)
{
	struct sockaddr_in address = {0};
	socklen_t size = sizeof(address);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	return ntohs(address.sin_port);
}

static inline int listen_here(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

static inline int connect_to(int listener)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons((uint16_t)port_of(listener)),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static inline int accept_from(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static inline uint64_t inode_of(int fd)
{
	struct stat stat;
	assert_int_equal(fstat(fd, &stat), 0);
	return stat.st_ino;
}

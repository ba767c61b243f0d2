/* A snapshot goes through the parts (TCP over IPv4 …) one after the other; each answer is read in pieces from the event loop.
 * Sockets not settled yet are candidates: at the snapshot's end their owners are looked for, and each is told, or waits
 * for the next snapshot, or is settled without a word.  All is bounded by the constants below; what is past them is
 * counted and told as sensor.health (socket_losses.h). */

#include "sensor/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/limits.h"
#include "event/event.h"
#include "event/level.h"
#include "loop/loop.h"
#include "proc/sockdiag.h"
#include "proc/sockstat.h"
#include "sensor/owners.h"
#include "sensor/processes.h"
#include "sensor/socket_exact.h"
#include "sensor/socket_losses.h"
#include "sensor/socket_table.h"

enum {
	/* Intervals after which all is looked at again, even when no count has changed. */
	SKIPS = 10,
	/* Sockets remembered; a few MiB. */
	SOCKETS = 1 << 16,
	/* Candidates of one snapshot; more wait for the next. */
	CANDIDATES = 1024,
	/* Descriptors looked at after a snapshot: some 10 ms. */
	LINKS = 8192,
	/* Ends of connections that wait to be told. */
	ENDED = 2048,
	/* Sampled events in a second, of each of enum budget. */
	EVENTS_PER_S = 300,
	/* Pieces of an answer, of 32 KiB, and ends of connections, read before others of the loop have their turn. */
	PIECES = 8,
	ENDED_PIECES = 256,
	/* How long an end waits for the exact event of the same connection, which comes another way. */
	SETTLE_MS = 100,
	/* How long an exact event is remembered, besides two snapshots. */
	EXACT_S = 10,
	/* Snapshots a candidate waits for its owner: when all processes were looked at, and when there were too many. */
	PATIENCE = 2,
	LONG_PATIENCE = 8,
	/* How long a port counts as one that is listened on, besides two snapshots. */
	LISTENED_S = 2,
	/* Of table keys: unix sockets are remembered by inode, others by cookie. */
	UNIX_KEY_BIT = 62,
};

/* So that visitors of a busy server, or what other containers do, do not silence the rest. */
enum budget {
	OF_SNAPSHOTS,
	OF_ENDED_CONNECTS,
	OF_ENDED_ACCEPTS,
	BUDGETS,
};

struct ended {
	struct mw_sock sock;
	int64_t due_ns; /* CLOCK_MONOTONIC */
};

struct mw_sockets {
	struct mw_sockstat stat;
	bool has_heard;   /* of an end since the last snapshot */
	unsigned skipped; /* snapshots since then, for want of a reason */
	struct mw_sockets_options options;
	int proc_fd, net_fd;
	struct mw_sockdiag diag;
	int ended_fd;
	struct mw_timer tick, settle;
	uint16_t first_ephemeral, last_ephemeral;

	/* The snapshot under way; MW_SOCK_PARTS when there is none. */
	unsigned part;
	bool is_whole; /* nothing of it failed */
	bool is_last;  /* no other will follow: nothing may wait */
	bool use_file[MW_SOCK_PARTS];
	bool has_begun[MW_SOCK_PARTS]; /* the first snapshot is over */
	uint32_t generation;
	struct mw_socket_table table;
	struct {
		int64_t ns;         /* when somebody was last seen to listen; 0: never */
		bool is_foreign;    /* nobody we know */
	} listened[UINT16_MAX + 1]; /* by TCP port */
	size_t candidates_count;
	struct mw_sock candidates[CANDIDATES];
	struct mw_owner owners[CANDIDATES];
	struct mw_owners_cursor cursor;
	struct mw_pidmap listeners; /* TCP port -> struct mw_process, one reference each */

	size_t ended_first, ended_count;
	struct ended ended[ENDED];

	struct mw_told told;  /* TCP cookies that have left the table */
	struct mw_told exact; /* what exact events told of */

	int64_t second; /* number of the second `events` count in */
	unsigned events[BUDGETS];
	struct mw_socket_losses losses;
	int diag_error, ended_error; /* to be complained of once */
	struct mw_socket subject;
};

static void health(struct mw_sockets *s)
{
	char line[256];
	if (mw_socket_losses_sentence(&s->losses, SOCKETS, EVENTS_PER_S, line, sizeof(line)))
		s->options.report(s->options.data, line, false);
}

static bool listens_on(const struct mw_sockets *s, uint16_t port)
{
	int64_t age_ns = mw_clock_mono_ns() - s->listened[port].ns;
	return s->listened[port].ns &&
	       age_ns <= (int64_t)LISTENED_S * MW_NS_PER_S + 2 * s->options.interval_ms * MW_NS_PER_MS;
}

static bool is_ephemeral(const struct mw_sockets *s, uint16_t port)
{
	return port >= s->first_ephemeral && port <= s->last_ephemeral;
}

static bool is_tcp(enum mw_sock_part part)
{
	return part == MW_SOCK_TCP4 || part == MW_SOCK_TCP6;
}

static uint64_t table_key(const struct mw_sock *sock)
{
	if (sock->part == MW_SOCK_UNIX || !sock->cookie) /* /proc/net tells no cookies */
		return sock->inode ? sock->inode | UINT64_C(1) << UNIX_KEY_BIT : 0;
	return sock->cookie;
}

static bool is_exact(const struct mw_sockets *s, enum mw_event_kind kind, const struct mw_socket *socket)
{
	return mw_socket_exact_has(&s->exact, kind, socket, mw_clock_mono_ns());
}

void mw_sockets_exact(struct mw_sockets *s, const struct mw_event *event)
{
	if (!s || !event->socket || event->is_sampled)
		return;
	int64_t until = mw_clock_mono_ns() + (int64_t)EXACT_S * MW_NS_PER_S + 2 * s->options.interval_ms * MW_NS_PER_MS;
	mw_socket_exact_add(&s->exact, event->kind, event->socket, until);
}

/* `name` is the unix path. */
static void describe(struct mw_socket *socket, const struct mw_sock *sock, const char *name)
{
	*socket = (struct mw_socket){.type = sock->type, .fd = -1, .inode = sock->inode};
	if (sock->part == MW_SOCK_UNIX) {
		socket->family = MW_SOCKET_UNIX;
		(void)snprintf(socket->path, sizeof(socket->path), "%s", name ? name : "");
		return;
	}
	socket->protocol = is_tcp(sock->part) ? IPPROTO_TCP : IPPROTO_UDP;
	bool is_ipv4 = mw_sock_address(sock->part, sock->local, sock->local_port, socket->local_address);
	(void)mw_sock_address(sock->part, sock->remote, sock->remote_port, socket->remote_address);
	socket->family = is_ipv4 ? MW_SOCKET_IPV4 : MW_SOCKET_IPV6;
	socket->local_port = sock->local_port;
	socket->remote_port = sock->remote_port;
}

static void emit(struct mw_sockets *s, enum budget budget, enum mw_event_kind kind, const struct mw_socket *socket,
		 struct mw_process *process)
{
	int64_t second = mw_clock_mono_ns() / MW_NS_PER_S;
	if (second != s->second) {
		s->second = second;
		memset(s->events, 0, sizeof(s->events));
	}
	if (s->events[budget] >= EVENTS_PER_S) {
		s->losses.now.events++;
		return;
	}
	s->events[budget]++;
	struct mw_event event = {
		.kind = kind,
		.is_sampled = true,
		.time_ns = mw_clock_real_ns(),
		.process = process,
		.socket = socket,
	};
	s->options.emit(s->options.data, &event);
}

/* Ends of connections. */

static void on_ended(void *data, const struct mw_sock *sock)
{
	struct mw_sockets *s = data;
	const struct mw_socket_entry *entry = mw_socket_table_get(&s->table, table_key(sock));
	s->has_heard = true;
	/* Without a remote port it is a listener, or a connection that was refused; the first tells which end was which
	 * of those that ended shortly before it. */
	if (!sock->remote_port)
		s->listened[sock->local_port].ns = mw_clock_mono_ns();
	if (!sock->local_port || !sock->remote_port || (entry && entry->is_settled) ||
	    mw_told_has(&s->told, sock->cookie, 0))
		return;
	if (s->ended_count == ENDED) {
		s->losses.now.ended++;
		return;
	}
	s->ended[(s->ended_first + s->ended_count++) % ENDED] = (struct ended){
		.sock = *sock,
		.due_ns = mw_clock_mono_ns() + (int64_t)SETTLE_MS * MW_NS_PER_MS,
	};
	if (!s->settle.is_set)
		mw_timer_set(s->options.loop, &s->settle, SETTLE_MS);
}

static void tell_ended(struct mw_sockets *s, const struct mw_sock *sock)
{
	bool is_accepted = listens_on(s, sock->local_port) ||
			   (!is_ephemeral(s, sock->local_port) && is_ephemeral(s, sock->remote_port));
	enum mw_event_kind kind = is_accepted ? MW_SOCKET_ACCEPT : MW_SOCKET_CONNECT;
	struct mw_process *process = is_accepted ? mw_pidmap_get(&s->listeners, sock->local_port) : NULL;
	if (is_accepted && !process && s->listened[sock->local_port].is_foreign)
		return;
	describe(&s->subject, sock, NULL);
	if (!is_exact(s, kind, &s->subject))
		emit(s, is_accepted ? OF_ENDED_ACCEPTS : OF_ENDED_CONNECTS, kind, &s->subject,
		     process && !process->ended ? process : NULL);
}

static void tell_ended_until(struct mw_sockets *s, int64_t due_ns)
{
	while (s->ended_count && s->ended[s->ended_first].due_ns <= due_ns) {
		tell_ended(s, &s->ended[s->ended_first].sock);
		s->ended_first = (s->ended_first + 1) % ENDED;
		s->ended_count--;
	}
}

static void on_settle(void *data)
{
	struct mw_sockets *s = data;
	tell_ended_until(s, mw_clock_mono_ns());
	if (s->ended_count)
		mw_timer_set(s->options.loop, &s->settle, SETTLE_MS);
	health(s);
}

/* The number of ends read, or -errno. */
static int read_ended(struct mw_sockets *s)
{
	int n = s->ended_fd < 0 ? 0 : mw_sockdiag_read_ended(s->ended_fd, ENDED_PIECES, on_ended, s);
	/* How many were lost is not known; those that still live are found by the next snapshot. */
	s->losses.now.ended += n == -ENOBUFS;
	return n;
}

static void on_ended_ready(void *data, uint32_t events)
{
	(void)events;
	(void)read_ended(data);
}

/* NULL when memory is exhausted. */
static char *copy_name(const struct mw_sock *sock)
{
	char *name = malloc(sock->path_bytes + 1);
	if (!name)
		return NULL;
	memcpy(name, sock->path, sock->path_bytes);
	name[sock->path_bytes] = '\0';
	for (size_t i = 0; i < sock->path_bytes; i++)
		if (!name[i])
			name[i] = '@'; /* abstract names begin with a NUL, and may have more */
	return name;
}

static void on_sock(void *data, const struct mw_sock *sock)
{
	struct mw_sockets *s = data;
	bool listens = sock->state == MW_SOCK_LISTEN;
	if (listens && is_tcp(sock->part))
		s->listened[sock->local_port].ns = mw_clock_mono_ns();
	uint64_t key = table_key(sock);
	if (!key)
		return;
	struct mw_socket_entry *entry = mw_socket_table_put(&s->table, key, SOCKETS);
	if (!entry) {
		s->losses.now.sockets++;
		return;
	}
	bool is_connected = sock->remote_port || sock->peer || sock->state == MW_SOCK_ESTABLISHED;
	if (entry->generation == 0) {
		entry->part = (uint8_t)sock->part;
		entry->is_old = !s->has_begun[sock->part];
		entry->is_settled = entry->is_old && s->options.is_again && !listens;
	} else if (is_connected && !entry->is_connected && !is_tcp(sock->part)) {
		entry->is_settled = false; /* was bound, now there is another end */
	}
	entry->is_connected = is_connected;
	entry->is_listener = listens;
	entry->generation = s->generation;
	entry->inode = sock->inode;
	entry->local_port = sock->local_port;
	if (!entry->name && sock->path_bytes)
		entry->name = copy_name(sock);
	if (!entry->is_settled && sock->inode && s->candidates_count < CANDIDATES)
		s->candidates[s->candidates_count++] = *sock;
}

/* What to say of a socket; -1 for nothing, -2 for nothing yet.  *ret_name is its unix path. */
static int classify(struct mw_sockets *s, const struct mw_sock *sock, const struct mw_socket_entry *entry,
		    const char **ret_name)
{
	bool is_old = entry->seen >= PATIENCE || s->is_last;
	*ret_name = entry->name;
	if (sock->state == MW_SOCK_LISTEN)
		return MW_SOCKET_LISTEN;
	if (is_tcp(sock->part)) {
		if (!sock->remote_port)
			return -2;
		return listens_on(s, sock->local_port) ? MW_SOCKET_ACCEPT : MW_SOCKET_CONNECT;
	}
	if (sock->part != MW_SOCK_UNIX) {
		if (sock->remote_port)
			return MW_SOCKET_CONNECT;
		/* A port of that range is mostly given by the kernel to a client without connect(2), and soon over. */
		return sock->local_port && (!is_ephemeral(s, sock->local_port) || is_old) ? MW_SOCKET_BIND : -2;
	}
	if (!entry->is_connected)
		return entry->name ? MW_SOCKET_BIND : -1;
	const struct mw_socket_entry *peer =
		sock->peer ? mw_socket_table_get(&s->table, sock->peer | UINT64_C(1) << UNIX_KEY_BIT) : NULL;
	if (peer && peer->name) {
		*ret_name = peer->name;
		return MW_SOCKET_CONNECT;
	}
	if (entry->name)
		return MW_SOCKET_ACCEPT;
	/* Without a name at either end: a pair, or not accepted yet. */
	return is_old ? -1 : -2;
}

static void remember_listener(struct mw_sockets *s, const struct mw_sock *sock, struct mw_process *process)
{
	if (!is_tcp(sock->part))
		return;
	s->listened[sock->local_port].is_foreign = !process;
	if (!process)
		return;
	mw_process_unref(mw_pidmap_remove(&s->listeners, sock->local_port));
	if (mw_pidmap_set(&s->listeners, sock->local_port, process) == 0)
		(void)mw_process_ref(process);
}

static void tell(struct mw_sockets *s, enum mw_event_kind kind, const struct mw_sock *sock, const char *name,
		 const struct mw_owner *owner)
{
	describe(&s->subject, sock, name);
	s->subject.fd = owner->process ? owner->fd : -1;
	if (kind == MW_SOCKET_LISTEN) {
		remember_listener(s, sock, owner->process);
		if (owner->process && !is_exact(s, MW_SOCKET_BIND, &s->subject))
			emit(s, OF_SNAPSHOTS, MW_SOCKET_BIND, &s->subject, owner->process);
	}
	if (!is_exact(s, kind, &s->subject))
		emit(s, OF_SNAPSHOTS, kind, &s->subject, owner->process);
}

/* The application is found, not seen to start, when it was let go before the tracer had hold of it; the entrypoint that it
 * was is a little older than the sensor. */
static bool is_older_than_us(const struct mw_sockets *s, const struct mw_process *process)
{
	return process->image && process->image->is_late &&
	       process->start_ns + (int64_t)MW_NS_PER_S < s->options.processes->container_start_ns;
}

/* Tell of a candidate, or let it wait, or settle it in silence. */
static void judge(struct mw_sockets *s, const struct mw_sock *sock, const struct mw_owner *owner, bool saw_all)
{
	struct mw_socket_entry *entry = mw_socket_table_get(&s->table, table_key(sock));
	if (!entry)
		return;
	entry->seen = entry->seen < UINT8_MAX ? (uint8_t)(entry->seen + 1) : entry->seen;
	const char *name;
	int kind = classify(s, sock, entry, &name);
	const struct mw_process *process = owner->process;
	if (kind < 0) {
		entry->is_settled = kind == -1;
		return;
	}
	if (!s->is_last) {
		bool is_patient = entry->seen < (saw_all ? PATIENCE : LONG_PATIENCE);
		/* A process under `calls` tells itself, when its connect() is over; unless the budget said no. */
		bool may_tell = process && process->image && process->image->level == MW_LEVEL_CALLS;
		if ((!process && is_patient) ||
		    (may_tell && (entry->seen < PATIENCE || sock->state == MW_SOCK_SYN_SENT)))
			return;
	}
	entry->is_settled = true;
	bool was_there = entry->is_old && process && is_older_than_us(s, process);
	if (kind == MW_SOCKET_LISTEN || (process && !was_there))
		tell(s, (enum mw_event_kind)kind, sock, name, owner);
}

static int compare_inodes(const void *a, const void *b)
{
	uint64_t left = ((const struct mw_sock *)a)->inode;
	uint64_t right = ((const struct mw_sock *)b)->inode;
	return left < right ? -1 : left > right;
}

static void on_gone(void *data, const struct mw_socket_entry *entry)
{
	struct mw_sockets *s = data;
	if (!is_tcp(entry->part))
		return;
	/* It may live on without a connection, and its end is still to come. */
	if (entry->is_settled)
		mw_told_add(&s->told, entry->key, mw_clock_mono_ns());
	if (entry->is_listener)
		mw_process_unref(mw_pidmap_remove(&s->listeners, entry->local_port));
}

static void finish(struct mw_sockets *s)
{
	size_t n = s->candidates_count;
	if (n) {
		qsort(s->candidates, n, sizeof(s->candidates[0]), compare_inodes);
		for (size_t i = 0; i < n; i++)
			s->owners[i] = (struct mw_owner){.inode = s->candidates[i].inode};
		bool saw_all = mw_owners_find(s->options.processes, s->proc_fd, s->owners, n, LINKS, &s->cursor);
		for (size_t i = 0; i < n; i++)
			judge(s, &s->candidates[i], &s->owners[i], saw_all);
	}
	if (s->is_whole)
		mw_socket_table_sweep(&s->table, s->generation, on_gone, s);
	health(s);
}

/* Go on with the snapshot as far as one turn goes.  True when it is over. */
static bool go_on(struct mw_sockets *s)
{
	while (s->part < MW_SOCK_PARTS) {
		if (s->use_file[s->part]) {
			if (mw_sockets_read_file(s->net_fd, s->part, SOCKETS, on_sock, s) == -EFBIG)
				s->losses.now.sockets++;
		} else {
			int r = mw_sockdiag_read(&s->diag, PIECES, on_sock, s);
			if (r == 0)
				return false;
			if (r == -ENOBUFS)
				s->is_whole = false;
			else if (r < 0) {
				/* This part has no sock_diag here.  (It never had: the module would have stayed.) */
				s->use_file[s->part] = true;
				continue;
			}
		}
		if (s->is_whole)
			s->has_begun[s->part] = true;
		s->part++;
		if (s->part < MW_SOCK_PARTS && !s->use_file[s->part] && mw_sockdiag_ask(&s->diag, s->part) < 0)
			s->use_file[s->part] = true;
	}
	finish(s);
	return true;
}

static void begin(struct mw_sockets *s)
{
	s->part = 0;
	s->is_whole = true;
	s->candidates_count = 0;
	/* What has ended is forgotten only when its end was heard. */
	(void)read_ended(s);
	if (++s->generation == 0)
		s->generation = 1;
	if (!s->use_file[0] && mw_sockdiag_ask(&s->diag, 0) < 0)
		s->use_file[0] = true;
}

/* One line when sockets cannot be seen, or not all of them. */
static void complain(struct mw_sockets *s)
{
	char line[256] = "";
	if (s->diag_error < 0 && faccessat(s->net_fd, "tcp", F_OK, 0) < 0)
		(void)snprintf(line, sizeof(line),
			       "sockets of processes are not seen: neither netlink (%s) nor /proc/net is there",
			       strerror(-s->diag_error));
	else if (s->ended_error < 0)
		(void)snprintf(line, sizeof(line),
			       "short connections are not seen: netlink does not tell when connections end (%s)",
			       strerror(-s->ended_error));
	s->diag_error = s->ended_error = 0;
	if (line[0])
		s->options.report(s->options.data, line, true);
}

/* Is there reason to look again: counts have changed, or an end was told of, or it has been long? */
static bool is_worth_it(struct mw_sockets *s)
{
	bool is_due = mw_sockstat_has_changed(s->net_fd, &s->stat) || s->has_heard || !s->has_begun[MW_SOCK_UNIX];
	s->has_heard = false;
	s->skipped = is_due || s->skipped >= SKIPS ? 0 : s->skipped + 1;
	return s->skipped == 0;
}

static void on_tick(void *data)
{
	struct mw_sockets *s = data;
	complain(s);
	bool is_new = s->part >= MW_SOCK_PARTS;
	if (is_new && !is_worth_it(s)) {
		mw_timer_set(s->options.loop, &s->tick, s->options.interval_ms);
		return;
	}
	if (is_new)
		begin(s);
	if (go_on(s))
		mw_timer_set(s->options.loop, &s->tick, s->options.interval_ms);
	else
		mw_timer_set(s->options.loop, &s->tick, 0); /* after the others had their turn */
}

void mw_sockets_flush(struct mw_sockets *s, struct mw_process *ending)
{
	if (!s)
		return;
	bool is_known = ending && mw_pidmap_get(&s->options.processes->map, ending->pid);
	if (ending && !is_known)
		(void)mw_pidmap_set(&s->options.processes->map, ending->pid, ending);
	while (s->part < MW_SOCK_PARTS && !go_on(s))
		;
	s->is_last = true;
	begin(s);
	while (!go_on(s))
		;
	while (read_ended(s) > 0)
		;
	tell_ended_until(s, INT64_MAX);
	s->is_last = false;
	if (ending && !is_known)
		(void)mw_pidmap_remove(&s->options.processes->map, ending->pid);
}

int mw_sockets_new(const struct mw_sockets_options *options, struct mw_sockets **ret_sockets)
{
	struct mw_sockets *s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->options = *options;
	s->part = MW_SOCK_PARTS;
	s->ended_fd = -1;
	s->tick = (struct mw_timer){.fire = on_tick, .data = s};
	s->settle = (struct mw_timer){.fire = on_settle, .data = s};
	s->proc_fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s->net_fd = open("/proc/self/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	mw_sockets_port_range(s->proc_fd, &s->first_ephemeral, &s->last_ephemeral);
	s->diag_error = mw_sockdiag_open(&s->diag);
	for (unsigned i = 0; i < MW_SOCK_PARTS; i++)
		s->use_file[i] = s->diag_error < 0;
	s->ended_error = mw_sockdiag_open_ended(&s->ended_fd);
	if (s->ended_error == 0)
		s->ended_error = mw_loop_watch(options->loop, s->ended_fd, EPOLLIN, on_ended_ready, s);
	mw_timer_set(options->loop, &s->tick, 0);
	*ret_sockets = s;
	return 0;
}

void mw_sockets_free(struct mw_sockets *s)
{
	if (!s)
		return;
	mw_timer_clear(s->options.loop, &s->tick);
	mw_timer_clear(s->options.loop, &s->settle);
	if (s->ended_fd >= 0) {
		mw_loop_unwatch(s->options.loop, s->ended_fd);
		(void)close(s->ended_fd);
	}
	mw_sockdiag_close(&s->diag);
	size_t cursor = 0;
	for (struct mw_process *process; (process = mw_pidmap_next(&s->listeners, &cursor));)
		mw_process_unref(process);
	mw_pidmap_release(&s->listeners);
	mw_socket_table_release(&s->table);
	if (s->proc_fd >= 0)
		(void)close(s->proc_fd);
	if (s->net_fd >= 0)
		(void)close(s->net_fd);
	free(s);
}

#include "sensor/calls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "event/event.h"
#include "event/record.h"
#include "trace/call_names.h"
#include "sensor/processes.h"
#include "trace/calls.h"

_Static_assert(sizeof(((struct mw_socket *)0)->path) > sizeof(((struct sockaddr_un *)0)->sun_path) + 1,
	       "a whole sun_path fits, with its NUL");

static bool is_whole(const struct mw_record_call *record, size_t bytes)
{
	return bytes >= sizeof(*record) &&
	       bytes >= sizeof(*record) + (size_t)record->path_bytes + record->old_path_bytes + record->text_bytes &&
	       record->path_bytes < MW_PATH_BYTES && record->old_path_bytes < MW_PATH_BYTES &&
	       record->text_bytes < MW_PATH_BYTES && record->local_bytes <= MW_SOCKADDR_BYTES &&
	       record->remote_bytes <= MW_SOCKADDR_BYTES && record->event < MW_EVENT_KINDS &&
	       mw_call_name(record->call);
}

static void take(const char **strings, size_t n, char out[MW_PATH_BYTES])
{
	memcpy(out, *strings, n);
	out[n] = '\0';
	*strings += n;
}

static int64_t or_unknown(uint32_t value)
{
	return value == MW_CALL_NONE ? -1 : (int64_t)value;
}

static bool is_file_kind(unsigned kind)
{
	return kind >= MW_FILE_OPEN && kind <= MW_FILE_ATTRIBUTES;
}

/* As far as the call says so: one that only works with folders, or a folder that was opened as such. */
static bool is_directory(const struct mw_record_call *record)
{
	uint32_t flags = record->open_flags;
	if (record->result < 0)
		return false;
	if (flags != MW_CALL_NONE)
		return flags & O_DIRECTORY && (flags & O_TMPFILE) != O_TMPFILE;
	const char *name = mw_call_name(record->call);
	return name && (strncmp(name, "mkdir", 5) == 0 || strcmp(name, "rmdir") == 0);
}

static void set_file(struct mw_subject *subject, const struct mw_record_call *record)
{
	uint32_t flags = record->open_flags;
	bool has_flags = flags != MW_CALL_NONE;
	subject->file = (struct mw_file){
		.path = subject->path,
		.old_path = subject->old_path,
		.inode = record->inode,
		.device = record->device,
		.size = record->size == MW_CALL_NO_SIZE ? -1 : (int64_t)record->size,
		.mode = or_unknown(record->mode),
		.uid = or_unknown(record->uid),
		.gid = or_unknown(record->gid),
		.open_flags = has_flags ? (int64_t)flags : 0,
		.is_directory = is_file_kind(record->event) && is_directory(record),
		.is_write = has_flags && !(flags & O_PATH) && ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC),
		.found_by = is_file_kind(record->event) ? MW_FILE_BY_CALL : MW_FILE_BY_NOBODY,
		.attribution = is_file_kind(record->event) ? MW_ATTRIBUTION_EXACT : MW_ATTRIBUTION_NOT_ASKED,
	};
}

/* Address and port of one end; neither for a socket that has no address yet.  An IPv4 address in the clothes of IPv6 is
 * the former: so is what goes over the wire. */
static enum mw_socket_family set_end(const unsigned char *bytes, size_t n, char address[64], int *ret_port)
{
	union {
		struct sockaddr any;
		struct sockaddr_in ipv4;
		struct sockaddr_in6 ipv6;
	} end = {0};
	memcpy(&end, bytes, n < sizeof(end) ? n : sizeof(end));
	address[0] = '\0';
	*ret_port = 0;
	if (n < sizeof(end.any.sa_family))
		return MW_SOCKET_OTHER;
	if (end.any.sa_family == AF_UNIX)
		return MW_SOCKET_UNIX;
	if (end.any.sa_family == AF_INET && n >= sizeof(end.ipv4)) {
		*ret_port = ntohs(end.ipv4.sin_port);
		if (*ret_port || end.ipv4.sin_addr.s_addr)
			(void)inet_ntop(AF_INET, &end.ipv4.sin_addr, address, 64);
		return MW_SOCKET_IPV4;
	}
	if (end.any.sa_family == AF_INET6 && n >= offsetof(struct sockaddr_in6, sin6_scope_id)) {
		const struct in6_addr *in6 = &end.ipv6.sin6_addr;
		bool is_ipv4 = IN6_IS_ADDR_V4MAPPED(in6);
		*ret_port = ntohs(end.ipv6.sin6_port);
		if (is_ipv4)
			(void)inet_ntop(AF_INET, &in6->s6_addr[12], address, 64);
		else if (*ret_port || !IN6_IS_ADDR_UNSPECIFIED(in6))
			(void)inet_ntop(AF_INET6, in6, address, 64);
		return is_ipv4 ? MW_SOCKET_IPV4 : MW_SOCKET_IPV6;
	}
	return MW_SOCKET_OTHER;
}

/* Path of a unix socket; an abstract name has a NUL in front, and may have more of them. */
static void set_unix_path(struct mw_socket *socket, const unsigned char *bytes, size_t n)
{
	const size_t start = offsetof(struct sockaddr_un, sun_path);
	if (n <= start)
		return;
	bytes += start;
	n -= start;
	if (bytes[0])
		n = strnlen((const char *)bytes, n);
	if (n >= sizeof(socket->path))
		n = sizeof(socket->path) - 1;
	memcpy(socket->path, bytes, n);
	socket->path[n] = '\0';
	for (size_t i = 0; i < n; i++)
		if (!socket->path[i])
			socket->path[i] = '@';
}

static void set_socket(struct mw_subject *subject, const struct mw_record_call *record)
{
	struct mw_socket *socket = &subject->socket;
	*socket = (struct mw_socket){
		.type = record->socket_type,
		.protocol = record->socket_protocol,
		.fd = record->fd,
		.inode = record->inode,
	};
	enum mw_socket_family local =
		set_end(record->local, record->local_bytes, socket->local_address, &socket->local_port);
	enum mw_socket_family remote =
		set_end(record->remote, record->remote_bytes, socket->remote_address, &socket->remote_port);
	socket->family = record->remote_bytes ? remote : local;
	if (socket->family != MW_SOCKET_UNIX)
		return;
	if (subject->path[0] == '/' && strlen(subject->path) < sizeof(socket->path)) {
		memcpy(socket->path, subject->path, strlen(subject->path) + 1);
		return;
	}
	set_unix_path(socket, record->remote, record->remote_bytes);
	if (!socket->path[0])
		set_unix_path(socket, record->local, record->local_bytes);
}

/* A name for the number, for calls that were given none. */
static void set_text(struct mw_subject *subject, const struct mw_record_call *record)
{
	char *text = subject->text;
	const size_t room = sizeof(subject->text);
	const char *call = mw_call_name(record->call);
	const char *name = "";
	switch (record->event) {
	case MW_PROCESS_PTRACE:
		if (strcmp(call, "ptrace") == 0)
			name = mw_name_of(mw_ptrace_names, record->number);
		break;
	case MW_PROCESS_BPF:
		name = mw_name_of(mw_bpf_names, record->number);
		break;
	case MW_PROCESS_KILL:
		mw_signal_name((int)record->number, text, room);
		return;
	case MW_PROCESS_UNSHARE:
		mw_names_of_flags(mw_namespace_names, (uint64_t)record->number, text, room);
		return;
	case MW_PROCESS_SETNS:
		mw_names_of_flags(mw_namespace_names, (uint64_t)record->number, text, room);
		name = text[0] ? text : subject->path; /* "mnt:[4026531841]" */
		break;
	case MW_PROCESS_MOUNT:
		if (strcmp(call, "mount") == 0)
			mw_names_of_flags(mw_mount_names, (uint64_t)record->number, text, room);
		else if (strcmp(call, "umount2") == 0)
			mw_names_of_flags(mw_umount_names, (uint64_t)record->number, text, room);
		return;
	default:
		return;
	}
	if (name != text)
		memcpy(text, name, strlen(name) + 1);
}

static bool has_number(enum mw_event_kind kind)
{
	switch (kind) {
	case MW_PROCESS_PTRACE:
	case MW_PROCESS_MEMFD:
	case MW_PROCESS_MOUNT:
	case MW_PROCESS_SETNS:
	case MW_PROCESS_UNSHARE:
	case MW_PROCESS_BPF:
	case MW_PROCESS_DUP_TO_STDIO:
	case MW_PROCESS_SETUID:
	case MW_PROCESS_KILL:
		return true;
	default:
		return false;
	}
}

static bool is_about_file(const struct mw_subject *subject, enum mw_event_kind kind)
{
	switch (kind) {
	case MW_PROCESS_EXEC_FAILED:
	case MW_PROCESS_MEMFD:
	case MW_PROCESS_MOUNT:
	case MW_PROCESS_MODULE:
	case MW_PROCESS_DUP_TO_STDIO:
		return subject->path[0] == '/' || subject->old_path[0];
	case MW_FILE_OPEN:
	case MW_FILE_CREATE:
	case MW_FILE_DELETE:
	case MW_FILE_RENAME:
	case MW_FILE_LINK:
	case MW_FILE_SYMLINK:
	case MW_FILE_ATTRIBUTES:
		return true;
	default:
		return false;
	}
}

static bool is_about_socket(const struct mw_record_call *record)
{
	switch (record->event) {
	case MW_SOCKET_CONNECT:
	case MW_SOCKET_BIND:
	case MW_SOCKET_LISTEN:
	case MW_SOCKET_ACCEPT:
		return true;
	default:
		return record->socket_type != 0;
	}
}

/* One of the sensor's own processes, which nobody traces, with its name alone; NULL: no memory. */
static struct mw_process *own_process(struct mw_processes *processes, const struct mw_record_call *record)
{
	static const char *const names[MW_OWN_PROCESSES] = {[MW_OWN_GUARD] = "moonwatch-guard",
							    [MW_OWN_TRACER] = "moonwatch-trace",
							    [MW_OWN_SENSOR] = "moonwatch-sens"};
	struct mw_process **own = &processes->own[record->own];
	if (*own && (*own)->pid == record->target)
		return *own;
	mw_process_unref(*own);
	*own = mw_process_new(record->target, NULL, 0);
	struct mw_image *image = *own ? mw_image_new() : NULL;
	if (image) {
		(void)snprintf(image->name, sizeof(image->name), "%s", names[record->own]);
		mw_process_set_image(*own, image); /* takes it */
	}
	return *own;
}

static struct mw_process *target_of(struct mw_processes *processes, const struct mw_record_call *record)
{
	if (record->target <= 0)
		return NULL;
	if (record->own != MW_OWN_NONE && record->own < MW_OWN_PROCESSES)
		return own_process(processes, record);
	return mw_pidmap_get(&processes->map, record->target);
}

int mw_calls_apply(struct mw_processes *processes, const struct mw_record_call *record, size_t bytes,
		   struct mw_event *event)
{
	if (!is_whole(record, bytes))
		return -EPROTO;
	struct mw_process *process = mw_processes_known(processes, record->head.pid, 0, 0);
	if (!process)
		return -ENOMEM;

	struct mw_subject *subject = &processes->subject;
	const char *strings = record->strings;
	take(&strings, record->path_bytes, subject->path);
	take(&strings, record->old_path_bytes, subject->old_path);
	take(&strings, record->text_bytes, subject->text);

	event->kind = (enum mw_event_kind)record->event;
	event->process = mw_process_ref(process);
	if (is_about_file(subject, event->kind)) {
		set_file(subject, record);
		event->file = &subject->file;
	}
	if (is_about_socket(record)) {
		set_socket(subject, record);
		event->socket = &subject->socket;
	}
	if (!subject->text[0])
		set_text(subject, record);
	subject->call = (struct mw_call){
		.name = mw_call_name(record->call),
		.result = record->result,
		.is_attempt = record->head.flags & MW_CALL_ATTEMPT,
		.incomplete = record->head.flags & MW_CALL_INCOMPLETE,
		.has_number = has_number(event->kind),
		.number = record->number,
		.fd = record->fd,
		.text = subject->text,
		.target = target_of(processes, record),
		.target_pid = record->target,
	};
	event->call = &subject->call;
	return 0;
}

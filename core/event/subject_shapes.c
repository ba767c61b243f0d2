/* Fields of what events are about besides processes: files, sockets, calls, gaps, streams. */

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "event/event.h"
#include "event/level.h"
#include "event/set.h"

const char *const mw_level_names[MW_LEVELS] = {"off", "events", "calls"};
const char *const mw_file_finder_names[MW_FILE_FINDERS] = {NULL, "call", "inotify", "scan", "poll"};
const char *const mw_attribution_names[MW_ATTRIBUTIONS] = {NULL, "none", "likely", "exact"};

#define FIELD(type, field, statement) \
	static void type##_##field(const void *object, struct mw_value *ret) \
	{ \
		const struct mw_##type *o = object; \
		statement; \
	}

FIELD(file, path, set_text(ret, o->path))
FIELD(file, old_path, set_text(ret, o->old_path))
FIELD(file, inode, if (o->inode) set_int(ret, (int64_t)o->inode))
FIELD(file, size, if (o->size >= 0) set_int(ret, o->size))
FIELD(file, mode, if (o->mode >= 0) set_int(ret, o->mode))
FIELD(file, uid, if (o->uid >= 0) set_int(ret, o->uid))
FIELD(file, gid, if (o->gid >= 0) set_int(ret, o->gid))
FIELD(file, flags, if (o->open_flags) set_int(ret, o->open_flags))
FIELD(file, write, if (o->is_write) set_integer(ret, MW_BOOL, 1))
FIELD(file, category, set_text(ret, o->category))
FIELD(file, found_by, set_text(ret, mw_file_finder_names[o->found_by]))
FIELD(file, attribution, set_text(ret, mw_attribution_names[o->attribution]))
FIELD(file, same_as, set_text(ret, o->same_as))
FIELD(file, device, if (o->inode) set_int(ret, (int64_t)o->device))
FIELD(file, directory, if (o->is_directory) set_integer(ret, MW_BOOL, 1))
FIELD(file, closed, if (o->is_closed) set_integer(ret, MW_BOOL, 1))
FIELD(file, times, if (o->times > 1) set_int(ret, o->times))
FIELD(file, cookie, if (o->cookie) set_int(ret, o->cookie))
FIELD(file, nlink, if (o->has_stat) set_int(ret, (int64_t)o->nlink))
FIELD(file, atime, if (o->has_stat) set_integer(ret, MW_TIME, o->atime_ns))
FIELD(file, mtime, if (o->has_stat) set_integer(ret, MW_TIME, o->mtime_ns))
FIELD(file, ctime, if (o->has_stat) set_integer(ret, MW_TIME, o->ctime_ns))
FIELD(file, hashed, if (o->found_by > MW_FILE_BY_CALL) set_int(ret, o->hashed))
FIELD(file, md5, set_text(ret, o->md5))
FIELD(file, sha1, set_text(ret, o->sha1))
FIELD(file, sha256, set_text(ret, o->sha256))

static const struct mw_field file_fields[] = {
	{"path", MW_TEXT, NULL, "Path, resolved by the kernel where it can.", .get = file_path},
	{"old_path", MW_TEXT, NULL, "rename, link: the former path; symlink: what it says; mount: what is mounted.",
	 .get = file_old_path},
	{"inode", MW_INT, NULL, "Inode.", .get = file_inode},
	{"size", MW_INT, "bytes", "Size after the event; of a call, the one asked for (truncate).", .get = file_size},
	{"mode", MW_INT, NULL,
	 "Type and permission bits after the event; of a call, the bits asked for (create, chmod).", .get = file_mode},
	{"uid", MW_INT, NULL, "Owner after the event; of a call, the one asked for (chown).", .get = file_uid},
	{"gid", MW_INT, NULL, "Group after the event; of a call, the one asked for (chown).", .get = file_gid},
	{"flags", MW_INT, NULL, "Flags of open(2).", .get = file_flags},
	{"write", MW_BOOL, NULL, "True when opened for writing.", .get = file_write},
	{"category", MW_TEXT, NULL, "Category of file_paths it is watched in.", .get = file_category},
	{"found_by", MW_TEXT, NULL,
	 "call: a system call of a traced process; inotify: the kernel told of the file; scan, poll: the difference from "
	 "what was known of it before.",
	 .get = file_found_by},
	{"attribution", MW_TEXT, NULL,
	 "How sure it is that event.process did it: exact (its system call was seen), likely (from what it has open, what it "
	 "was started with), none (there is no process in the event).",
	 .get = file_attribution},
	{"same_as", MW_TEXT, NULL,
	 "Id of the event that told the same before, as its system call was seen; rules and outputs had that one.",
	 .get = file_same_as},
	{"device", MW_INT, NULL, "Number of the device that the file system is on.", .get = file_device},
	{"directory", MW_BOOL, NULL, "True for a folder.", .get = file_directory},
	{"closed", MW_BOOL, NULL, "modify: true when whoever has written to it has closed it.", .get = file_closed},
	{"times", MW_INT, NULL, "How many of the kernel's events this one stands for, when more than one.",
	 .get = file_times},
	{"cookie", MW_INT, NULL, "rename: number that joins what was told of both names, inotify(7).",
	 .get = file_cookie},
	{"nlink", MW_INT, NULL, "Hard links after the event.", .get = file_nlink},
	{"atime", MW_TIME, NULL, "Last access, after the event.", .get = file_atime},
	{"mtime", MW_TIME, NULL, "Last change of contents, after the event.", .get = file_mtime},
	{"ctime", MW_TIME, NULL, "Last change of the inode, after the event.", .get = file_ctime},
	{"hashed", MW_INT, NULL,
	 "1: the hashes are those of the file as described here; 0: not tried (it was gone, changed again, or there was no "
	 "time); -1: it cannot be read, or is larger than read_max.",
	 .get = file_hashed},
	{"md5", MW_TEXT, NULL, "MD5 of its contents.", .get = file_md5},
	{"sha1", MW_TEXT, NULL, "SHA-1 of its contents.", .get = file_sha1},
	{"sha256", MW_TEXT, NULL, "SHA-256 of its contents.", .get = file_sha256},
	{0},
};

const struct mw_shape mw_file_shape = {
	.name = "File",
	.doc = "A file.",
	.fields = file_fields,
};

static void socket_family(const void *object, struct mw_value *ret)
{
	static const char *const names[] = {
		[MW_SOCKET_IPV4] = "ipv4", [MW_SOCKET_IPV6] = "ipv6", [MW_SOCKET_UNIX] = "unix"};
	const struct mw_socket *socket = object;
	set_text(ret, socket->family == MW_SOCKET_OTHER ? "other" : names[socket->family]);
}

static void socket_protocol(const void *object, struct mw_value *ret)
{
	const struct mw_socket *socket = object;
	if (socket->protocol == IPPROTO_TCP)
		set_text(ret, "tcp");
	else if (socket->protocol == IPPROTO_UDP)
		set_text(ret, "udp");
	else if (socket->protocol == IPPROTO_ICMP || socket->protocol == IPPROTO_ICMPV6)
		set_text(ret, "icmp");
}

static void socket_type(const void *object, struct mw_value *ret)
{
	const struct mw_socket *socket = object;
	if (socket->type == SOCK_STREAM)
		set_text(ret, "stream");
	else if (socket->type == SOCK_DGRAM)
		set_text(ret, "dgram");
	else if (socket->type == SOCK_RAW)
		set_text(ret, "raw");
	else if (socket->type == SOCK_SEQPACKET)
		set_text(ret, "seqpacket");
}

FIELD(socket, local_address, set_text(ret, o->local_address))
FIELD(socket, local_port, if (o->local_port) set_int(ret, o->local_port))
FIELD(socket, remote_address, set_text(ret, o->remote_address))
FIELD(socket, remote_port, if (o->remote_port) set_int(ret, o->remote_port))
FIELD(socket, path, set_text(ret, o->path))
FIELD(socket, fd, if (o->fd >= 0) set_int(ret, o->fd))
FIELD(socket, inode, if (o->inode) set_int(ret, (int64_t)o->inode))

static const struct mw_field socket_fields[] = {
	{"family", MW_TEXT, NULL, "ipv4, ipv6, unix or other.", .get = socket_family},
	{"type", MW_TEXT, NULL, "stream, dgram, raw or seqpacket.", .get = socket_type},
	{"protocol", MW_TEXT, NULL, "tcp, udp or icmp.", .get = socket_protocol},
	{"local_address", MW_TEXT, NULL, "Address of this end.", .get = socket_local_address},
	{"local_port", MW_INT, NULL, "Port of this end.", .get = socket_local_port},
	{"remote_address", MW_TEXT, NULL, "Address of the other end.", .get = socket_remote_address},
	{"remote_port", MW_INT, NULL, "Port of the other end.", .get = socket_remote_port},
	{"path", MW_TEXT, NULL, "unix: its path; with @ in front when it is abstract.", .get = socket_path},
	{"fd", MW_INT, NULL, "Descriptor.", .get = socket_fd},
	{"inode", MW_INT, NULL, "Inode of the socket.", .get = socket_inode},
	{0},
};

const struct mw_shape mw_socket_shape = {
	.name = "Socket",
	.doc = "A socket.",
	.fields = socket_fields,
};

FIELD(call, name, set_text(ret, o->name))
FIELD(call, result, if (!o->is_attempt && o->result >= 0) set_int(ret, o->result))
FIELD(call, attempt, if (o->is_attempt) set_integer(ret, MW_BOOL, 1))
FIELD(call, incomplete, if (o->incomplete) set_integer(ret, MW_BOOL, 1))
FIELD(call, number, if (o->has_number) set_int(ret, o->number))
FIELD(call, fd, if (o->fd >= 0) set_int(ret, o->fd))
FIELD(call, text, set_text(ret, o->text))
FIELD(call, target, set_object(ret, o->target))
FIELD(call, target_pid, if (o->target_pid) set_int(ret, o->target_pid))

/* "ENOENT" */
static void call_error(const void *object, struct mw_value *ret)
{
	const struct mw_call *call = object;
	if (!call->is_attempt && call->result < 0)
		set_text(ret, mw_errno_name((int)-call->result));
}

static const char *const target_json[] = {"pid", "name", "exe", "cmdline", NULL};

static const struct mw_field call_fields[] = {
	{"name", MW_TEXT, NULL, "Name of the system call.", .get = call_name},
	{"result", MW_INT, NULL, "What it returned; absent when it failed.", .get = call_result},
	{"error", MW_TEXT, NULL, "Why it failed: ENOENT, EACCES …", .get = call_error},
	{"attempt", MW_BOOL, NULL, "True when only that it was asked for is known, not what came of it.",
	 .get = call_attempt},
	{"incomplete", MW_BOOL, NULL, "True when something was cut or could not be read.", .get = call_incomplete},
	{"number", MW_INT, NULL,
	 "ptrace: the request; kill: the signal; setuid: the new id; bpf: the command; setns, unshare, memfd, mount: the "
	 "flags; dup-to-stdio: the descriptor that was replaced.",
	 .get = call_number},
	{"fd", MW_INT, NULL, "The descriptor it is about, or gave.", .get = call_fd},
	{"text", MW_TEXT, NULL,
	 "The name of `number`, or the name that was given (memfd, module, prctl-name, file system).",
	 .get = call_text},
	{"target_pid", MW_INT, NULL, "ptrace, kill: process id it was done to; negative for a group.",
	 .get = call_target_pid},
	{"target", MW_OBJECT, NULL, "The process it was done to.", &mw_process_shape, target_json, call_target},
	{0},
};

const struct mw_shape mw_call_shape = {
	.name = "Call",
	.doc = "A system call.",
	.fields = call_fields,
};

static void gap_reason(const void *object, struct mw_value *ret)
{
	static const char *const names[MW_GAP_REASONS] = {"tracer restarted", "tracer lost", "unexplained process ids"};
	set_text(ret, names[((const struct mw_gap *)object)->reason]);
}

FIELD(gap, duration_ms, if (o->duration_ms >= 0) set_int(ret, o->duration_ms))
FIELD(gap, missed, set_int(ret, (int64_t)o->missed))
FIELD(gap, found, set_int(ret, (int64_t)o->found))

static const struct mw_field gap_fields[] = {
	{"reason", MW_TEXT, NULL, "Why.", .get = gap_reason},
	{"duration_ms", MW_INT, "ms", "How long.", .get = gap_duration_ms},
	{"missed", MW_INT, NULL, "Processes that may have come and gone unseen, at most.", .get = gap_missed},
	{"found", MW_INT, NULL, "Processes that were found alive at its end.", .get = gap_found},
	{0},
};

const struct mw_shape mw_gap_shape = {
	.name = "Gap",
	.doc = "A time in which not everything was seen.",
	.fields = gap_fields,
};

static void stdio_type(const void *object, struct mw_value *ret)
{
	static const char *const names[] = {
		[MW_STDIO_UNKNOWN] = NULL, [MW_STDIO_CLOSED] = "closed", [MW_STDIO_NULL] = "null",
		[MW_STDIO_TTY] = "tty",    [MW_STDIO_PIPE] = "pipe",     [MW_STDIO_SOCKET] = "socket",
		[MW_STDIO_FILE] = "file",  [MW_STDIO_OTHER] = "other",
	};
	set_text(ret, names[((const struct mw_stdio *)object)->type]);
}

FIELD(stdio, target, set_text(ret, o->target))
FIELD(stdio, remote_address, set_text(ret, o->remote_address))
FIELD(stdio, remote_port, if (o->remote_port) set_int(ret, o->remote_port))

static const struct mw_field stdio_fields[] = {
	{"type", MW_TEXT, NULL, "closed, null, tty, pipe, socket, file or other.", .get = stdio_type},
	{"target", MW_TEXT, NULL, "What it is, as /proc says: a path, pipe:[N], socket:[N].", .get = stdio_target},
	{"remote_address", MW_TEXT, NULL, "socket: address of the other end.", .get = stdio_remote_address},
	{"remote_port", MW_INT, NULL, "socket: port of the other end.", .get = stdio_remote_port},
	{0},
};

const struct mw_shape mw_stdio_shape = {
	.name = "Stdio",
	.doc = "Standard input, output or error.",
	.fields = stdio_fields,
};

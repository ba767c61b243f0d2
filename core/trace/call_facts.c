#include "trace/call_facts.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "event/event.h"
#include "event/record.h"
#include "proc/procfs.h"
#include "trace/paths.h"
#include "trace/sockets.h"
#include "trace/syscalls.h"
#include "trace/tracee.h"

enum {
	PR_NAME_BYTES = 16, /* prctl(2) */
	GROUPS = 64,        /* as many of setgroups(2) are told */
	NO_ID16 = 0xFFFF,   /* -1 of the calls with ids of 16 bits */
};

/* Each of them makes a namespace; sched.h of Linux. */
#define NAMESPACES \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | \
	 CLONE_NEWTIME)

/* Argument by position, 1 to 6. */
static uint64_t arg(const uint64_t args[6], uint8_t position)
{
	return args[position - 1];
}

/* Descriptors, ids and the like are ints: what is above their 32 bits is no part of them. */
static int32_t int_arg(const uint64_t args[6], uint8_t position)
{
	return (int32_t)arg(args, position);
}

static int dirfd_of(const uint64_t args[6], uint8_t position)
{
	return position ? int_arg(args, position) : AT_FDCWD;
}

/* Those that begin to trace, or change what another does; not those that look at it, or let it go on. */
static bool is_ptrace_told(int request)
{
	switch (request) {
	case PTRACE_TRACEME:
	case PTRACE_ATTACH:
	case PTRACE_SEIZE:
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
	case PTRACE_POKEUSER:
#if defined(__x86_64__) || defined(__i386__)
	case PTRACE_SETREGS:
	case PTRACE_SETFPREGS:
#endif
	case PTRACE_SETREGSET:
	case PTRACE_KILL:
		return true;
	default:
		return false;
	}
}

bool mw_call_is_told(const struct mw_syscall *call, const uint64_t args[6], pid_t tgid)
{
	switch (call->how) {
	case MW_HOW_PRCTL:
		return (int32_t)args[0] == PR_SET_NAME;
	case MW_HOW_DUP2:
		return (uint32_t)args[1] <= STDERR_FILENO && (uint32_t)args[1] != (uint32_t)args[0];
	case MW_HOW_FCNTL:
		return ((uint32_t)args[1] == F_DUPFD || (uint32_t)args[1] == F_DUPFD_CLOEXEC) &&
		       args[2] <= STDERR_FILENO;
	case MW_HOW_CLONE:
		return args[0] & NAMESPACES;
	case MW_HOW_PTRACE:
		return is_ptrace_told((int32_t)args[0]);
	case MW_HOW_TARGET:
		return (int32_t)args[0] != tgid;
	case MW_HOW_KILL:
	case MW_HOW_TKILL:
		/* Signal 0 only asks whether it is there. */
		return int_arg(args, call->number) != 0 && int_arg(args, call->target) != tgid;
	case MW_HOW_PIDFD_KILL:
		return int_arg(args, call->number) != 0;
	default:
		return true;
	}
}

bool mw_call_needs_result(const struct mw_syscall *call)
{
	return call->how == MW_HOW_EXEC || call->how == MW_HOW_ACCEPT || call->how == MW_HOW_DUP ||
	       call->how == MW_HOW_FCNTL;
}

static void set_incomplete(struct mw_call_facts *facts)
{
	facts->record->head.flags |= MW_CALL_INCOMPLETE;
}

/* Where the next string goes: there is always room for one more of MW_PATH_BYTES. */
static char *room(struct mw_call_facts *facts)
{
	return facts->record->strings + facts->used;
}

static uint16_t keep(struct mw_call_facts *facts, size_t bytes)
{
	facts->used += bytes;
	return (uint16_t)bytes;
}

/* A string argument in `out`; false when there is none, or none that can be read. */
static bool read_string(struct mw_call_facts *facts, uint64_t address, char out[MW_PATH_BYTES])
{
	bool is_cut = false;
	if (!address)
		return false;
	ssize_t n = mw_tracee_string(facts->tracee, address, out, MW_PATH_BYTES, &is_cut);
	if (n < 0 || is_cut)
		set_incomplete(facts);
	return n >= 0;
}

/* The path of a descriptor, and what file that is. */
static uint16_t put_fd(struct mw_call_facts *facts, int fd)
{
	struct statx *file = &facts->file;
	size_t n = fd == AT_FDCWD ? mw_tracee_link(facts->tracee, "cwd", room(facts))
				  : mw_tracee_fd_link(facts->tracee, fd, room(facts));
	if (n && mw_tracee_fd_stat(facts->tracee, fd, file)) {
		facts->record->inode = file->stx_ino;
		facts->record->device = makedev(file->stx_dev_major, file->stx_dev_minor);
	}
	if (!n && facts->record->result >= 0)
		set_incomplete(facts);
	return keep(facts, n);
}

static uint16_t put_path(struct mw_call_facts *facts, uint64_t address, int dirfd, bool follows)
{
	char path[MW_PATH_BYTES];
	bool is_sure = true;
	if (!read_string(facts, address, path))
		return 0;
	if (!*path) /* of the descriptor itself: AT_EMPTY_PATH and the like */
		return facts->record->result >= 0 && dirfd != AT_FDCWD ? put_fd(facts, dirfd) : 0;
	size_t n = mw_paths_resolve(facts->tracee, dirfd, path, follows, room(facts), &is_sure);
	if (!is_sure)
		set_incomplete(facts);
	return keep(facts, n);
}

static uint16_t put_text(struct mw_call_facts *facts, uint64_t address)
{
	char text[MW_PATH_BYTES];
	if (!read_string(facts, address, text))
		return 0;
	size_t n = strlen(text);
	memcpy(room(facts), text, n);
	return keep(facts, n);
}

/* In the order of the record: path, old path, text. */
static void put_arguments(struct mw_call_facts *facts)
{
	const struct mw_syscall *call = facts->call;
	const uint64_t *args = facts->args;
	struct mw_record_call *record = facts->record;
	int at = call->at ? int_arg(args, call->at) : 0;
	bool follows = call->follows && !(at & AT_SYMLINK_NOFOLLOW);

	if (call->path && !arg(args, call->path) && call->dirfd) /* utimensat(2): of the descriptor */
		record->path_bytes = put_fd(facts, int_arg(args, call->dirfd));
	else if (call->path)
		record->path_bytes = put_path(facts, arg(args, call->path), dirfd_of(args, call->dirfd), follows);
	else if (call->of_fd)
		record->path_bytes = put_fd(facts, int_arg(args, call->of_fd));
	if (call->raw)
		record->old_path_bytes = put_text(facts, arg(args, call->raw));
	else if (call->old_path)
		record->old_path_bytes = put_path(facts, arg(args, call->old_path), dirfd_of(args, call->old_dirfd),
						  at & AT_SYMLINK_FOLLOW);
	if (call->text)
		record->text_bytes = put_text(facts, arg(args, call->text));
	if (call->mode)
		record->mode = (uint32_t)arg(args, call->mode);
	if (call->uid)
		record->uid = (uint32_t)arg(args, call->uid);
	if (call->gid)
		record->gid = (uint32_t)arg(args, call->gid);
	if (call->size)
		record->size = arg(args, call->size);
	if (call->number)
		record->number = int_arg(args, call->number);
	if (call->fd || call->of_fd)
		record->fd = int_arg(args, call->fd ? call->fd : call->of_fd);
}

/* Flags and mode of a call that opens.  False: they cannot be read. */
static bool open_flags(const struct mw_tracee *tracee, const struct mw_syscall *call, const uint64_t args[6],
		       uint32_t *ret_flags, uint32_t *ret_mode)
{
	*ret_mode = call->mode ? (uint32_t)arg(args, call->mode) : 0;
	if (call->how == MW_HOW_OPENAT2) {
		struct open_how how;
		if (mw_tracee_bytes(tracee, args[2], &how, sizeof(how)) < 0)
			return false;
		*ret_flags = (uint32_t)how.flags;
		*ret_mode = (uint32_t)how.mode;
	} else {
		*ret_flags =
			call->how == MW_HOW_CREAT ? O_CREAT | O_WRONLY | O_TRUNC : (uint32_t)arg(args, call->flags);
	}
	return true;
}

enum mw_existed mw_call_existed(const struct mw_tracee *tracee, const struct mw_syscall *call, const uint64_t args[6])
{
	uint32_t flags;
	uint32_t mode;
	char path[MW_PATH_BYTES];
	bool is_cut;
	if (!open_flags(tracee, call, args, &flags, &mode) || !(flags & O_CREAT))
		return MW_EXISTED;
	if (flags & O_EXCL)
		return MW_EXISTED_NOT; /* or it fails */
	if (mw_tracee_string(tracee, arg(args, call->path), path, sizeof(path), &is_cut) < 0 || is_cut)
		return MW_EXISTED_UNKNOWN;
	int r = mw_paths_exists(tracee, dirfd_of(args, call->dirfd), path);
	return r < 0 ? MW_EXISTED_UNKNOWN : r ? MW_EXISTED : MW_EXISTED_NOT;
}

static bool is_same_time(const struct statx_timestamp *a, const struct statx_timestamp *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Did this open(2), which has succeeded, make its file?  Where it is not known what was there before, the file says: it is
 * empty, and nothing has happened to it since it was made. */
static bool is_made(const struct mw_call_facts *facts)
{
	const struct statx *file = &facts->file;
	if (facts->existed == MW_EXISTED || !S_ISREG(file->stx_mode))
		return false;
	if (facts->existed == MW_EXISTED_NOT)
		return true;
	return file->stx_size == 0 && is_same_time(&file->stx_ctime, &file->stx_mtime) &&
	       (!(file->stx_mask & STATX_BTIME) || is_same_time(&file->stx_ctime, &file->stx_btime));
}

static bool is_to_write(uint32_t flags)
{
	return !(flags & O_PATH) && ((flags & O_ACCMODE) != O_RDONLY || flags & O_TRUNC);
}

static bool describe_open(struct mw_call_facts *facts, uint64_t kinds)
{
	struct mw_record_call *record = facts->record;
	uint32_t mode = MW_CALL_NONE;
	if (!open_flags(facts->tracee, facts->call, facts->args, &record->open_flags, &mode))
		set_incomplete(facts);
	bool may_make = record->open_flags != MW_CALL_NONE && record->open_flags & O_CREAT;
	/* Who wants to know who changes files is told of all that are opened to write. */
	bool is_told = kinds & UINT64_C(1) << MW_FILE_OPEN ||
		       (kinds & UINT64_C(1) << MW_FILE_MODIFY && is_to_write(record->open_flags));
	if (!is_told && !may_make)
		return false;
	record->mode = may_make ? mode : MW_CALL_NONE;
	/* Who wants to know what is opened, and not what is made, is told that it is opened. */
	may_make = may_make && kinds & UINT64_C(1) << MW_FILE_CREATE;
	bool is_new;
	if (facts->is_attempt || record->result < 0) {
		bool follows = record->result != -ENOENT && !(record->open_flags & O_NOFOLLOW);
		record->path_bytes = put_path(facts, arg(facts->args, facts->call->path),
					      dirfd_of(facts->args, facts->call->dirfd), follows);
		is_new = may_make && facts->is_attempt && facts->existed == MW_EXISTED_NOT;
	} else {
		record->fd = (int32_t)record->result;
		record->path_bytes = put_fd(facts, record->fd);
		is_new = may_make && is_made(facts);
		if (!record->path_bytes) {
			/* Closed by another thread, or hidden from us. */
			set_incomplete(facts);
			record->path_bytes = put_path(facts, arg(facts->args, facts->call->path),
						      dirfd_of(facts->args, facts->call->dirfd), true);
		}
	}
	if (is_new)
		record->event = MW_FILE_CREATE;
	return record->event == MW_FILE_CREATE || is_told;
}

/* The address that a call was given. */
static void put_address(struct mw_call_facts *facts, unsigned char out[MW_SOCKADDR_BYTES], uint16_t *ret_bytes)
{
	uint32_t size = (uint32_t)facts->args[2];
	if (size > MW_SOCKADDR_BYTES) {
		size = MW_SOCKADDR_BYTES;
		set_incomplete(facts);
	}
	memset(out, 0, MW_SOCKADDR_BYTES);
	*ret_bytes = 0;
	if (size && mw_tracee_bytes(facts->tracee, facts->args[1], out, size) == 0)
		*ret_bytes = (uint16_t)size;
	else
		set_incomplete(facts);
}

/* A socket in a folder may be named relative to the folder one is in. */
static void put_socket_path(struct mw_call_facts *facts, const unsigned char *address, uint16_t bytes)
{
	struct sockaddr_un name = {0};
	char path[sizeof(name.sun_path) + 1] = {0};
	memcpy(&name, address, bytes < sizeof(name) ? bytes : sizeof(name));
	if (bytes <= sizeof(name.sun_family) || name.sun_family != AF_UNIX || !name.sun_path[0] ||
	    name.sun_path[0] == '/')
		return;
	memcpy(path, name.sun_path, sizeof(name.sun_path));
	bool is_sure;
	size_t n = mw_paths_resolve(facts->tracee, AT_FDCWD, path, false, room(facts), &is_sure);
	if (!is_sure)
		set_incomplete(facts);
	facts->record->path_bytes = keep(facts, n);
}

static void describe_socket(struct mw_call_facts *facts)
{
	struct mw_record_call *record = facts->record;
	bool is_done = !facts->is_attempt && record->result >= 0;
	if (facts->call->how == MW_HOW_ACCEPT)
		record->fd = (int32_t)record->result;
	int r = mw_sockets_describe(facts->tracee, record->fd, record);
	if (r < 0 && is_done)
		set_incomplete(facts);
	if (facts->call->how == MW_HOW_CONNECT) {
		if (!is_done || !record->remote_bytes)
			put_address(facts, record->remote, &record->remote_bytes);
		put_socket_path(facts, record->remote, record->remote_bytes);
	} else if (facts->call->how == MW_HOW_BIND) {
		if (!is_done || !record->local_bytes)
			put_address(facts, record->local, &record->local_bytes);
		put_socket_path(facts, record->local, record->local_bytes);
	}
}

static void describe_dup(struct mw_call_facts *facts)
{
	struct mw_record_call *record = facts->record;
	int target = facts->call->how == MW_HOW_DUP2 ? (int32_t)facts->args[1] : (int32_t)record->result;
	record->number = target;
	record->path_bytes = put_fd(facts, facts->is_attempt ? record->fd : target);
	if (record->path_bytes > 7 && memcmp(record->strings, "socket:", 7) == 0)
		(void)mw_sockets_describe(facts->tracee, facts->is_attempt ? record->fd : target, record);
}

/* The process that a thread belongs to. */
static pid_t process_of(const struct mw_tracee *tracee, pid_t tid)
{
	struct mw_proc_status status;
	int fd = -1;
	if (tid <= 0 || mw_procfs_open_pid(tracee->procfd, tid, &fd) < 0)
		return tid;
	pid_t pid = mw_procfs_status(fd, &status) == 0 ? status.tgid : tid;
	(void)close(fd);
	return pid;
}

/* False: it is done to itself. */
static bool put_target(struct mw_call_facts *facts, pid_t pid, bool is_thread)
{
	if (!mw_tracee_shares_pids(facts->tracee)) {
		/* Its numbers are not ours. */
		set_incomplete(facts);
		return true;
	}
	facts->record->target = is_thread ? process_of(facts->tracee, pid) : pid;
	return facts->record->target != facts->tracee->tgid;
}

static bool describe_clone3(struct mw_call_facts *facts)
{
	uint64_t flags = 0;
	if (mw_tracee_bytes(facts->tracee, facts->args[0], &flags, sizeof(flags)) < 0 || !(flags & NAMESPACES))
		return false;
	facts->record->number = (int64_t)flags;
	return true;
}

static void describe_child(struct mw_call_facts *facts)
{
	if (facts->record->result > 0)
		(void)put_target(facts, (pid_t)facts->record->result, false);
}

static void describe_ids(struct mw_call_facts *facts, uint32_t none)
{
	struct mw_record_call *record = facts->record;
	if (facts->call->kind == MW_FILE_ATTRIBUTES) {
		record->uid = (uint16_t)record->uid == NO_ID16 ? MW_CALL_NONE : (uint16_t)record->uid;
		record->gid = (uint16_t)record->gid == NO_ID16 ? MW_CALL_NONE : (uint16_t)record->gid;
		return;
	}
	uint32_t id = (uint32_t)arg(facts->args, facts->call->number) & none;
	if (id == none && facts->call->number == 2)
		id = (uint32_t)facts->args[0] & none; /* the effective one stays: the real one */
	record->number = id == none ? -1 : (int64_t)id;
}

static void describe_groups(struct mw_call_facts *facts)
{
	uint32_t groups[GROUPS];
	size_t count = (uint32_t)facts->args[0];
	if (count > GROUPS) {
		count = GROUPS;
		set_incomplete(facts);
	}
	if (!count)
		return;
	if (mw_tracee_bytes(facts->tracee, facts->args[1], groups, count * sizeof(*groups)) < 0) {
		set_incomplete(facts);
		return;
	}
	size_t n = 0;
	for (size_t i = 0; i < count; i++)
		n += (size_t)snprintf(room(facts) + n, MW_PATH_BYTES - n, i ? ",%u" : "%u", groups[i]);
	facts->record->text_bytes = keep(facts, n);
}

static void describe_name(struct mw_call_facts *facts)
{
	char name[PR_NAME_BYTES];
	bool is_cut;
	ssize_t n = mw_tracee_string(facts->tracee, facts->args[1], name, sizeof(name), &is_cut);
	if (n < 0) {
		set_incomplete(facts);
		return;
	}
	memcpy(room(facts), name, (size_t)n);
	facts->record->text_bytes = keep(facts, (size_t)n);
}

static bool describe_rest(struct mw_call_facts *facts)
{
	struct mw_record_call *record = facts->record;
	switch (facts->call->how) {
	case MW_HOW_CONNECT:
	case MW_HOW_BIND:
	case MW_HOW_LISTEN:
	case MW_HOW_ACCEPT:
		describe_socket(facts);
		return true;
	case MW_HOW_PTRACE:
		return record->number == PTRACE_TRACEME || put_target(facts, int_arg(facts->args, 2), true);
	case MW_HOW_TARGET:
	case MW_HOW_KILL:
		return put_target(facts, int_arg(facts->args, facts->call->target), false);
	case MW_HOW_TKILL:
		return put_target(facts, int_arg(facts->args, facts->call->target), true);
	case MW_HOW_PIDFD_KILL:
		record->target = mw_tracee_pidfd_pid(facts->tracee, record->fd);
		return record->target != facts->tracee->tgid;
	case MW_HOW_SETNS:
		record->target = mw_tracee_pidfd_pid(facts->tracee, record->fd);
		return true;
	case MW_HOW_CLONE3:
		if (!describe_clone3(facts))
			return false;
		describe_child(facts);
		return true;
	case MW_HOW_CLONE:
		describe_child(facts);
		return true;
	case MW_HOW_SET_ID:
		describe_ids(facts, UINT32_MAX);
		return true;
	case MW_HOW_SET_ID16:
		describe_ids(facts, NO_ID16);
		return true;
	case MW_HOW_SET_GROUPS:
		describe_groups(facts);
		return true;
	case MW_HOW_PRCTL:
		describe_name(facts);
		return true;
	case MW_HOW_DUP2:
	case MW_HOW_DUP:
	case MW_HOW_FCNTL:
		describe_dup(facts);
		return true;
	case MW_HOW_TRUNCATE64:
		record->size = (uint32_t)arg(facts->args, facts->call->size) |
			       (uint64_t)(uint32_t)arg(facts->args, (uint8_t)(facts->call->size + 1)) << 32;
		return true;
	default:
		return true;
	}
}

size_t mw_call_describe(struct mw_call_facts *facts, uint64_t kinds)
{
	struct mw_record_call *record = facts->record;
	const struct mw_syscall *call = facts->call;
	record->head = (struct mw_record){
		.kind = MW_RECORD_CALL,
		.flags = facts->is_attempt ? MW_CALL_ATTEMPT : 0,
		.pid = facts->tracee->tgid,
		.time_ns = mw_clock_real_ns(),
	};
	record->tid = facts->tracee->tid;
	record->event = call->kind;
	record->fd = -1;
	record->open_flags = record->mode = record->uid = record->gid = MW_CALL_NONE;
	record->size = MW_CALL_NO_SIZE;
	bool is_told;
	switch (call->how) {
	case MW_HOW_OPEN:
	case MW_HOW_CREAT:
	case MW_HOW_OPENAT2:
		is_told = describe_open(facts, kinds);
		break;
	case MW_HOW_GIVES_FD:
		if (!facts->is_attempt && record->result >= 0) {
			record->path_bytes = put_fd(facts, (int)record->result);
			put_arguments(facts);
			record->fd = (int32_t)record->result;
			is_told = true;
			break;
		}
		put_arguments(facts);
		is_told = true;
		break;
	default:
		put_arguments(facts);
		is_told = describe_rest(facts);
		break;
	}
	return is_told ? sizeof(*record) + facts->used : 0;
}

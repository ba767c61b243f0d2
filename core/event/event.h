/* The one record that every sensor emits, as rules, outputs and the spool see it.
 *
 * Its kinds and fields are listed in event_shapes.c. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/identity.h"
#include "event/process.h"
#include "event/shape.h"

/* In the order of `mw_event_kinds`. */
enum mw_event_kind {
	MW_PROCESS_EXEC,
	MW_PROCESS_EXEC_FAILED,
	MW_PROCESS_FORK,
	MW_PROCESS_EXIT,
	MW_PROCESS_PTRACE,
	MW_PROCESS_MEMFD,
	MW_PROCESS_MOUNT,
	MW_PROCESS_SETNS,
	MW_PROCESS_UNSHARE,
	MW_PROCESS_BPF,
	MW_PROCESS_MODULE,
	MW_PROCESS_PRCTL_NAME,
	MW_PROCESS_DUP_TO_STDIO,
	MW_PROCESS_SETUID,
	MW_PROCESS_KILL,
	MW_FILE_OPEN,
	MW_FILE_ACCESS,
	MW_FILE_CREATE,
	MW_FILE_MODIFY,
	MW_FILE_DELETE,
	MW_FILE_RENAME,
	MW_FILE_LINK,
	MW_FILE_SYMLINK,
	MW_FILE_ATTRIBUTES,
	MW_SOCKET_CONNECT,
	MW_SOCKET_BIND,
	MW_SOCKET_LISTEN,
	MW_SOCKET_ACCEPT,
	MW_SENSOR_HEALTH,
	MW_SENSOR_GAP,
	MW_EVENT_KINDS,
};

struct mw_event_kind_info {
	const char *name;
	const char *doc;
};

extern const struct mw_event_kind_info mw_event_kinds[MW_EVENT_KINDS];

/* -ENOENT for a name that is none. */
int mw_event_kind_from_name(const char *name, enum mw_event_kind *ret_kind);

enum {
	/* 16 hex digits, '-', 12 decimal digits or more, NUL. */
	MW_EVENT_ID_BYTES = 40
};

/* What a system call did, for events that come from one. */
struct mw_call {
	const char *name; /* "openat"; borrowed from the table of calls */
	int64_t result;   /* >= 0, or a negative errno */
	bool is_attempt;  /* read before the call: neither its result nor what it really used is known */
	bool incomplete;  /* something was cut or could not be read */
	/* What the kind of event makes of it.  process.ptrace: the request; kill: the signal; setuid: the new id; bpf: the
	 * command; setns, unshare, memfd, mount: the flags; dup-to-stdio: the descriptor that was replaced. */
	int64_t number;
	bool has_number;
	int fd;           /* the descriptor it is about or gave, or -1 */
	const char *text; /* a name for `number`, or the name given (memfd, module, prctl-name, file system), or NULL */
	struct mw_process *target; /* who it was done to, or NULL */
	pid_t target_pid;          /* 0: nobody */
};

/* How what happened to a file was found out. */
enum mw_file_finder {
	MW_FILE_BY_NOBODY, /* the event is not about a file's change */
	MW_FILE_BY_CALL,   /* a system call of a traced process */
	MW_FILE_BY_INOTIFY,
	MW_FILE_BY_SCAN, /* the directory was gone through and compared with what was known */
	MW_FILE_BY_POLL, /* likewise, as is done now and then where there can be no watch */
	MW_FILE_FINDERS,
};

/* How sure it is that the event's process did it. */
enum mw_attribution {
	MW_ATTRIBUTION_NOT_ASKED, /* it is no event about a file's change */
	MW_ATTRIBUTION_NONE,      /* nobody knows; the event has no process */
	MW_ATTRIBUTION_LIKELY,
	MW_ATTRIBUTION_EXACT,
	MW_ATTRIBUTIONS,
};

extern const char *const mw_file_finder_names[MW_FILE_FINDERS];
extern const char *const mw_attribution_names[MW_ATTRIBUTIONS];

struct mw_file {
	const char *path;     /* resolved by the kernel where that is possible */
	const char *old_path; /* before a rename; what a link was made of; what a symbolic link says; what is mounted */
	uint64_t inode, device;
	int64_t size; /* -1: not known */
	/* -1: not known. */
	int64_t mode, uid, gid;
	int64_t open_flags; /* O_…, open(2) */
	bool is_write;      /* opened for writing */

	enum mw_file_finder found_by;
	enum mw_attribution attribution;
	const char *category; /* which of the watched; NULL: none */
	/* The rest is known of what no system call tells: inotify, scans. */
	bool has_stat; /* times and links are those after the event */
	bool is_directory;
	bool is_closed;      /* modify: the writer has closed it */
	unsigned times;      /* how many of the kernel's events this stands for; 0: one */
	uint32_t cookie;     /* rename: inotify(7); else 0 */
	const char *same_as; /* id of the event that told the same before, by its system call; or NULL */
	uint64_t nlink;
	int64_t atime_ns, mtime_ns, ctime_ns; /* wall clock */
	int hashed;                           /* 1; 0: not tried; -1: failed */
	const char *md5, *sha1, *sha256;      /* hex digits, or NULL */
};

enum mw_socket_family {
	MW_SOCKET_OTHER,
	MW_SOCKET_IPV4,
	MW_SOCKET_IPV6,
	MW_SOCKET_UNIX,
};

struct mw_socket {
	enum mw_socket_family family;
	int type;     /* SOCK_STREAM…; 0: not known */
	int protocol; /* IPPROTO_TCP…; 0: not known */
	int fd;       /* or -1 */
	uint64_t inode;
	char local_address[64], remote_address[64]; /* empty: none */
	int local_port, remote_port;                /* 0: none */
	char path[112];                             /* unix: path, "@name" when abstract */
};

enum mw_gap_reason {
	MW_GAP_TRACER_RESTARTED, /* the tracer died or hung, and another took over */
	MW_GAP_TRACER_LOST,      /* it could not be replaced */
	MW_GAP_PIDS,             /* process ids were used up that no event explains */
	MW_GAP_REASONS,
};

struct mw_gap {
	enum mw_gap_reason reason;
	int64_t duration_ms; /* -1: not known */
	uint64_t missed;     /* processes that may have come and gone unseen */
	uint64_t found;      /* processes found alive at its end */
};

struct mw_event {
	enum mw_event_kind kind;
	bool is_sampled; /* found by looking now and then, not told of as it happened */
	bool is_startup; /* the container was started less than attention_startup_ms before */
	int64_t time_ns; /* wall clock */
	int64_t age_ms;  /* since the container's start; 0: not known */
	char id[MW_EVENT_ID_BYTES];
	struct mw_process *process; /* NULL for kinds without one */
	/* NULL for kinds without one. */
	const struct mw_file *file;
	const struct mw_socket *socket;
	const struct mw_call *call;
	const struct mw_gap *gap;
	const struct mw_identity *identity; /* where it happened; NULL: not known */
	const char *message;                /* sensor.*: one sentence; else NULL */
};

/* Its id: of a sensor that has watched since `start_ns`, the event of this number. */
void mw_event_set_id(struct mw_event *event, int64_t start_ns, uint64_t number);

extern const struct mw_shape mw_event_shape;
extern const struct mw_shape mw_process_shape;
extern const struct mw_shape mw_executable_shape; /* of a mw_image */
extern const struct mw_shape mw_file_shape;
extern const struct mw_shape mw_socket_shape;
extern const struct mw_shape mw_call_shape;
extern const struct mw_shape mw_gap_shape;
extern const struct mw_shape mw_stdio_shape;
extern const struct mw_shape mw_executable_shape;

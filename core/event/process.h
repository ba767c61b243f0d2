/* A process as the sensor knows it: what events point to.
 *
 * A process holds an image (what it last exec'ed, shared with the children it forks since) and its parent at birth, so
 * that ancestors stay known after they have ended.  Counted references; not thread-safe (the sensor has one thread). */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum mw_stdio_type {
	MW_STDIO_UNKNOWN,
	MW_STDIO_CLOSED,
	MW_STDIO_NULL, /* /dev/null */
	MW_STDIO_TTY,
	MW_STDIO_PIPE,
	MW_STDIO_SOCKET,
	MW_STDIO_FILE,
	MW_STDIO_OTHER, /* an anonymous inode, a device */
};

/* Standard input, output or error of a program at its start. */
struct mw_stdio {
	enum mw_stdio_type type;
	char *target; /* as its link in /proc reads, or NULL */
	/* Of a socket with a peer; "" and 0 when not known. */
	char remote_address[64];
	int remote_port;
};

/* What exec established.  Immutable once events may see it, but for what is found out on demand (sha256). */
struct mw_image {
	unsigned references;
	bool argv_truncated;
	bool is_late;        /* found running, not seen at its exec */
	bool is_sampled;     /* found by looking at /proc now and then */
	bool is_secure;      /* AT_SECURE: gained privilege */
	bool is_deleted;     /* the executable has no name any more */
	bool is_memfd;       /* the executable is a memfd_create(2) */
	bool is_dropped;     /* the executable, or what it runs, came into being after the container's start */
	bool is_fileless;    /* so, or what it runs, is in memory: no name any more, memfd, /dev/shm */
	bool is_script_sure; /* `script` follows from the strings alone */
	bool has_stdio;      /* `stdio` was read */
	uint8_t level;       /* enum mw_level */
	/* What kind of program it is, as the table of that generation says: see lineage.h. */
	uint32_t classes, classes_generation;
	/* The command line could not be read (the process had gone). */
	bool incomplete;
	int64_t time_ns; /* when exec'ed, wall clock */
	pid_t pid;       /* who exec'ed it */
	uint64_t inode;
	uint64_t device;
	uint32_t uid, gid, euid, egid;
	uint32_t exe_mode, exe_uid, exe_gid;
	uint64_t exe_size;
	int64_t exe_mtime_ns, exe_ctime_ns, exe_atime_ns;
	char *exe;    /* the executable's path as the kernel names it, or NULL */
	char *execfn; /* the path as given to execve(2), or NULL */
	char *script; /* path of the script that `exe` interprets (#!), made absolute; or NULL */
	char *program; /* path of the program that `exe`, a dynamic loader called as a command, was told to load, or NULL */
	char *cwd;     /* or NULL */
	char *env;     /* variables kept, "NAME=value" each with its NUL, one after the other; or NULL */
	size_t env_bytes;
	struct mw_stdio stdio[3];
	/* Hash of the executable, as hex digits; asked for through `hash`.  Empty: not asked for yet, or not to be had. */
	char sha256[65];
	void (*hash)(void *hasher, struct mw_image *image); /* NULL: no hashes here */
	void *hasher;
	char *argv; /* strings, each with its NUL, one after the other */
	size_t argv_bytes;
	size_t argv_total_bytes; /* before truncation */
	char *cmdline;           /* argv with spaces between; see mw_image_set_argv() */
	char name[16];           /* comm: at most 15 bytes, proc(5) */
	char user[33];           /* name of euid, empty when it has none; 32 bytes as useradd(8) allows */
	char user_group[33];     /* name of egid, likewise */
};

struct mw_process {
	unsigned references;
	pid_t pid;
	pid_t ppid;
	pid_t session;
	pid_t group;
	char tty[16]; /* controlling terminal below /dev ("pts/0"), empty without */
	unsigned depth;
	uint32_t past;    /* bits of enum mw_lineage: what ran before it in its line */
	int64_t start_ns; /* wall clock */
	struct mw_image *image;
	struct mw_process *parent; /* NULL at the root, or when unknown */
	/* Valid once ended. */
	bool ended;
	bool core_dumped;
	int exit_code;   /* or -1 when ended by a signal, or when nobody knows how */
	int exit_signal; /* or 0 */
	int64_t end_ns;
	int64_t cpu_ns; /* user and system time of the process; -1: not known, as below */
	int64_t max_rss_bytes;
};

/* NULL when memory is exhausted. */
struct mw_image *mw_image_new(void);
/* sha256 of the executable, computed when first asked for; NULL when it cannot be had. */
const char *mw_image_sha256(struct mw_image *image);
/* Take a copy of `argv` (strings with their NULs, one after the other).  -ENOMEM, and nothing changed. */
int mw_image_set_argv(struct mw_image *image, const char *argv, size_t bytes);
struct mw_image *mw_image_ref(struct mw_image *image);
void mw_image_unref(struct mw_image *image);

/* A process born of `parent` (may be NULL), with the parent's image.  Ancestors beyond MW_ANCESTORS are let go.
 * NULL when memory is exhausted. */
struct mw_process *mw_process_new(pid_t pid, struct mw_process *parent, int64_t start_ns);
struct mw_process *mw_process_ref(struct mw_process *process);
void mw_process_unref(struct mw_process *process);
void mw_process_set_image(struct mw_process *process, struct mw_image *image);

/* The n-th ancestor: 1 is the parent.  NULL beyond the last. */
const struct mw_process *mw_process_ancestor(const struct mw_process *process, unsigned n);

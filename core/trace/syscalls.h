/* The system calls that are recorded: one table for all architectures. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum mw_arch {
	MW_ARCH_X86_64,
	MW_ARCH_I386, /* programs of 32 bits on x86-64, too */
	MW_ARCH_ARM64,
	MW_ARCHS,
};

/* What is special of a call, besides what its arguments say. */
enum mw_call_how {
	MW_HOW_PLAIN,
	MW_HOW_OPEN,    /* gives a file */
	MW_HOW_CREAT,   /* the same, with flags that go without saying */
	MW_HOW_OPENAT2, /* the same; flags and mode are in a struct open_how */
	MW_HOW_GIVES_FD,
	MW_HOW_EXEC, /* of interest only when it fails */
	MW_HOW_CONNECT,
	MW_HOW_BIND,
	MW_HOW_LISTEN,
	MW_HOW_ACCEPT,
	MW_HOW_PTRACE,
	MW_HOW_TARGET, /* done to the process `target` */
	MW_HOW_KILL,
	MW_HOW_TKILL, /* the same; `target` is a thread */
	MW_HOW_PIDFD_KILL,
	MW_HOW_SETNS,
	MW_HOW_CLONE,  /* of interest only with new namespaces */
	MW_HOW_CLONE3, /* the same; flags are in a struct clone_args */
	MW_HOW_SET_ID, /* up to three ids, of which the effective one is said */
	MW_HOW_SET_ID16,
	MW_HOW_SET_GROUPS,
	MW_HOW_PRCTL,
	MW_HOW_DUP2, /* of interest only onto standard input, output and error; so the next two */
	MW_HOW_DUP,
	MW_HOW_FCNTL,
	MW_HOW_TRUNCATE64, /* the size is two arguments of 32 bits */
};

/* Arguments are named by position, 1 to 6; 0: it has none like that. */
struct mw_syscall {
	const char *name;
	int16_t numbers[MW_ARCHS]; /* MW_NO_CALL: not there */
	uint8_t kind;              /* enum mw_event_kind */
	uint8_t how;               /* enum mw_call_how */
	uint8_t socketcall;        /* its number in socketcall(2) of i386, or 0 */
	/* The path, and the folder it is relative to. */
	uint8_t path, dirfd;
	uint8_t old_path, old_dirfd;
	uint8_t raw; /* an old path that is text: it is not resolved */
	uint8_t at;  /* AT_… flags of both paths */
	/* The path is about what a symbolic link at its end points to, when AT_… does not say otherwise. */
	uint8_t follows;
	uint8_t of_fd; /* the path is that of this descriptor */
	uint8_t fd;    /* likewise, without a path */
	uint8_t text;
	uint8_t number;
	uint8_t target;
	uint8_t flags; /* of open(2) */
	uint8_t mode, uid, gid, size;
};

enum {
	MW_NO_CALL = -1,
	MW_I386_SOCKETCALL = 102, /* socketcall(2) … */
	MW_SOCKETCALLS = 32,      /* … and how many first arguments it may have */
};

/* exit_group(2), which is not in the table: nobody tells of it. */
enum {
	MW_X86_64_EXIT_GROUP = 231,
	MW_I386_EXIT_GROUP = 252,
	MW_ARM64_EXIT_GROUP = 94,
};

extern const struct mw_syscall mw_syscalls[];
extern const unsigned mw_syscalls_count;

/* AUDIT_ARCH_… of linux/audit.h to an index of `numbers`; -1 for one that is not known. */
int mw_arch_from_audit(uint32_t audit);

/* Index in mw_syscalls of a call, by its number; -1 when it is not there. */
int mw_syscall_find(int arch, uint64_t number);
/* The same, by the first argument of socketcall(2). */
int mw_syscall_find_socketcall(uint64_t number);

/* Is it the one that ends a signal handler: sigreturn(2)? */
bool mw_syscall_is_sigreturn(int arch, uint64_t number);

/* Numbers: arch/x86/entry/syscalls/syscall_64.tbl and syscall_32.tbl (asm/unistd_64.h, asm/unistd_32.h) and, for arm64,
 * asm-generic/unistd.h; a unit test compares them with the headers that are installed.  x32 has numbers above these,
 * and is not looked at.
 *
 * A call of i386 may be there twice, for ids of 16 bits and for those of 32. */

#include "trace/syscalls.h"

#include <linux/audit.h>
#include <stdatomic.h>
#include <stddef.h>

#include "event/event.h"

#define NO MW_NO_CALL
#define CALL(name, x86_64, i386, arm64, kind, how, ...) \
	{ \
		name, {x86_64, i386, arm64}, MW_##kind, MW_HOW_##how, __VA_ARGS__ \
	}

const struct mw_syscall mw_syscalls[] = {
	/* clang-format off */
	CALL("open", 2, 5, NO, FILE_OPEN, OPEN, .path = 1, .flags = 2, .mode = 3),
	CALL("openat", 257, 295, 56, FILE_OPEN, OPEN, .dirfd = 1, .path = 2, .flags = 3, .mode = 4),
	CALL("openat2", 437, 437, 437, FILE_OPEN, OPENAT2, .dirfd = 1, .path = 2),
	CALL("creat", 85, 8, NO, FILE_OPEN, CREAT, .path = 1, .mode = 2),

	CALL("mkdir", 83, 39, NO, FILE_CREATE, PLAIN, .path = 1, .mode = 2),
	CALL("mkdirat", 258, 296, 34, FILE_CREATE, PLAIN, .dirfd = 1, .path = 2, .mode = 3),
	CALL("mknod", 133, 14, NO, FILE_CREATE, PLAIN, .path = 1, .mode = 2, .number = 3),
	CALL("mknodat", 259, 297, 33, FILE_CREATE, PLAIN, .dirfd = 1, .path = 2, .mode = 3, .number = 4),

	CALL("unlink", 87, 10, NO, FILE_DELETE, PLAIN, .path = 1),
	CALL("unlinkat", 263, 301, 35, FILE_DELETE, PLAIN, .dirfd = 1, .path = 2),
	CALL("rmdir", 84, 40, NO, FILE_DELETE, PLAIN, .path = 1),

	CALL("rename", 82, 38, NO, FILE_RENAME, PLAIN, .old_path = 1, .path = 2),
	CALL("renameat", 264, 302, 38, FILE_RENAME, PLAIN, .old_dirfd = 1, .old_path = 2, .dirfd = 3, .path = 4),
	CALL("renameat2", 316, 353, 276, FILE_RENAME, PLAIN, .old_dirfd = 1, .old_path = 2, .dirfd = 3, .path = 4, .number = 5),
	CALL("link", 86, 9, NO, FILE_LINK, PLAIN, .old_path = 1, .path = 2),
	CALL("linkat", 265, 303, 37, FILE_LINK, PLAIN, .old_dirfd = 1, .old_path = 2, .dirfd = 3, .path = 4, .at = 5),
	CALL("symlink", 88, 83, NO, FILE_SYMLINK, PLAIN, .raw = 1, .path = 2),
	CALL("symlinkat", 266, 304, 36, FILE_SYMLINK, PLAIN, .raw = 1, .dirfd = 2, .path = 3),

	CALL("chmod", 90, 15, NO, FILE_ATTRIBUTES, PLAIN, .path = 1, .follows = 1, .mode = 2),
	CALL("fchmod", 91, 94, 52, FILE_ATTRIBUTES, PLAIN, .of_fd = 1, .mode = 2),
	CALL("fchmodat", 268, 306, 53, FILE_ATTRIBUTES, PLAIN, .dirfd = 1, .path = 2, .follows = 1, .mode = 3),
	CALL("fchmodat2", 452, 452, 452, FILE_ATTRIBUTES, PLAIN, .dirfd = 1, .path = 2, .follows = 1, .mode = 3, .at = 4),
	CALL("chown", 92, 212, NO, FILE_ATTRIBUTES, PLAIN, .path = 1, .follows = 1, .uid = 2, .gid = 3),
	CALL("chown", NO, 182, NO, FILE_ATTRIBUTES, SET_ID16, .path = 1, .follows = 1, .uid = 2, .gid = 3),
	CALL("lchown", 94, 198, NO, FILE_ATTRIBUTES, PLAIN, .path = 1, .uid = 2, .gid = 3),
	CALL("lchown", NO, 16, NO, FILE_ATTRIBUTES, SET_ID16, .path = 1, .uid = 2, .gid = 3),
	CALL("fchown", 93, 207, 55, FILE_ATTRIBUTES, PLAIN, .of_fd = 1, .uid = 2, .gid = 3),
	CALL("fchown", NO, 95, NO, FILE_ATTRIBUTES, SET_ID16, .of_fd = 1, .uid = 2, .gid = 3),
	CALL("fchownat", 260, 298, 54, FILE_ATTRIBUTES, PLAIN, .dirfd = 1, .path = 2, .follows = 1, .uid = 3, .gid = 4, .at = 5),
	CALL("truncate", 76, 92, 45, FILE_ATTRIBUTES, PLAIN, .path = 1, .follows = 1, .size = 2),
	CALL("truncate", NO, 193, NO, FILE_ATTRIBUTES, TRUNCATE64, .path = 1, .follows = 1, .size = 2),
	CALL("ftruncate", 77, 93, 46, FILE_ATTRIBUTES, PLAIN, .of_fd = 1, .size = 2),
	CALL("ftruncate", NO, 194, NO, FILE_ATTRIBUTES, TRUNCATE64, .of_fd = 1, .size = 2),
	CALL("utime", 132, 30, NO, FILE_ATTRIBUTES, PLAIN, .path = 1, .follows = 1),
	CALL("utimes", 235, 271, NO, FILE_ATTRIBUTES, PLAIN, .path = 1, .follows = 1),
	CALL("futimesat", 261, 299, NO, FILE_ATTRIBUTES, PLAIN, .dirfd = 1, .path = 2, .follows = 1),
	CALL("utimensat", 280, 320, 88, FILE_ATTRIBUTES, PLAIN, .dirfd = 1, .path = 2, .follows = 1, .at = 4),
	CALL("utimensat", NO, 412, NO, FILE_ATTRIBUTES, PLAIN, .dirfd = 1, .path = 2, .follows = 1, .at = 4),

	CALL("connect", 42, 362, 203, SOCKET_CONNECT, CONNECT, .fd = 1, .socketcall = 3),
	CALL("bind", 49, 361, 200, SOCKET_BIND, BIND, .fd = 1, .socketcall = 2),
	CALL("listen", 50, 363, 201, SOCKET_LISTEN, LISTEN, .fd = 1, .number = 2, .socketcall = 4),
	CALL("accept", 43, NO, 202, SOCKET_ACCEPT, ACCEPT, .socketcall = 5),
	CALL("accept4", 288, 364, 242, SOCKET_ACCEPT, ACCEPT, .socketcall = 18),

	CALL("execve", 59, 11, 221, PROCESS_EXEC_FAILED, EXEC, .path = 1, .follows = 1),
	CALL("execveat", 322, 358, 281, PROCESS_EXEC_FAILED, EXEC, .dirfd = 1, .path = 2, .follows = 1, .at = 5),
	CALL("ptrace", 101, 26, 117, PROCESS_PTRACE, PTRACE, .number = 1, .target = 2),
	CALL("process_vm_readv", 310, 347, 270, PROCESS_PTRACE, TARGET, .target = 1),
	CALL("process_vm_writev", 311, 348, 271, PROCESS_PTRACE, TARGET, .target = 1),
	CALL("memfd_create", 319, 356, 279, PROCESS_MEMFD, GIVES_FD, .text = 1, .number = 2),
	CALL("mount", 165, 21, 40, PROCESS_MOUNT, PLAIN, .raw = 1, .path = 2, .follows = 1, .text = 3, .number = 4),
	CALL("umount", NO, 22, NO, PROCESS_MOUNT, PLAIN, .path = 1, .follows = 1),
	CALL("umount2", 166, 52, 39, PROCESS_MOUNT, PLAIN, .path = 1, .follows = 1, .number = 2),
	CALL("move_mount", 429, 429, 429, PROCESS_MOUNT, PLAIN, .old_dirfd = 1, .old_path = 2, .dirfd = 3, .path = 4, .number = 5),
	CALL("fsopen", 430, 430, 430, PROCESS_MOUNT, PLAIN, .text = 1, .number = 2),
	CALL("fsmount", 432, 432, 432, PROCESS_MOUNT, PLAIN, .fd = 1, .number = 2),
	CALL("open_tree", 428, 428, 428, PROCESS_MOUNT, PLAIN, .dirfd = 1, .path = 2, .follows = 1, .at = 3, .number = 3),
	CALL("pivot_root", 155, 217, 41, PROCESS_MOUNT, PLAIN, .path = 1, .raw = 2),
	CALL("setns", 308, 346, 268, PROCESS_SETNS, SETNS, .of_fd = 1, .number = 2),
	CALL("unshare", 272, 310, 97, PROCESS_UNSHARE, PLAIN, .number = 1),
	CALL("clone", 56, 120, 220, PROCESS_UNSHARE, CLONE, .number = 1),
	CALL("clone3", 435, 435, 435, PROCESS_UNSHARE, CLONE3),
	CALL("bpf", 321, 357, 280, PROCESS_BPF, PLAIN, .number = 1),
	CALL("init_module", 175, 128, 105, PROCESS_MODULE, PLAIN, .text = 3),
	CALL("finit_module", 313, 350, 273, PROCESS_MODULE, PLAIN, .of_fd = 1, .text = 2, .number = 3),
	CALL("delete_module", 176, 129, 106, PROCESS_MODULE, PLAIN, .text = 1, .number = 2),
	CALL("prctl", 157, 172, 167, PROCESS_PRCTL_NAME, PRCTL),

	CALL("dup2", 33, 63, NO, PROCESS_DUP_TO_STDIO, DUP2, .fd = 1, .number = 2),
	CALL("dup3", 292, 330, 24, PROCESS_DUP_TO_STDIO, DUP2, .fd = 1, .number = 2),
	CALL("dup", 32, 41, 23, PROCESS_DUP_TO_STDIO, DUP, .fd = 1),
	CALL("fcntl", 72, 55, 25, PROCESS_DUP_TO_STDIO, FCNTL, .fd = 1),
	CALL("fcntl", NO, 221, NO, PROCESS_DUP_TO_STDIO, FCNTL, .fd = 1),

	CALL("setuid", 105, 213, 146, PROCESS_SETUID, SET_ID, .number = 1),
	CALL("setuid", NO, 23, NO, PROCESS_SETUID, SET_ID16, .number = 1),
	CALL("setgid", 106, 214, 144, PROCESS_SETUID, SET_ID, .number = 1),
	CALL("setgid", NO, 46, NO, PROCESS_SETUID, SET_ID16, .number = 1),
	CALL("setreuid", 113, 203, 145, PROCESS_SETUID, SET_ID, .number = 2),
	CALL("setreuid", NO, 70, NO, PROCESS_SETUID, SET_ID16, .number = 2),
	CALL("setregid", 114, 204, 143, PROCESS_SETUID, SET_ID, .number = 2),
	CALL("setregid", NO, 71, NO, PROCESS_SETUID, SET_ID16, .number = 2),
	CALL("setresuid", 117, 208, 147, PROCESS_SETUID, SET_ID, .number = 2),
	CALL("setresuid", NO, 164, NO, PROCESS_SETUID, SET_ID16, .number = 2),
	CALL("setresgid", 119, 210, 149, PROCESS_SETUID, SET_ID, .number = 2),
	CALL("setresgid", NO, 170, NO, PROCESS_SETUID, SET_ID16, .number = 2),
	CALL("setfsuid", 122, 215, 151, PROCESS_SETUID, SET_ID, .number = 1),
	CALL("setfsuid", NO, 138, NO, PROCESS_SETUID, SET_ID16, .number = 1),
	CALL("setfsgid", 123, 216, 152, PROCESS_SETUID, SET_ID, .number = 1),
	CALL("setfsgid", NO, 139, NO, PROCESS_SETUID, SET_ID16, .number = 1),
	CALL("setgroups", 116, 206, 159, PROCESS_SETUID, SET_GROUPS, .number = 1),

	CALL("kill", 62, 37, 129, PROCESS_KILL, KILL, .target = 1, .number = 2),
	CALL("tkill", 200, 238, 130, PROCESS_KILL, TKILL, .target = 1, .number = 2),
	CALL("tgkill", 234, 270, 131, PROCESS_KILL, KILL, .target = 1, .number = 3),
	CALL("rt_sigqueueinfo", 129, 178, 138, PROCESS_KILL, KILL, .target = 1, .number = 2),
	CALL("rt_tgsigqueueinfo", 297, 335, 240, PROCESS_KILL, KILL, .target = 1, .number = 3),
	CALL("pidfd_send_signal", 424, 424, 424, PROCESS_KILL, PIDFD_KILL, .fd = 1, .number = 2),
	/* clang-format on */
};
const unsigned mw_syscalls_count = sizeof(mw_syscalls) / sizeof(*mw_syscalls);

enum {
	/* Above all numbers there are. */
	NUMBERS = 512,
};

/* Index in the table and one; 0: none. */
static uint8_t by_number[MW_ARCHS][NUMBERS];
static uint8_t by_socketcall[MW_SOCKETCALLS];
static atomic_bool is_indexed;

_Static_assert(sizeof(mw_syscalls) / sizeof(*mw_syscalls) < UINT8_MAX, "indexes are bytes");

/* Two threads that do this at once write the same. */
static void index_calls(void)
{
	for (unsigned i = 0; i < mw_syscalls_count; i++) {
		for (unsigned arch = 0; arch < MW_ARCHS; arch++)
			if (mw_syscalls[i].numbers[arch] >= 0)
				by_number[arch][mw_syscalls[i].numbers[arch]] = (uint8_t)(i + 1);
		if (mw_syscalls[i].socketcall)
			by_socketcall[mw_syscalls[i].socketcall] = (uint8_t)(i + 1);
	}
	atomic_store_explicit(&is_indexed, true, memory_order_release);
}

int mw_arch_from_audit(uint32_t audit)
{
	switch (audit) {
	case AUDIT_ARCH_X86_64:
		return MW_ARCH_X86_64;
	case AUDIT_ARCH_I386:
		return MW_ARCH_I386;
	case AUDIT_ARCH_AARCH64:
		return MW_ARCH_ARM64;
	default:
		return -1;
	}
}

int mw_syscall_find(int arch, uint64_t number)
{
	if (!atomic_load_explicit(&is_indexed, memory_order_acquire))
		index_calls();
	return arch < 0 || number >= NUMBERS ? -1 : by_number[arch][number] - 1;
}

int mw_syscall_find_socketcall(uint64_t number)
{
	if (!atomic_load_explicit(&is_indexed, memory_order_acquire))
		index_calls();
	return number >= MW_SOCKETCALLS ? -1 : by_socketcall[number] - 1;
}

bool mw_syscall_is_sigreturn(int arch, uint64_t number)
{
	switch (arch) {
	case MW_ARCH_X86_64:
		return number == 15;
	case MW_ARCH_I386:
		return number == 173 || number == 119; /* the older form, without siginfo */
	case MW_ARCH_ARM64:
		return number == 139;
	default:
		return false;
	}
}

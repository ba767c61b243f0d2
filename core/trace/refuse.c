/* Nothing of the new program may run, and its parent is to see an ordinary end.  So the instructions it would begin with
 * are replaced by those of exit_group(126), in the process's private copy of the page, which ends with it.  (Registers
 * would not do: execve(2) still has its own result to write into one.) */

#include "trace/refuse.h"

#include <errno.h>
#include <linux/audit.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>

enum {
	CODE_BYTES = 16 /* two words of ptrace(2), four of a 32-bit program */
};

struct code {
	uint32_t arch;
	unsigned char bytes[CODE_BYTES];
};

/* The numbers of exit_group are those of linux/unistd.h of each architecture; 126 is what a shell says of a command that
 * cannot be executed, POSIX, Shell & Utilities 2.8.2. */
static const struct code codes[] = {
	/* mov eax, 231; mov edi, 126; syscall */
	{AUDIT_ARCH_X86_64, {0xb8, 231, 0, 0, 0, 0xbf, 126, 0, 0, 0, 0x0f, 0x05, 0x0f, 0x0b, 0x0f, 0x0b}},
	/* mov eax, 252; mov ebx, 126; int 0x80 */
	{AUDIT_ARCH_I386, {0xb8, 252, 0, 0, 0, 0xbb, 126, 0, 0, 0, 0xcd, 0x80, 0x0f, 0x0b, 0x0f, 0x0b}},
	/* mov x8, #94; mov x0, #126; svc #0; udf #0 */
	{AUDIT_ARCH_AARCH64, {0xc8, 0x0b, 0x80, 0xd2, 0xc0, 0x0f, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4, 0, 0, 0, 0}},
};

int mw_refuse_exec(pid_t tid)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].arch != info.arch)
			continue;
		for (size_t at = 0; at < CODE_BYTES; at += sizeof(long)) {
			long word;
			memcpy(&word, codes[i].bytes + at, sizeof(word));
			if (ptrace(PTRACE_POKETEXT, tid, (void *)(uintptr_t)(info.instruction_pointer + at), word) < 0)
				return -errno;
		}
		return 0;
	}
	return -ENOSYS;
}

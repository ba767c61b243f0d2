#include "trace/call_registers.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

enum {
	/* Selector of code of 32 bits, __USER32_CS of asm/segment.h. */
	USER32_CS = 0x23,
};

/* Code of 64 bits may make a call of i386, too, by the instruction INT 0x80 (CD 80): which one it was stands before where
 * the thread goes on. */
static bool is_int80(pid_t tid, uint64_t ip)
{
	unsigned char code[2] = {0};
	const struct iovec local = {code, sizeof(code)};
	const struct iovec remote = {(void *)(uintptr_t)(ip - sizeof(code)), sizeof(code)};
	return process_vm_readv(tid, &local, 1, &remote, 1, 0) == sizeof(code) && code[0] == 0xCD && code[1] == 0x80;
}

bool mw_call_registers(pid_t tid, bool is_inside, struct __ptrace_syscall_info *ret)
{
	struct user_regs_struct regs;
	if (ptrace(PTRACE_GETREGS, tid, 0L, &regs) < 0)
		return false;
	bool is_i386 = regs.cs == USER32_CS || is_int80(tid, regs.rip);
	memset(ret, 0, sizeof(*ret));
	ret->arch = is_i386 ? AUDIT_ARCH_I386 : AUDIT_ARCH_X86_64;
	/* At an entry the result is preset.  A thread that was not seen to enter is at an exit nevertheless, if it is new,
	 * or was inside when it began to be stopped. */
	int64_t result = is_i386 ? (int64_t)(int32_t)regs.rax : (int64_t)regs.rax;
	if (is_inside || result != -ENOSYS) {
		ret->op = PTRACE_SYSCALL_INFO_EXIT;
		ret->exit.rval = result;
		ret->exit.is_error = result < 0 && result >= -4095; /* MAX_ERRNO of linux/err.h */
		return true;
	}
	ret->op = PTRACE_SYSCALL_INFO_ENTRY;
	if (is_i386) {
		const uint64_t args[6] = {regs.rbx, regs.rcx, regs.rdx, regs.rsi, regs.rdi, regs.rbp};
		ret->entry.nr = (uint32_t)regs.orig_rax;
		for (unsigned i = 0; i < 6; i++)
			ret->entry.args[i] = (uint32_t)args[i];
	} else {
		const uint64_t args[6] = {regs.rdi, regs.rsi, regs.rdx, regs.r10, regs.r8, regs.r9};
		ret->entry.nr = regs.orig_rax;
		memcpy(ret->entry.args, args, sizeof(args));
	}
	return true;
}

#elif defined(__aarch64__)

bool mw_call_registers(pid_t tid, bool is_inside, struct __ptrace_syscall_info *ret)
{
	struct user_regs_struct regs;
	struct iovec iov = {&regs, sizeof(regs)};
	(void)is_inside;
	if (ptrace(PTRACE_GETREGSET, tid, NT_PRSTATUS, &iov) < 0 || iov.iov_len != sizeof(regs))
		return false; /* fewer registers: a program of 32 bits */
	memset(ret, 0, sizeof(*ret));
	ret->arch = AUDIT_ARCH_AARCH64;
	/* x7 is lent for that: PTRACE_SYSCALL_ENTER and _EXIT of arch/arm64/kernel/ptrace.c. */
	if (regs.regs[7]) {
		ret->op = PTRACE_SYSCALL_INFO_EXIT;
		ret->exit.rval = (int64_t)regs.regs[0];
		ret->exit.is_error = ret->exit.rval < 0 && ret->exit.rval >= -4095;
		return true;
	}
	ret->op = PTRACE_SYSCALL_INFO_ENTRY;
	ret->entry.nr = regs.regs[8];
	for (unsigned i = 0; i < 6; i++)
		ret->entry.args[i] = regs.regs[i];
	return true;
}

#else

bool mw_call_registers(pid_t tid, bool is_inside, struct __ptrace_syscall_info *ret)
{
	(void)tid;
	(void)is_inside;
	(void)ret;
	return false;
}

#endif

/* Nothing of the new program may run, and its parent is to see an ordinary end.  So the instruction it would begin with is
 * replaced by a system call (in the process's private copy of the page, which ends with it), and its registers are those of
 * exit_group(2).  A 32-bit program on a 64-bit kernel is not handled. */

#include "trace/refuse.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

#if defined(__x86_64__)

/* "syscall", then "ud2" in case it should return. */
static const long INSTRUCTION = 0x0b0f050f;

static void set_registers(struct user_regs_struct *registers, int code)
{
	registers->rax = SYS_exit_group;
	registers->orig_rax = (unsigned long long)-1; /* no system call to restart */
	registers->rdi = (unsigned long long)code;
}

static uint64_t begins_at(const struct user_regs_struct *registers)
{
	return registers->rip;
}

#elif defined(__aarch64__)

/* "svc #0", then "udf #0". */
static const long INSTRUCTION = 0xd4000001;

static void set_registers(struct user_regs_struct *registers, int code)
{
	registers->regs[8] = SYS_exit_group;
	registers->regs[0] = (unsigned long long)code;
}

static uint64_t begins_at(const struct user_regs_struct *registers)
{
	return registers->pc;
}

#endif

#if defined(__x86_64__) || defined(__aarch64__)

int mw_refuse_exec(pid_t tid, int code)
{
	struct user_regs_struct registers;
	struct iovec set = {.iov_base = &registers, .iov_len = sizeof(registers)};
	if (ptrace(PTRACE_GETREGSET, tid, (void *)NT_PRSTATUS, &set) < 0)
		return -errno;
	if (set.iov_len != sizeof(registers))
		return -ENOSYS; /* a 32-bit program */
	if (ptrace(PTRACE_POKETEXT, tid, (void *)(uintptr_t)begins_at(&registers), INSTRUCTION) < 0)
		return -errno;
	set_registers(&registers, code);
	return ptrace(PTRACE_SETREGSET, tid, (void *)NT_PRSTATUS, &set) < 0 ? -errno : 0;
}

#else

int mw_refuse_exec(pid_t tid, int code)
{
	(void)tid;
	(void)code;
	return -ENOSYS;
}

#endif

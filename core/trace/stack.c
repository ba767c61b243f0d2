/* Layout, from the stack pointer up, in words of the program (fs/binfmt_elf.c of Linux):
 *
 *	argc, argv[0] … argv[argc - 1], 0, envp[0] …, 0, auxiliary vector (pairs, ended by AT_NULL), …
 *	the strings of argv, those of envp, and the path given to execve(2) (AT_EXECFN)
 *
 * PTRACE_GET_SYSCALL_INFO gives the stack pointer and the word size without any knowledge of registers. */

#include "trace/stack.h"

#include <elf.h>
#include <errno.h>
#include <linux/audit.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* Bytes read; fewer when what is behind is not mapped. */
static ssize_t read_memory(pid_t tid, uint64_t at, void *out, size_t n)
{
	struct iovec local = {.iov_base = out, .iov_len = n};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)at, .iov_len = n};
	return process_vm_readv(tid, &local, 1, &remote, 1, 0);
}

/* Reads one word after the other of what is in memory. */
struct cursor {
	const struct mw_stack *stack;
	size_t word;
	size_t offset;
};

static bool next(struct cursor *cursor, uint64_t *ret)
{
	if (cursor->offset + cursor->word > cursor->stack->bytes)
		return false;
	if (cursor->word == sizeof(uint64_t)) {
		memcpy(ret, cursor->stack->memory + cursor->offset, sizeof(*ret));
	} else {
		uint32_t half;
		memcpy(&half, cursor->stack->memory + cursor->offset, sizeof(half));
		*ret = half;
	}
	cursor->offset += cursor->word;
	return true;
}

static bool take_vector(struct cursor *cursor, struct mw_stack *stack)
{
	uint64_t key;
	uint64_t value;
	for (;;) {
		if (!next(cursor, &key) || !next(cursor, &value))
			return false;
		switch (key) {
		case AT_NULL:
			return true;
		case AT_UID:
			stack->uid = (uint32_t)value;
			break;
		case AT_EUID:
			stack->euid = (uint32_t)value;
			break;
		case AT_GID:
			stack->gid = (uint32_t)value;
			break;
		case AT_EGID:
			stack->egid = (uint32_t)value;
			break;
		case AT_SECURE:
			stack->is_secure = value != 0;
			break;
		case AT_EXECFN:
			stack->execfn = value;
			break;
		default:
			break;
		}
	}
}

static bool parse(struct mw_stack *stack, size_t word)
{
	struct cursor cursor = {.stack = stack, .word = word};
	uint64_t argc;
	uint64_t pointer = 0;
	if (!next(&cursor, &argc))
		return false;
	for (uint64_t i = 0; i < argc; i++) {
		if (!next(&cursor, &pointer))
			return false;
		if (i == 0)
			stack->arg_start = pointer;
	}
	if (!next(&cursor, &pointer) || pointer != 0)
		return false;
	for (bool is_first = true;; is_first = false) {
		if (!next(&cursor, &pointer))
			return false;
		if (is_first)
			stack->env_start = pointer;
		if (pointer == 0)
			break;
	}
	if (!take_vector(&cursor, stack) || !stack->execfn)
		return false;
	/* One lies behind the other. */
	stack->env_end = stack->execfn;
	if (!stack->env_start)
		stack->env_start = stack->execfn;
	if (!stack->arg_start)
		stack->arg_start = stack->env_start;
	stack->arg_end = stack->env_start;
	return stack->arg_start <= stack->arg_end && stack->env_start <= stack->env_end;
}

int mw_stack_read(pid_t tid, struct mw_stack *ret)
{
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) < 0)
		return -errno;
	memset(ret, 0, offsetof(struct mw_stack, memory));
	ssize_t n = read_memory(tid, info.stack_pointer, ret->memory, sizeof(ret->memory));
	if (n <= 0)
		return n < 0 ? -errno : -EFAULT;
	ret->at = info.stack_pointer;
	ret->bytes = (size_t)n;
	size_t word = info.arch & __AUDIT_ARCH_64BIT ? sizeof(uint64_t) : sizeof(uint32_t);
	return parse(ret, word) ? 0 : -ENODATA;
}

size_t mw_stack_copy(const struct mw_stack *stack, pid_t tid, uint64_t start, uint64_t end, char *out, size_t room)
{
	if (end <= start)
		return 0;
	size_t want = end - start < room ? (size_t)(end - start) : room;
	if (start >= stack->at && start - stack->at + want <= stack->bytes) {
		memcpy(out, stack->memory + (start - stack->at), want);
		return want;
	}
	/* A page that cannot be read ends it: what is asked for lies together and was written by the kernel, so there is
	 * none but at the end of the stack. */
	ssize_t n = read_memory(tid, start, out, want);
	return n > 0 ? (size_t)n : 0;
}

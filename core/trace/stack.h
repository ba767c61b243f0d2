/* What the kernel puts on the stack of a new program: arguments, environment, auxiliary vector (execve(2), getauxval(3)).
 * At the exec stop it is all there and nobody has touched it, so two reads of the process's memory replace four files of
 * /proc. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
	/* Read at once; most programs have less on their stack. */
	MW_STACK_BYTES = 16 << 10,
};

struct mw_stack {
	/* Addresses in the process. */
	uint64_t arg_start, arg_end, env_start, env_end, execfn;
	uint32_t uid, euid, gid, egid;
	bool is_secure;
	/* What was read, from the stack pointer on. */
	uint64_t at;
	size_t bytes;
	_Alignas(8) unsigned char memory[MW_STACK_BYTES];
};

/* Read it of a process that stands at its exec stop under this thread's ptrace(2).
 * -ENODATA when the vector lies beyond what was read (very many arguments), or the errno of ptrace(2) (-EIO before kernel
 * 5.3) or process_vm_readv(2): then /proc must do. */
int mw_stack_read(pid_t tid, struct mw_stack *ret);

/* Copy at most `room` bytes from `start` up to `end` (addresses as above); returns how many. */
size_t mw_stack_copy(const struct mw_stack *stack, pid_t tid, uint64_t start, uint64_t end, char *out, size_t room);

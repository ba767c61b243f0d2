/* System-call stops before Linux 5.3, which has no PTRACE_GET_SYSCALL_INFO: from the registers. */
#pragma once

#include <stdbool.h>
#include <sys/ptrace.h>
#include <sys/types.h>

/* Fill in op, arch, and what goes with an entry or an exit.  `is_inside`: the last such stop of the thread was an entry.
 * False when the thread is gone, or its architecture is none that is known. */
bool mw_call_registers(pid_t tid, bool is_inside, struct __ptrace_syscall_info *ret);

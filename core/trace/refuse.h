/* Make a process end with an exit code of ours instead of running its program; depends on the architecture. */
#pragma once

#include <sys/types.h>

/* `tid` stands at its exec stop; it is set up to call exit_group(2) with exit code 126 as its first and only act, and still
 * has to be resumed.  -ENOSYS on an architecture that is not known, or the errno of ptrace(2); then it is unchanged, or as
 * good as: it cannot be relied on any more. */
int mw_refuse_exec(pid_t tid);

/* Make a process end with an exit code of ours instead of running its program; depends on the architecture. */
#pragma once

#include <sys/types.h>

/* `tid` stands at its exec stop; it is set up to call exit_group(2) with `code` as its first and only act, and still
 * has to be resumed.  -errno when it cannot be (then it is unchanged, or as good as), -ENOSYS on other architectures. */
int mw_refuse_exec(pid_t tid, int code);

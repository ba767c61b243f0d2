/* By what one program is told from the next in the same process, without being told of execve(2): the addresses in PID/stat, which
 * are other ones after each; where these must not be seen (other users' processes), its name and arguments. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "proc/procfs.h"

struct mw_program {
	char comm[MW_PROC_COMM_BYTES];
	uint64_t code, stack; /* addresses; code 0: none yet, in execve(2); stack 0: must not be seen */
	uint64_t arguments;   /* a hash, where there are no addresses */
};

/* PID/stat; false when the process has gone.  `procfd` is an open /proc. */
bool mw_program_stat(int procfd, pid_t pid, struct mw_proc_stat *ret);

struct mw_program mw_program_of(int procfd, const struct mw_proc_stat *stat);

bool mw_program_is_same(const struct mw_program *a, const struct mw_program *b);

/* Evaluates the policy of event/attention.h for one exec.  Part of the exec stop: no allocation, no system call, less
 * than a microsecond. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/attention.h"

struct mw_record_exec;

/* The level of the process that `exec` describes.  `facts`: MW_ATTENTION_STARTUP and _ROOT where the caller knows them,
 * and what mw_attention_late() says (which is more than MW_EXEC_LATE: who is found at the start of a tracer, because it
 * was there before, is no newcomer); the others are taken from the record.  *marks: those inherited on entry, all that
 * hold on return (a child is born with its parent's level and marks).
 * `container_start_ns` (wall clock) is what "dropped" is measured against. */
enum mw_level mw_attention_decide(const struct mw_attention *attention, const struct mw_record_exec *exec,
				  uint32_t facts, int64_t container_start_ns, uint64_t *marks);

enum {
	/* Late programs remembered; past it the one not seen for longest is forgotten. */
	MW_ATTENTION_LATE_PROGRAMS = 64,
	/* Of the same program and arguments, so many are looked at closely before they count as repeated. */
	MW_ATTENTION_LATE_NEW = 2,
};

/* Programs that came from outside.  Zeroed: none yet. */
struct mw_attention_memory {
	uint64_t clock;
	struct {
		uint64_t key; /* hash of path, inode and arguments; 0: free */
		uint64_t used;
		uint32_t times;
	} programs[MW_ATTENTION_LATE_PROGRAMS];
};

/* Did the process come from outside: does the caller say so (MW_ATTENTION_LATE in `facts`: it found a newcomer), or has it
 * no parent in this PID namespace while not being the root?  And was the same seen before?  MW_ATTENTION_LATE with
 * or without _REPEATED, or 0; to be given to mw_attention_decide().  To be called once for an exec, since it remembers. */
uint32_t mw_attention_late(struct mw_attention_memory *memory, const struct mw_record_exec *exec, uint32_t facts);

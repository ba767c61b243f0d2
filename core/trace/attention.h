/* Evaluates the policy of event/attention.h for one exec.  Part of the exec stop: no allocation, no system call. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "event/attention.h"

struct mw_record_exec;

/* The level of the process that `exec` describes.  `facts`: MW_ATTENTION_LATE, _STARTUP and _ROOT where the caller knows
 * them; the others are taken from the record.  *marks: those inherited on entry, all that hold on return.
 * `container_start_ns` (wall clock) is what "dropped" is measured against. */
enum mw_level mw_attention_decide(const struct mw_attention *attention, const struct mw_record_exec *exec,
				  uint32_t facts, int64_t container_start_ns, uint64_t *marks);

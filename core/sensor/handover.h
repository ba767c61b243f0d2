/* The end: what could not be delivered is handed over, and a line on standard error counts it. */
#pragma once

#include <stdint.h>

#include "flag/flag.h"

struct mw_spool;

/* Of `flush_ms`, how much handing over is given. */
int64_t mw_handover_ms(const struct mw_flags *flags, int64_t flush_ms);

/* `start_ns` names the run, `state_dir` ("" in memory) is where rows stay that are not handed over. */
void mw_handover(struct mw_spool *spool, const struct mw_flags *flags, int64_t start_ns, const char *state_dir);

/* The guard process; see launch.h. */
#pragma once

#include <sys/types.h>

struct mw_launch;

/* Called in the fresh process.  `root` is the application's first process, our parent.  Never returns. */
_Noreturn void mw_guard_run(const struct mw_launch *launch, pid_t root);

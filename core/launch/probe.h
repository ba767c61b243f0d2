/* What this place allows, tried out on processes of our own. */
#pragma once

/* Trace a child, as the engine does: PTRACE_SEIZE with its options, a stop at exec, and let go.  0 or the -errno of what failed. */
int mw_probe_ptrace_child(void);
/* Trace a process that is no child of the tracer's, but of the same user: refused by Yama's ptrace_scope 1 and higher without
 * CAP_SYS_PTRACE. */
int mw_probe_ptrace_other(void);

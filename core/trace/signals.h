/* What a tracer has to do about signals that nobody traced would get: nothing, but for one. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

struct mw_tracer;

/* A thread is about to be delivered SIGSTOP.  The first process of a PID namespace is immune to it when it is sent from within
 * (pid_namespaces(7)); the kernel drops it as it is sent, but not when the process is traced, for the tracer to see.
 * True when it is to be dropped. */
bool mw_signal_is_for_nobody(const struct mw_tracer *tracer, pid_t tid, int signal);

#include "trace/signals.h"

#include <signal.h>
#include <string.h>
#include <sys/ptrace.h>

#include "trace/tracer_private.h"

/* Is it the first process of its innermost PID namespace: is the last number of NSpid in PID/status 1? */
static bool is_first_of_namespace(const struct mw_tracer *tracer, pid_t tid)
{
	char path[MW_PROC_NAME_BYTES];
	char text[MW_PROC_STATUS_BYTES];
	mw_procfs_name(tid, "status", path);
	ssize_t n = mw_procfs_read_small(tracer->procfd, path, text, sizeof(text) - 1);
	text[n > 0 ? n : 0] = '\0';
	const char *line = strstr(text, "\nNSpid:");
	const char *end = line ? strchr(line + 1, '\n') : NULL;
	return end && end[-1] == '1' && end[-2] == '\t';
}

bool mw_signal_is_for_nobody(const struct mw_tracer *tracer, pid_t tid, int signal)
{
	siginfo_t info;
	if (signal != SIGSTOP || ptrace(PTRACE_GETSIGINFO, tid, 0L, &info) < 0)
		return false;
	/* One from an outer namespace has no sender that it could see, one of the kernel's neither. */
	bool is_from_within = info.si_code <= 0 && info.si_pid != 0;
	return is_from_within && is_first_of_namespace(tracer, tid);
}

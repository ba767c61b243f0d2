/* What is true of a process at its exec stop: the point of no return is passed, the new credentials are in force, and not
 * one instruction of the new program has run, so nothing read here can have been forged (tracing by ptrace(2);
 * PTRACE_EVENT_EXEC). */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct mw_record_exec;

/* Which variables of the environment are kept; see mw_facts_options.  As the choices of the flag exec_environment. */
enum mw_environment {
	MW_ENVIRONMENT_NONE,
	MW_ENVIRONMENT_LISTED, /* those that change how programs load and how shells log */
	MW_ENVIRONMENT_ALL,
};

/* What is known of the process already, so that it need not be read. */
struct mw_facts_known {
	pid_t ppid;
	/* As they were at its parent's birth or its own last exec; session 0: not known. */
	pid_t session;
	int tty_nr;
};

/* Fill `record`, which has room for MW_RECORD_BYTES, but for head.kind and head.time_ns, from /proc alone.  Never fails:
 * what cannot be read is zero or empty, and the record marked MW_EXEC_INCOMPLETE.  Returns the size of the record.
 * `procfd` is an open /proc.  Allocates nothing. */
size_t mw_facts_exec(int procfd, pid_t pid, enum mw_environment environment, struct mw_record_exec *record);

/* The same for a process that stands at its exec stop under this thread's ptrace(2): much comes from its stack, and what is
 * known is believed where the kernel cannot have changed it.  Then start_ticks may be 0: not asked for. */
size_t mw_facts_exec_stop(int procfd, pid_t pid, const struct mw_facts_known *known, enum mw_environment environment,
			  struct mw_record_exec *record);

/* Add what standard input, output and error are to a record of `bytes`; returns its new size. */
size_t mw_facts_stdio(int procfd, struct mw_record_exec *record, size_t bytes);

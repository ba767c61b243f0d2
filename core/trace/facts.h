/* What is true of a process at its exec stop: the point of no return is passed, the new credentials are in force, and not
 * one instruction of the new program has run, so nothing read here can have been forged (tracing by ptrace(2);
 * PTRACE_EVENT_EXEC). */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct mw_record_exec;

/* Fill `record`, which has room for MW_RECORD_BYTES, but for head.kind and head.time_ns.  Never fails: what cannot be
 * read is zero or empty, and the record marked MW_EXEC_INCOMPLETE.  Returns the size of the record.
 * `procfd` is an open /proc.  Allocates nothing. */
size_t mw_facts_exec(int procfd, pid_t pid, struct mw_record_exec *record);

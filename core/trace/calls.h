/* System calls of a thread under attention `calls`: from its stops to records. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_record_call;

/* What is remembered of a thread between the entry into a call and its end.  Zeroed: between calls. */
struct mw_call_state {
	uint32_t arch; /* AUDIT_ARCH_… */
	int16_t call;  /* index in mw_call_names; -1: one that nobody wants; of no meaning between calls */
	bool is_inside;
	uint64_t args[6];
};

/* Names of the calls in the table, by the index in records. */
const char *mw_call_name(unsigned call);

/* A thread is at a system-call stop, entry or exit (PTRACE_O_TRACESYSGOOD; which of them, PTRACE_GET_SYSCALL_INFO tells).
 * `kinds`: bit n, events of mw_event_kind n are wanted.  Returns the size of the record made in `record`, which has room for
 * MW_RECORD_CALL_BYTES, or 0 for none; `record` may be NULL at an entry, and *ret_wants tells whether this stop may need
 * one (so that no room need be reserved for the rest): call first with NULL, and again when it wants. */
size_t mw_calls_stop(struct mw_call_state *state, int procfd, pid_t tid, pid_t tgid, uint64_t kinds,
		     struct mw_record_call *record, bool *ret_wants);

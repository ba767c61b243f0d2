/* System calls of a thread under attention `calls`: from its stops to records.
 *
 * What is recorded is read after the call, from the kernel's own view where it has one: the name of what a new descriptor
 * is, both ends of a socket.  Otherwise from the arguments: such a path is resolved as the thread itself would, symbolic
 * links and chroot included, and marked MW_CALL_INCOMPLETE when it cannot be.  The thread is stopped meanwhile, but others
 * of its process are not: one that rewrites an argument, or gives a new descriptor's number to something else, in the
 * microseconds between, is believed.  Which calls, and how: syscalls.c.
 *
 * Cost (CPU time of the tracer, on a busy machine of 2 CPUs, where clock_gettime(2) of that time takes 0.65 us): a stop that
 * nobody wants 1.4 us, for one request of ptrace(2); besides, for an open(2) 9 us, 12 more before it when it may make a
 * file, 8 to 19 when it fails; for a connect(2) 13. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct mw_record_call;

/* What is remembered of a thread between the entry into a call and its end.  Zeroed: between calls. */
struct mw_call_state {
	uint32_t arch;   /* AUDIT_ARCH_… */
	int16_t call;    /* index in mw_syscalls; -1: one that nobody wants; of no meaning between calls */
	bool is_inside;  /* between entry and end */
	bool is_wanted;  /* has ended, and a record of it is to be made */
	uint8_t existed; /* O_CREAT: whether there was a file before; see calls.c */
	uint64_t args[6];
	int64_t result;
	/* A connect(2) that a signal interrupted, until it is known whether it is made again; see calls.c. */
	uint8_t interrupted; /* enum of calls.c; 0: none */
	int16_t interrupted_call;
	uint64_t interrupted_args[3];
};

/* Names of the calls in the table, by the index in records. */
const char *mw_call_name(unsigned call);

/* A thread is at a system-call stop, entry or exit (PTRACE_O_TRACESYSGOOD; which of them, PTRACE_GET_SYSCALL_INFO tells).
 * `kinds`: bit n, events of mw_event_kind n are wanted.
 * Call first with a `record` of NULL: *ret_wants tells whether this stop may give a record, so that no room need be reserved
 * for the rest.  Then, at the same stop, with room for MW_RECORD_CALL_BYTES (or not at all, when there is none): returns
 * the size of the record, or 0 when there is nothing to tell after all. */
size_t mw_calls_stop(struct mw_call_state *state, int procfd, pid_t tid, pid_t tgid, uint64_t kinds,
		     struct mw_record_call *record, bool *ret_wants);

/* The same of a call that has not been made yet: of what its arguments say now.  For who is asked before the call: `arch`,
 * `number` and `args` as in struct seccomp_data.  Returns the size of the record, marked MW_CALL_ATTEMPT and with no result,
 * or 0 for a call that nobody wants. */
size_t mw_calls_attempt(int procfd, pid_t tid, pid_t tgid, uint32_t arch, int number, const uint64_t args[6],
			uint64_t kinds, struct mw_record_call *record);

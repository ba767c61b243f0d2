/* At the entry into a call it is looked up, and its arguments kept; memory is read there only to learn whether a file was
 * there before open(2) may make it, and for socketcall(2), whose arguments lie in memory.  All else is read at its end.
 *
 * A call that a signal interrupts ends with one of the ERESTART codes of linux/errno.h, and is made again when the signal
 * is dealt with: only the last of its ends is told.  Or it fails with EINTR, if the handler was set so, of which no stop
 * tells.  With connect(2) that matters, for the kernel goes on connecting; so it is remembered, and when the thread makes
 * another call after its handler, told with that error. */

#include "trace/calls.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>

#include "event/event.h"
#include "event/record.h"
#include "trace/call_facts.h"
#include "trace/call_registers.h"
#include "trace/syscalls.h"
#include "trace/tracee.h"

enum {
	/* linux/errno.h of the kernel; programs never see them, tracers do. */
	ERESTARTSYS = 512,
	ERESTARTNOINTR = 513,
	ERESTARTNOHAND = 514,
	ERESTART_RESTARTBLOCK = 516,
};

enum {
	/* In struct mw_call_state, interrupted. */
	IN_HANDLER = 1, /* or before it */
	AFTER_HANDLER,
	IS_OVER, /* to be told */
};

const char *mw_call_name(unsigned call)
{
	return call < mw_syscalls_count ? mw_syscalls[call].name : NULL;
}

static uint64_t kind_bit(unsigned kind)
{
	return UINT64_C(1) << kind;
}

/* Index in the table of a call that is wanted, or -1.  In `args`, those of socketcall(2) are unpacked. */
static int find(const struct mw_tracee *tracee, uint32_t audit_arch, uint64_t number, uint64_t args[6], uint64_t kinds)
{
	const uint64_t sockets = kind_bit(MW_SOCKET_CONNECT) | kind_bit(MW_SOCKET_BIND) | kind_bit(MW_SOCKET_LISTEN) |
				 kind_bit(MW_SOCKET_ACCEPT);
	int arch = mw_arch_from_audit(audit_arch);
	bool is_packed = arch == MW_ARCH_I386 && number == MW_I386_SOCKETCALL && kinds & sockets;
	int call = is_packed ? mw_syscall_find_socketcall(args[0]) : mw_syscall_find(arch, number);
	if (call < 0)
		return -1;
	const struct mw_syscall *entry = &mw_syscalls[call];
	uint64_t told = kind_bit(entry->kind);
	if (entry->kind == MW_FILE_OPEN)
		told |= kind_bit(MW_FILE_CREATE) | kind_bit(MW_FILE_MODIFY);
	if (!(kinds & told))
		return -1;
	if (is_packed) {
		uint32_t unpacked[6] = {0};
		/* No call of these takes more than four. */
		if (mw_tracee_bytes(tracee, args[1], unpacked, 4 * sizeof(*unpacked)) < 0 &&
		    mw_tracee_bytes(tracee, args[1], unpacked, 2 * sizeof(*unpacked)) < 0)
			return -1;
		for (unsigned i = 0; i < 6; i++)
			args[i] = unpacked[i];
	}
	return mw_call_is_told(entry, args, tracee->tgid) ? call : -1;
}

/* What becomes of an interrupted connect(2), seen by the call that comes after. */
static void follow_interrupted(struct mw_call_state *state, int arch, uint64_t number)
{
	if (state->call == state->interrupted_call && state->args[0] == state->interrupted_args[0])
		state->interrupted = 0; /* made again */
	else if (mw_syscall_is_sigreturn(arch, number))
		state->interrupted = AFTER_HANDLER;
	else if (state->interrupted == AFTER_HANDLER)
		state->interrupted = IS_OVER;
}

static void enter(struct mw_call_state *state, const struct mw_tracee *tracee, const struct __ptrace_syscall_info *info,
		  uint64_t kinds)
{
	state->is_inside = true;
	state->arch = info->arch;
	for (unsigned i = 0; i < 6; i++)
		state->args[i] = info->entry.args[i];
	state->call = (int16_t)find(tracee, info->arch, info->entry.nr, state->args, kinds);
	if (state->interrupted)
		follow_interrupted(state, mw_arch_from_audit(info->arch), info->entry.nr);
	if (state->call < 0)
		return;
	state->existed = MW_EXISTED_UNKNOWN;
	if (kinds & kind_bit(MW_FILE_CREATE) && mw_syscalls[state->call].kind == MW_FILE_OPEN)
		state->existed = (uint8_t)mw_call_existed(tracee, &mw_syscalls[state->call], state->args);
}

static bool is_restarted(int64_t result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK;
}

/* Does the result make it one to tell of? */
static bool is_result_told(const struct mw_syscall *call, int64_t result)
{
	switch (call->how) {
	case MW_HOW_EXEC:
		return result < 0;
	case MW_HOW_ACCEPT:
		return result >= 0;
	case MW_HOW_CONNECT:
		return result != -EALREADY;
	case MW_HOW_DUP2:
	case MW_HOW_DUP:
	case MW_HOW_FCNTL:
		return result >= 0 && result <= 2;
	default:
		return true;
	}
}

static void leave(struct mw_call_state *state, const struct __ptrace_syscall_info *info)
{
	/* A child begins with the end of the call that made it, whose entry was its parent's. */
	bool was_inside = state->is_inside;
	state->is_inside = false;
	if (!was_inside || state->call < 0)
		return;
	if (is_restarted(info->exit.rval)) {
		if (mw_syscalls[state->call].how == MW_HOW_CONNECT) {
			state->interrupted = IN_HANDLER;
			state->interrupted_call = state->call;
			memcpy(state->interrupted_args, state->args, sizeof(state->interrupted_args));
		}
		return;
	}
	state->result = info->exit.rval;
	state->is_wanted = is_result_told(&mw_syscalls[state->call], state->result);
}

/* The record that a stop was found to give. */
static size_t tell(struct mw_call_state *state, const struct mw_tracee *tracee, uint64_t kinds,
		   struct mw_record_call *record)
{
	bool is_interrupted = state->interrupted == IS_OVER;
	if (!is_interrupted && !state->is_wanted)
		return 0;
	int16_t call = is_interrupted ? state->interrupted_call : state->call;
	struct mw_call_facts facts = {
		.tracee = tracee,
		.call = &mw_syscalls[call],
		.args = is_interrupted ? state->interrupted_args : state->args,
		.existed = state->existed,
		.record = record,
	};
	*record = (struct mw_record_call){.call = (uint16_t)call, .result = is_interrupted ? -EINTR : state->result};
	state->interrupted = is_interrupted ? 0 : state->interrupted;
	state->is_wanted = false;
	return mw_call_describe(&facts, kinds);
}

size_t mw_calls_stop(struct mw_call_state *state, int procfd, pid_t tid, pid_t tgid, uint64_t kinds,
		     struct mw_record_call *record, bool *ret_wants)
{
	const struct mw_tracee tracee = {procfd, tid, tgid};
	if (record)
		return tell(state, &tracee, kinds, record);
	*ret_wants = false;
	state->is_wanted = false;
	struct __ptrace_syscall_info info;
	if (ptrace(PTRACE_GET_SYSCALL_INFO, tid, sizeof(info), &info) <= 0 &&
	    (errno != EIO || !mw_call_registers(tid, state->is_inside, &info)))
		return 0; /* it was killed */
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
		enter(state, &tracee, &info, kinds);
	else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
		leave(state, &info);
	*ret_wants = state->is_wanted || state->interrupted == IS_OVER;
	return 0;
}

size_t mw_calls_attempt(int procfd, pid_t tid, pid_t tgid, uint32_t arch, int number, const uint64_t args[6],
			uint64_t kinds, struct mw_record_call *record)
{
	const struct mw_tracee tracee = {procfd, tid, tgid};
	uint64_t unpacked[6];
	memcpy(unpacked, args, sizeof(unpacked));
	int call = find(&tracee, arch, (uint64_t)number, unpacked, kinds);
	/* That of execve(2) is told by what comes after: see notify.c. */
	if (call < 0 || (mw_call_needs_result(&mw_syscalls[call]) && mw_syscalls[call].how != MW_HOW_EXEC))
		return 0;
	struct mw_call_facts facts = {
		.tracee = &tracee,
		.call = &mw_syscalls[call],
		.args = unpacked,
		.existed = MW_EXISTED_UNKNOWN,
		.is_attempt = true,
		.record = record,
	};
	if (kinds & kind_bit(MW_FILE_CREATE) && mw_syscalls[call].kind == MW_FILE_OPEN)
		facts.existed = (uint8_t)mw_call_existed(&tracee, &mw_syscalls[call], unpacked);
	*record = (struct mw_record_call){.call = (uint16_t)call};
	return mw_call_describe(&facts, kinds);
}

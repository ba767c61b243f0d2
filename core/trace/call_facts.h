/* What a system call was about, from its arguments and its result. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct mw_record_call;
struct mw_syscall;
struct mw_tracee;

/* Was there something at the path of an open(2) with O_CREAT? */
enum mw_existed {
	MW_EXISTED_UNKNOWN,
	MW_EXISTED_NOT,
	MW_EXISTED,
};

struct mw_call_facts {
	const struct mw_tracee *tracee;
	const struct mw_syscall *call;
	const uint64_t *args;
	uint8_t existed; /* enum mw_existed */
	bool is_attempt;
	struct mw_record_call *record; /* zeroed, but for call and result; room for MW_RECORD_CALL_BYTES */
	size_t used;                   /* bytes of its strings */
	struct statx file;             /* what the descriptor is that gave the path; stx_mask 0: there was none */
};

/* Is a call with these arguments one that is told of?  Asked of each call that is in the table: looks at nothing else. */
bool mw_call_is_told(const struct mw_syscall *call, const uint64_t args[6], pid_t tgid);

/* Does nobody know before it has ended whether it is told of? */
bool mw_call_needs_result(const struct mw_syscall *call);

/* Asked before a call that opens a file, with success or not. */
enum mw_existed mw_call_existed(const struct mw_tracee *tracee, const struct mw_syscall *call, const uint64_t args[6]);

/* Fill in the record.  Its size, or 0 for a call that is not to be told of after all. */
size_t mw_call_describe(struct mw_call_facts *facts, uint64_t kinds);

/* Names for the numbers that system calls are given. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mw_name {
	int64_t number; /* or a flag */
	const char *name;
};

/* Each ended by an entry without a name. */
extern const struct mw_name mw_ptrace_names[];
extern const struct mw_name mw_namespace_names[];
extern const struct mw_name mw_mount_names[];
extern const struct mw_name mw_umount_names[];
extern const struct mw_name mw_bpf_names[];

/* "PTRACE_ATTACH"; "" when it has none. */
const char *mw_name_of(const struct mw_name *names, int64_t number);
/* "CLONE_NEWNS|CLONE_NEWUSER"; flags without a name are left out.  Cut to the room. */
void mw_names_of_flags(const struct mw_name *names, uint64_t flags, char *out, size_t room);
/* "SIGKILL", "SIGRTMIN+1" */
void mw_signal_name(int signal, char *out, size_t room);

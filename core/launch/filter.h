/* The seccomp filter of the notify engine: it asks the tracer (trace/listener.h) before execve(2), exit_group(2) and those calls of
 * trace/syscalls.h that change or reach something, and lets all others go on at once. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* BPF_MAXINSNS of linux/bpf_common.h. */
	MW_FILTER_MAX = 4096,
};

/* Kinds of events worth a stop for each call in every process.  Not among them: what is told of its result only, and what programs
 * do all the time. */
uint64_t mw_filter_kinds(void);

/* Write the program for events of these kinds; its length, or -E2BIG. */
int mw_filter_program(uint64_t kinds, struct sock_filter *out, size_t room);

/* Does all of it work here?  Tried in a process of its own, which a real call is made and answered in.
 * 0, or what failed: -EACCES, -EPERM: not allowed; -EBUSY: there is such a filter already; -ENOSYS, -EINVAL: not in this kernel. */
int mw_filter_probe(void);

/* Install it in this process, for good.  *ret_no_new_privs: it took no_new_privs, prctl(2), to be allowed. */
int mw_filter_install(uint64_t kinds, int *ret_listener, bool *ret_no_new_privs);

/* Hand a listener over a socket; -1 says that there is none.  Receive: it, or -1. */
void mw_filter_send(int socket, int listener);
int mw_filter_receive(int socket);

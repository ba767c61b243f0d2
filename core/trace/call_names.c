#include "trace/call_names.h"

#include <linux/bpf.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>

/* As glibc's programs call them; musl keeps one more for itself. */
enum {
	RTMIN = 34,
	RTMAX = 64,
};

#define NAME(name) \
	{ \
		name, #name \
	}

/* Those that are told of: trace/call_facts.c.  Some have their numbers from linux/ptrace.h, which differ by architecture. */
const struct mw_name mw_ptrace_names[] = {
	NAME(PTRACE_TRACEME),
	NAME(PTRACE_ATTACH),
	NAME(PTRACE_SEIZE),
	NAME(PTRACE_POKETEXT),
	NAME(PTRACE_POKEDATA),
	NAME(PTRACE_POKEUSER),
	NAME(PTRACE_SETREGSET),
	NAME(PTRACE_KILL),
#if defined(__x86_64__) || defined(__i386__)
	NAME(PTRACE_SETREGS),
	NAME(PTRACE_SETFPREGS),
#endif
	{0},
};

const struct mw_name mw_namespace_names[] = {
	NAME(CLONE_NEWNS),  NAME(CLONE_NEWCGROUP), NAME(CLONE_NEWUTS),
	NAME(CLONE_NEWIPC), NAME(CLONE_NEWUSER),   NAME(CLONE_NEWPID),
	NAME(CLONE_NEWNET), NAME(CLONE_NEWTIME),   {0},
};

const struct mw_name mw_mount_names[] = {
	NAME(MS_RDONLY),
	NAME(MS_NOSUID),
	NAME(MS_NODEV),
	NAME(MS_NOEXEC),
	NAME(MS_REMOUNT),
	NAME(MS_BIND),
	NAME(MS_MOVE),
	NAME(MS_REC),
	NAME(MS_UNBINDABLE),
	NAME(MS_PRIVATE),
	NAME(MS_SLAVE),
	NAME(MS_SHARED),
	{0},
};

const struct mw_name mw_umount_names[] = {
	NAME(MNT_FORCE), NAME(MNT_DETACH), NAME(MNT_EXPIRE), NAME(UMOUNT_NOFOLLOW), {0},
};

const struct mw_name mw_bpf_names[] = {
	NAME(BPF_MAP_CREATE),
	NAME(BPF_MAP_LOOKUP_ELEM),
	NAME(BPF_MAP_UPDATE_ELEM),
	NAME(BPF_MAP_DELETE_ELEM),
	NAME(BPF_MAP_GET_NEXT_KEY),
	NAME(BPF_PROG_LOAD),
	NAME(BPF_OBJ_PIN),
	NAME(BPF_OBJ_GET),
	NAME(BPF_PROG_ATTACH),
	NAME(BPF_PROG_DETACH),
	NAME(BPF_PROG_TEST_RUN),
	NAME(BPF_PROG_GET_NEXT_ID),
	NAME(BPF_MAP_GET_NEXT_ID),
	NAME(BPF_PROG_GET_FD_BY_ID),
	NAME(BPF_MAP_GET_FD_BY_ID),
	NAME(BPF_OBJ_GET_INFO_BY_FD),
	NAME(BPF_PROG_QUERY),
	NAME(BPF_RAW_TRACEPOINT_OPEN),
	NAME(BPF_BTF_LOAD),
	NAME(BPF_BTF_GET_FD_BY_ID),
	NAME(BPF_TASK_FD_QUERY),
	NAME(BPF_MAP_LOOKUP_AND_DELETE_ELEM),
	NAME(BPF_MAP_FREEZE),
	NAME(BPF_BTF_GET_NEXT_ID),
	NAME(BPF_LINK_CREATE),
	NAME(BPF_LINK_UPDATE),
	NAME(BPF_ENABLE_STATS),
	NAME(BPF_ITER_CREATE),
	NAME(BPF_LINK_DETACH),
	NAME(BPF_PROG_BIND_MAP),
	{0},
};

const char *mw_name_of(const struct mw_name *names, int64_t number)
{
	for (; names->name; names++)
		if (names->number == number)
			return names->name;
	return "";
}

void mw_names_of_flags(const struct mw_name *names, uint64_t flags, char *out, size_t room)
{
	size_t used = 0;
	out[0] = '\0';
	for (; names->name; names++) {
		if (!(flags & (uint64_t)names->number))
			continue;
		int n = snprintf(out + used, room - used, used ? "|%s" : "%s", names->name);
		if (n < 0 || (size_t)n >= room - used)
			return;
		used += (size_t)n;
	}
}

void mw_signal_name(int signal, char *out, size_t room)
{
	static const struct mw_name names[] = {
		NAME(SIGHUP),    NAME(SIGINT),  NAME(SIGQUIT),  NAME(SIGILL),  NAME(SIGTRAP),
		NAME(SIGABRT),   NAME(SIGBUS),  NAME(SIGFPE),   NAME(SIGKILL), NAME(SIGUSR1),
		NAME(SIGSEGV),   NAME(SIGUSR2), NAME(SIGPIPE),  NAME(SIGALRM), NAME(SIGTERM),
		NAME(SIGSTKFLT), NAME(SIGCHLD), NAME(SIGCONT),  NAME(SIGSTOP), NAME(SIGTSTP),
		NAME(SIGTTIN),   NAME(SIGTTOU), NAME(SIGURG),   NAME(SIGXCPU), NAME(SIGXFSZ),
		NAME(SIGVTALRM), NAME(SIGPROF), NAME(SIGWINCH), NAME(SIGPOLL), NAME(SIGPWR),
		NAME(SIGSYS),    {0},
	};
	for (const struct mw_name *name = names; name->name; name++) {
		if (name->number == signal) {
			(void)snprintf(out, room, "%s", name->name);
			return;
		}
	}
	if (signal >= RTMIN && signal <= RTMAX)
		(void)snprintf(out, room, "SIGRTMIN+%d", signal - RTMIN);
	else
		out[0] = '\0';
}

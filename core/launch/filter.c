/* The program: load the architecture, then the number; a binary search over the numbers that are of interest, so that on
 * kernels without a cache of the calls that are always allowed (before 5.11) a call costs a dozen instructions and not a
 * hundred.  x32 has numbers above all of them. */

#include "launch/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/event.h"
#include "trace/call_facts.h"
#include "trace/listener.h"
#include "trace/syscalls.h"

enum {
	/* Numbers of one architecture. */
	LEAVES_MAX = 160,
	PROBE_MS = 500,
	PROBE_CODE = 7,
};

/* What is asked of the arguments before anybody is asked. */
enum test {
	TEST_NONE,
	TEST_OPEN, /* for writing, or to make a file */
	TEST_NAMESPACES,
	TEST_PTRACE,     /* to begin tracing */
	TEST_SOCKETCALL, /* bind, connect, listen */
};

struct leaf {
	int number;
	enum test test;
	unsigned argument; /* number of the one that is tested, from 1 */
};

struct program {
	struct sock_filter *code;
	size_t size, room;
	bool is_full;
};

static const struct arch {
	uint32_t audit;
	int exit_group;
} archs[MW_ARCHS] = {
	[MW_ARCH_X86_64] = {AUDIT_ARCH_X86_64, MW_X86_64_EXIT_GROUP},
	[MW_ARCH_I386] = {AUDIT_ARCH_I386, MW_I386_EXIT_GROUP},
	[MW_ARCH_ARM64] = {AUDIT_ARCH_AARCH64, MW_ARM64_EXIT_GROUP},
};

uint64_t mw_filter_kinds(void)
{
	const enum mw_event_kind not [] = {
		MW_PROCESS_KILL,
		MW_PROCESS_DUP_TO_STDIO,
		MW_PROCESS_PRCTL_NAME,
		MW_SOCKET_ACCEPT,
	};
	uint64_t kinds = UINT64_MAX;
	for (size_t i = 0; i < sizeof(not ) / sizeof(*not ); i++)
		kinds &= ~(UINT64_C(1) << not [i]);
	return kinds;
}

static void put(struct program *program, struct sock_filter instruction)
{
	program->is_full |= program->size == program->room;
	if (!program->is_full)
		program->code[program->size++] = instruction;
}

static void put_return(struct program *program, uint32_t what)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

static void put_load(struct program *program, size_t offset)
{
	put(program, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

/* The lower half of an argument, numbered from 1. */
static void put_load_argument(struct program *program, unsigned argument)
{
	size_t offset = offsetof(struct seccomp_data, args) + (argument - 1) * sizeof(uint64_t);
	put_load(program, offset + (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint32_t) : 0));
}

/* Ask when the test of what was loaded holds; otherwise go on with the next instruction. */
static void put_ask_if(struct program *program, uint16_t test, uint32_t value)
{
	put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | test, value, 0, 1));
	put_return(program, SECCOMP_RET_USER_NOTIF);
}

/* The number is that of this leaf. */
static void put_verdict(struct program *program, const struct leaf *leaf)
{
	if (leaf->test == TEST_NONE) {
		put_return(program, SECCOMP_RET_USER_NOTIF);
		return;
	}
	put_load_argument(program, leaf->argument);
	switch (leaf->test) {
	case TEST_OPEN:
		put_ask_if(program, BPF_JSET, O_ACCMODE | O_CREAT | O_TRUNC);
		break;
	case TEST_NAMESPACES:
		put_ask_if(program, BPF_JSET,
			   CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID |
				   CLONE_NEWNET);
		break;
	case TEST_PTRACE:
		put_ask_if(program, BPF_JEQ, PTRACE_TRACEME);
		put_ask_if(program, BPF_JEQ, PTRACE_ATTACH);
		put_ask_if(program, BPF_JEQ, PTRACE_SEIZE);
		break;
	case TEST_SOCKETCALL:
		for (uint32_t number = 0; number < MW_SOCKETCALLS; number++) {
			int call = mw_syscall_find_socketcall(number);
			if (call >= 0 && !mw_call_needs_result(&mw_syscalls[call]))
				put_ask_if(program, BPF_JEQ, number);
		}
		break;
	default:
		break;
	}
	put_return(program, SECCOMP_RET_ALLOW);
}

/* Of leaves in ascending order, find that of the number. */
static void put_search(struct program *program, const struct leaf *leaves, size_t n)
{
	if (n == 0) {
		put_return(program, SECCOMP_RET_ALLOW);
		return;
	}
	if (n == 1) {
		put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, (uint32_t)leaves->number, 1, 0));
		put_return(program, SECCOMP_RET_ALLOW);
		put_verdict(program, leaves);
		return;
	}
	size_t half = n / 2;
	/* Conditional jumps reach 255 instructions, others as far as need be. */
	put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JGE, (uint32_t)leaves[half].number, 0, 1));
	size_t far = program->size;
	put(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	put_search(program, leaves, half);
	if (far < program->room)
		program->code[far].k = (uint32_t)(program->size - far - 1);
	put_search(program, leaves + half, n - half);
}

static bool is_wanted(const struct mw_syscall *call, uint64_t kinds)
{
	if (call->how == MW_HOW_EXEC)
		return true;
	uint64_t told = UINT64_C(1) << call->kind;
	if (call->kind == MW_FILE_OPEN)
		told |= UINT64_C(1) << MW_FILE_CREATE | UINT64_C(1) << MW_FILE_MODIFY;
	/* Each new thread comes from clone3, whose flags a filter cannot see. */
	return kinds & told && !mw_call_needs_result(call) && call->how != MW_HOW_CLONE3;
}

static struct leaf leaf_of(const struct mw_syscall *call, int number)
{
	struct leaf leaf = {.number = number, .argument = 1};
	switch (call->how) {
	case MW_HOW_OPEN:
		leaf.test = TEST_OPEN;
		leaf.argument = call->flags;
		break;
	case MW_HOW_CLONE:
		leaf.test = TEST_NAMESPACES;
		break;
	case MW_HOW_PTRACE:
		leaf.test = TEST_PTRACE;
		break;
	default:
		break;
	}
	return leaf;
}

static int by_number(const void *a, const void *b)
{
	return ((const struct leaf *)a)->number - ((const struct leaf *)b)->number;
}

static size_t collect(enum mw_arch arch, uint64_t kinds, struct leaf leaves[LEAVES_MAX])
{
	const uint64_t sockets =
		UINT64_C(1) << MW_SOCKET_CONNECT | UINT64_C(1) << MW_SOCKET_BIND | UINT64_C(1) << MW_SOCKET_LISTEN;
	size_t n = 0;
	leaves[n++] = (struct leaf){.number = archs[arch].exit_group};
	if (arch == MW_ARCH_I386 && kinds & sockets)
		leaves[n++] = (struct leaf){.number = MW_I386_SOCKETCALL, .test = TEST_SOCKETCALL, .argument = 1};
	for (unsigned i = 0; i < mw_syscalls_count && n < LEAVES_MAX; i++) {
		const struct mw_syscall *call = &mw_syscalls[i];
		if (call->numbers[arch] != MW_NO_CALL && is_wanted(call, kinds))
			leaves[n++] = leaf_of(call, call->numbers[arch]);
	}
	qsort(leaves, n, sizeof(*leaves), by_number);
	return n;
}

/* With the number loaded of a call of this architecture, decide. */
static void put_arch(struct program *program, enum mw_arch arch, uint64_t kinds)
{
	struct leaf leaves[LEAVES_MAX];
	put(program, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_K | BPF_JEQ, archs[arch].audit, 1, 0));
	size_t next = program->size;
	put(program, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	put_load(program, offsetof(struct seccomp_data, nr));
	put_search(program, leaves, collect(arch, kinds, leaves));
	if (next < program->room)
		program->code[next].k = (uint32_t)(program->size - next - 1);
}

int mw_filter_program(uint64_t kinds, struct sock_filter *out, size_t room)
{
	struct program program = {.code = out, .room = room};
	put_load(&program, offsetof(struct seccomp_data, arch));
#if defined(__x86_64__)
	put_arch(&program, MW_ARCH_X86_64, kinds);
	put_arch(&program, MW_ARCH_I386, kinds);
#elif defined(__aarch64__)
	put_arch(&program, MW_ARCH_ARM64, kinds);
#endif
	put_return(&program, SECCOMP_RET_ALLOW);
	return program.is_full ? -E2BIG : (int)program.size;
}

static int install(struct sock_filter *code, size_t size)
{
	const struct sock_fprog program = {.len = (unsigned short)size, .filter = code};
	int r = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	return r < 0 ? -errno : r;
}

/* Without CAP_SYS_ADMIN a filter may only be given to who cannot gain privilege any more. */
static int install_somehow(struct sock_filter *code, size_t size, bool *ret_no_new_privs)
{
	int r = install(code, size);
	*ret_no_new_privs = r == -EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	return *ret_no_new_privs ? install(code, size) : r;
}

int mw_filter_install(uint64_t kinds, int *ret_listener, bool *ret_no_new_privs)
{
	static struct sock_filter code[MW_FILTER_MAX];
	int n = mw_filter_program(kinds, code, MW_FILTER_MAX);
	int r = n < 0 ? n : install_somehow(code, (size_t)n, ret_no_new_privs);
	if (r >= 0)
		*ret_listener = r;
	return r < 0 ? r : 0;
}

/* fork(2) as in launch.c: nobody is told of its end. */
static pid_t fork_unseen(void)
{
	return (pid_t)syscall(SYS_clone, 0L, NULL, NULL, NULL, 0L);
}

/* In the process that has the filter: have another make a call, and answer it.  0 or a positive errno. */
static int try_listener(int listener)
{
	pid_t caller = fork_unseen();
	if (caller == 0)
		_exit(syscall(SYS_getpgid, 0) < 0 ? 1 : PROBE_CODE);
	struct pollfd poll_fd = {.fd = listener, .events = POLLIN};
	struct seccomp_notif call = {0};
	int r = caller < 0 ? -errno : poll(&poll_fd, 1, PROBE_MS) == 1 ? mw_listener_take(listener, &call) : -ETIMEDOUT;
	if (r > 0)
		r = mw_listener_continue(listener, call.id);
	else if (r == 0)
		r = -EAGAIN;
	int status = 0;
	if (r < 0 && caller > 0)
		(void)kill(caller, SIGKILL);
	if (caller > 0)
		(void)waitpid(caller, &status, __WALL);
	if (r == 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == PROBE_CODE))
		r = -ENOSYS;
	return -r;
}

int mw_filter_probe(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getpgid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	pid_t child = fork_unseen();
	if (child < 0)
		return -errno;
	if (child == 0) {
		bool no_new_privs;
		int listener = install_somehow(code, sizeof(code) / sizeof(*code), &no_new_privs);
		_exit(listener < 0 ? -listener : try_listener(listener));
	}
	int status;
	while (waitpid(child, &status, __WALL) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EPERM; /* killed for trying */
}

union control {
	struct cmsghdr head;
	char bytes[CMSG_SPACE(sizeof(int))];
};

void mw_filter_send(int socket, int listener)
{
	char byte = listener >= 0;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union control control = {0};
	struct msghdr message = {.msg_iov = &data, .msg_iovlen = 1};
	if (listener >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *head = CMSG_FIRSTHDR(&message);
		*head = (struct cmsghdr){
			.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
		memcpy(CMSG_DATA(head), &listener, sizeof(listener));
	}
	ssize_t n = sendmsg(socket, &message, MSG_NOSIGNAL);
	(void)n; /* when nobody is there to take it, nobody waits for it */
}

int mw_filter_receive(int socket)
{
	char byte;
	struct iovec data = {.iov_base = &byte, .iov_len = 1};
	union control control = {0};
	struct msghdr message = {
		.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t n;
	do
		n = recvmsg(socket, &message, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	const struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	int listener = -1;
	if (head && head->cmsg_type == SCM_RIGHTS)
		memcpy(&listener, CMSG_DATA(head), sizeof(listener));
	return listener;
}

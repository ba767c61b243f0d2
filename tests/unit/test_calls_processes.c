/* Calls about processes, ids, namespaces, descriptors 0 to 2; those that are told only when they fail; attempts. */
#if !defined(__x86_64__)
#include <stdio.h>

int main(void)
{
	(void)puts("1..1\nok 1 - calls # SKIP written for the calls that x86-64 has: open, rename, dup2 and others");
	return 0;
}
#else
#include "traced.h"

#include <arpa/inet.h>
#include <linux/audit.h>
#include <linux/bpf.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "trace/calls.h"
#include "trace/syscalls.h"

/* Ends by SIGKILL. */
static pid_t make_victim(void)
{
	pid_t pid = fork();
	EXPECT(pid >= 0);
	if (pid == 0)
		for (;;)
			(void)pause();
	return pid;
}

static void end_victim(pid_t pid)
{
	EXPECT(kill(pid, SIGKILL) == 0 && waitpid(pid, NULL, 0) == pid);
}

static void send_signals(void)
{
	pid_t victim = make_victim();
	int pidfd = (int)syscall(SYS_pidfd_open, victim, 0);
	siginfo_t info = {.si_code = SI_QUEUE};
	EXPECT(kill(victim, 0) == 0);
	EXPECT(kill(victim, SIGCONT) == 0);
	EXPECT(syscall(SYS_tkill, victim, SIGWINCH) == 0);
	EXPECT(syscall(SYS_tgkill, victim, victim, SIGURG) == 0);
	EXPECT(syscall(SYS_rt_sigqueueinfo, victim, SIGCHLD, &info) == 0);
	EXPECT(pidfd < 0 || syscall(SYS_pidfd_send_signal, pidfd, SIGCHLD, NULL, 0) == 0);
	EXPECT(kill(-victim, SIGTERM) < 0 && errno == ESRCH);
	/* To itself: nobody else's business. */
	EXPECT(kill(getpid(), SIGWINCH) == 0 && raise(SIGCHLD) == 0);
	EXPECT(syscall(SYS_tkill, gettid(), SIGWINCH) == 0);
	end_victim(victim);
}

static void signals_to_others_are_told(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, send_signals, KIND(MW_PROCESS_KILL));
	const struct mw_record_call *r = nth(&traced, "kill", 0);
	pid_t victim = r->target;
	assert_int_equal(r->event, MW_PROCESS_KILL);
	assert_int_equal(r->number, SIGCONT);
	assert_true(victim > 0 && victim != traced.pid);
	assert_int_equal(nth(&traced, "tkill", 0)->target, victim);
	assert_int_equal(nth(&traced, "tkill", 0)->number, SIGWINCH);
	assert_int_equal(nth(&traced, "tgkill", 0)->target, victim);
	assert_int_equal(nth(&traced, "rt_sigqueueinfo", 0)->number, SIGCHLD);
	if (count_of(&traced, "pidfd_send_signal"))
		assert_int_equal(nth(&traced, "pidfd_send_signal", 0)->target, victim);
	r = nth(&traced, "kill", 1);
	assert_int_equal(r->target, -victim);
	assert_int_equal(r->result, -ESRCH);
	assert_int_equal(count_of(&traced, "kill"), 3);
	assert_int_equal(count_of(&traced, "tkill"), 1);
	assert_int_equal(count_of(&traced, "tgkill"), 1);
	traced_free(&traced);
}

static void trace_others(void)
{
	char here[8];
	static char there[8];
	pid_t victim = make_victim();
	struct iovec local = {here, sizeof(here)};
	struct iovec remote = {there, sizeof(there)};
	/* It is traced already. */
	EXPECT(ptrace(PTRACE_ATTACH, victim, 0L, 0L) < 0);
	EXPECT(ptrace(PTRACE_PEEKTEXT, victim, there, 0L) < 0);
	EXPECT(ptrace(PTRACE_TRACEME, 0, 0L, 0L) < 0);
	EXPECT(process_vm_readv(victim, &local, 1, &remote, 1, 0) == sizeof(here));
	EXPECT(process_vm_writev(victim, &local, 1, &remote, 1, 0) == sizeof(here));
	EXPECT(process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == sizeof(here));
	end_victim(victim);
}

static void tracing_is_told(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, trace_others, KIND(MW_PROCESS_PTRACE));
	const struct mw_record_call *r = nth(&traced, "ptrace", 0);
	pid_t victim = r->target;
	assert_int_equal(r->number, PTRACE_ATTACH);
	assert_int_equal(r->result, -EPERM);
	assert_true(victim > 0 && victim != traced.pid);
	assert_int_equal(nth(&traced, "ptrace", 1)->number, PTRACE_TRACEME);
	assert_int_equal(nth(&traced, "ptrace", 1)->target, 0);
	assert_int_equal(nth(&traced, "process_vm_readv", 0)->target, victim);
	assert_int_equal(nth(&traced, "process_vm_writev", 0)->target, victim);
	assert_int_equal(traced.count, 4);
	traced_free(&traced);
}

static void put_onto_stdio(void)
{
	int file = open("input", O_RDWR | O_CREAT, 0600);
	int ends[2];
	EXPECT(file >= 0 && pipe(ends) == 0);
	EXPECT(dup2(file, 0) == 0);
	EXPECT(dup3(ends[1], 1, O_CLOEXEC) == 1);
	EXPECT(dup2(file, file) == file && dup2(0, 0) == 0 && dup2(file, 77) == 77 && dup(file) > 2);
	EXPECT(dup2(999, 0) < 0);
	EXPECT(close(0) == 0 && dup(file) == 0);
	EXPECT(close(1) == 0 && fcntl(file, F_DUPFD, 1) == 1 && fcntl(file, F_DUPFD, 5) >= 5 &&
	       fcntl(file, F_GETFL) >= 0);

	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int server = socket(AF_INET, SOCK_STREAM, 0);
	int client = socket(AF_INET, SOCK_STREAM, 0);
	EXPECT(bind(server, (struct sockaddr *)&address, size) == 0 && listen(server, 1) == 0);
	EXPECT(getsockname(server, (struct sockaddr *)&address, &size) == 0);
	EXPECT(connect(client, (struct sockaddr *)&address, size) == 0);
	EXPECT(dup2(client, 0) == 0);
}

static void what_is_put_onto_stdio_is_told(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, put_onto_stdio, KIND(MW_PROCESS_DUP_TO_STDIO));
	const struct mw_record_call *r = nth(&traced, "dup2", 0);
	assert_int_equal(r->event, MW_PROCESS_DUP_TO_STDIO);
	assert_int_equal(r->number, 0);
	assert_string_equal(path_of(r), in_folder("input"));
	assert_true(r->inode != 0);
	r = nth(&traced, "dup3", 0);
	assert_int_equal(r->number, 1);
	assert_memory_equal(path_of(r), "pipe:[", 6);
	assert_int_equal(nth(&traced, "dup", 0)->number, 0);
	assert_int_equal(nth(&traced, "fcntl", 0)->number, 1);
	r = nth(&traced, "dup2", 1);
	assert_int_equal(r->socket_type, SOCK_STREAM);
	const struct sockaddr_in *remote = (const void *)r->remote;
	assert_int_equal(remote->sin_addr.s_addr, htonl(INADDR_LOOPBACK));
	assert_true(remote->sin_port != 0);
	assert_int_equal(traced.count, 5);
	traced_free(&traced);
}

static void change_ids(void)
{
	const gid_t groups[] = {4, 27};
	EXPECT(syscall(SYS_setgroups, 2, groups) == 0);
	EXPECT(syscall(SYS_setgroups, 0, NULL) == 0);
	EXPECT(syscall(SYS_setgid, 65534) == 0);
	EXPECT(syscall(SYS_setresgid, -1, 65534, -1) == 0);
	EXPECT(syscall(SYS_setregid, 65534, -1) == 0);
	EXPECT(syscall(SYS_setfsgid, 65534) == 65534);
	EXPECT(syscall(SYS_setresuid, -1, -1, 0) == 0);
	EXPECT(syscall(SYS_setuid, 65534) == 0);
	EXPECT(syscall(SYS_setreuid, -1, 0) < 0);
	EXPECT(syscall(SYS_setfsuid, 65534) == 65534);
}

static void changes_of_ids_are_told(void **state)
{
	(void)state;
	struct traced traced;
	if (geteuid() != 0) {
		print_message("only root may change ids\n");
		skip();
	}
	trace_well(&traced, change_ids, KIND(MW_PROCESS_SETUID));
	assert_string_equal(text_of(nth(&traced, "setgroups", 0)), "4,27");
	assert_int_equal(nth(&traced, "setgroups", 0)->number, 2);
	assert_int_equal(nth(&traced, "setgroups", 1)->number, 0);
	assert_int_equal(nth(&traced, "setgid", 0)->number, 65534);
	assert_int_equal(nth(&traced, "setresgid", 0)->number, 65534);
	assert_int_equal(nth(&traced, "setregid", 0)->number, 65534);
	assert_int_equal(nth(&traced, "setfsgid", 0)->number, 65534);
	assert_int_equal(nth(&traced, "setresuid", 0)->number, -1);
	assert_int_equal(nth(&traced, "setuid", 0)->number, 65534);
	assert_int_equal(nth(&traced, "setreuid", 0)->number, 0);
	assert_int_equal(nth(&traced, "setreuid", 0)->result, -EPERM);
	assert_int_equal(nth(&traced, "setfsuid", 0)->result, 65534);
	traced_free(&traced);
}

static void make_namespaces(void)
{
	int own = open("/proc/self/ns/uts", O_RDONLY);
	EXPECT(own >= 0 && unshare(CLONE_NEWNS | CLONE_NEWUTS) == 0 && unshare(CLONE_FS) == 0);
	EXPECT(setns(own, CLONE_NEWUTS) == 0);
	EXPECT(setns(999, 0) < 0 && errno == EBADF);
	long pid = syscall(SYS_clone, CLONE_NEWIPC | SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(0);
	EXPECT(pid > 0 && waitpid((pid_t)pid, NULL, 0) == pid);
	struct clone_args args = {.flags = CLONE_NEWUTS, .exit_signal = SIGCHLD};
	pid = syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		_exit(0);
	EXPECT((pid > 0 && waitpid((pid_t)pid, NULL, 0) == pid) || errno == ENOSYS);
	pid = fork(); /* none */
	if (pid == 0)
		_exit(0);
	EXPECT(waitpid((pid_t)pid, NULL, 0) == pid);

	EXPECT(mkdir("at", 0700) == 0 && mkdir("bound", 0700) == 0);
	EXPECT(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
	EXPECT(mount("things", "at", "tmpfs", MS_NOSUID | MS_NOEXEC, "size=64k") == 0);
	EXPECT(mount("at", "bound", NULL, MS_BIND, NULL) == 0);
	EXPECT(umount2("bound", MNT_DETACH) == 0);
	EXPECT(umount2("at", 0) == 0);
	EXPECT(mount("x", "missing", "tmpfs", 0, NULL) < 0 && errno == ENOENT);
	long fs = syscall(SYS_fsopen, "tmpfs", 0);
	EXPECT(fs >= 0 || errno == ENOSYS);
}

static void namespaces_and_mounts_are_told(void **state)
{
	(void)state;
	struct traced traced;
	trace(&traced, make_namespaces, KIND(MW_PROCESS_SETNS) | KIND(MW_PROCESS_UNSHARE) | KIND(MW_PROCESS_MOUNT));
	if (nth(&traced, "unshare", 0)->result == -EPERM) {
		print_message("making namespaces is not allowed here\n");
		traced_free(&traced);
		skip();
	}
	assert_int_equal(traced.status, 0);
	assert_int_equal(nth(&traced, "unshare", 0)->number, CLONE_NEWNS | CLONE_NEWUTS);
	const struct mw_record_call *r = nth(&traced, "setns", 0);
	assert_int_equal(r->number, CLONE_NEWUTS);
	assert_memory_equal(path_of(r), "uts:[", 5);
	assert_int_equal(nth(&traced, "setns", 1)->result, -EBADF);
	r = nth(&traced, "clone", 0);
	assert_int_equal(r->event, MW_PROCESS_UNSHARE);
	assert_int_equal(r->number, CLONE_NEWIPC | SIGCHLD);
	assert_int_equal(r->target, r->result);
	assert_int_equal(count_of(&traced, "clone"), 1);
	if (count_of(&traced, "clone3"))
		assert_int_equal(nth(&traced, "clone3", 0)->number, CLONE_NEWUTS);

	r = nth(&traced, "mount", 1);
	assert_string_equal(path_of(r), in_folder("at"));
	assert_string_equal(old_path_of(r), "things");
	assert_string_equal(text_of(r), "tmpfs");
	assert_int_equal(r->number, MS_NOSUID | MS_NOEXEC);
	r = nth(&traced, "mount", 2);
	assert_string_equal(path_of(r), in_folder("bound"));
	assert_string_equal(old_path_of(r), "at");
	assert_int_equal(r->number, MS_BIND);
	assert_string_equal(path_of(nth(&traced, "umount2", 0)), in_folder("bound"));
	assert_int_equal(nth(&traced, "umount2", 0)->number, MNT_DETACH);
	assert_int_equal(nth(&traced, "mount", 3)->result, -ENOENT);
	assert_string_equal(path_of(nth(&traced, "mount", 3)), in_folder("missing"));
	assert_string_equal(text_of(nth(&traced, "fsopen", 0)), "tmpfs");
	traced_free(&traced);
}

static void do_the_rest(void)
{
	static char program[] = "program";
	static char *const arguments[] = {program, NULL};
	static char *const environment[] = {NULL};
	union bpf_attr attr = {0};
	EXPECT(prctl(PR_SET_NAME, "a new name that is long") == 0 && prctl(PR_GET_DUMPABLE) >= 0);
	EXPECT(memfd_create("hidden", MFD_CLOEXEC) >= 0);
	EXPECT(syscall(SYS_bpf, BPF_PROG_LOAD, &attr, 1) < 0);
	EXPECT(syscall(SYS_finit_module, 999, "a=1", 0) < 0);
	EXPECT(syscall(SYS_delete_module, "no-such-module", O_NONBLOCK) < 0);
	EXPECT(syscall(SYS_init_module, NULL, 0, "b=2") < 0);
	EXPECT(execve("none", arguments, environment) < 0 && errno == ENOENT);
	EXPECT(execve("/etc/passwd", arguments, environment) < 0 && errno == EACCES);
	EXPECT(syscall(SYS_execveat, AT_FDCWD, "none", arguments, environment, 0) < 0);
	EXPECT(execve("/bin/true", arguments, environment) == 0);
}

static void the_rest_is_told(void **state)
{
	(void)state;
	struct traced traced;
	trace_well(&traced, do_the_rest,
		   KIND(MW_PROCESS_PRCTL_NAME) | KIND(MW_PROCESS_MEMFD) | KIND(MW_PROCESS_BPF) |
			   KIND(MW_PROCESS_MODULE) | KIND(MW_PROCESS_EXEC_FAILED));
	assert_string_equal(text_of(nth(&traced, "prctl", 0)), "a new name that");
	assert_int_equal(count_of(&traced, "prctl"), 1);
	const struct mw_record_call *r = nth(&traced, "memfd_create", 0);
	assert_string_equal(text_of(r), "hidden");
	assert_string_equal(path_of(r), "/memfd:hidden (deleted)");
	assert_int_equal(r->number, MFD_CLOEXEC);
	assert_int_equal(r->fd, r->result);
	assert_true(r->inode != 0);
	assert_int_equal(nth(&traced, "bpf", 0)->number, BPF_PROG_LOAD);
	assert_true(nth(&traced, "bpf", 0)->result < 0);
	assert_string_equal(text_of(nth(&traced, "finit_module", 0)), "a=1");
	assert_string_equal(text_of(nth(&traced, "delete_module", 0)), "no-such-module");
	assert_string_equal(text_of(nth(&traced, "init_module", 0)), "b=2");
	r = nth(&traced, "execve", 0);
	assert_int_equal(r->event, MW_PROCESS_EXEC_FAILED);
	assert_int_equal(r->result, -ENOENT);
	assert_string_equal(path_of(r), in_folder("none"));
	assert_int_equal(nth(&traced, "execve", 1)->result, -EACCES);
	assert_string_equal(path_of(nth(&traced, "execve", 1)), "/etc/passwd");
	assert_int_equal(count_of(&traced, "execve"), 2);
	assert_int_equal(count_of(&traced, "execveat"), 1);
	traced_free(&traced);
}

static size_t attempt(long number, const uint64_t args[6], uint64_t kinds, struct mw_record_call *record)
{
	int procfd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(procfd >= 0);
#if defined(__x86_64__)
	const uint32_t arch = AUDIT_ARCH_X86_64;
#else
	const uint32_t arch = AUDIT_ARCH_AARCH64;
#endif
	size_t bytes = mw_calls_attempt(procfd, gettid(), getpid(), arch, (int)number, args, kinds, record);
	(void)close(procfd);
	return bytes;
}

static void an_attempt_is_what_the_arguments_say(void **state)
{
	(void)state;
	struct mw_record_call *r = traced_record();
	const char name[] = "attempted";
	const uint64_t open_args[6] = {(uint64_t)AT_FDCWD, (uintptr_t)name, O_WRONLY | O_CREAT, 0600};
	assert_int_equal(attempt(SYS_openat, open_args, KIND(MW_SOCKET_CONNECT), r), 0);
	assert_true(attempt(SYS_openat, open_args, ALL_KINDS, r) > 0);
	assert_int_equal(r->head.flags, MW_CALL_ATTEMPT);
	assert_int_equal(r->event, MW_FILE_CREATE);
	assert_int_equal(r->fd, -1);
	assert_string_equal(path_of(r), in_folder("attempted"));
	assert_int_equal(close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)), 0);
	assert_true(attempt(SYS_openat, open_args, ALL_KINDS, r) > 0);
	assert_int_equal(r->event, MW_FILE_OPEN);

	struct sockaddr_in address = {AF_INET, htons(4444), {htonl(0x01020304)}, {0}};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	const uint64_t connect_args[6] = {(uint64_t)fd, (uintptr_t)&address, sizeof(address)};
	assert_true(attempt(SYS_connect, connect_args, ALL_KINDS, r) > 0);
	assert_int_equal(r->socket_type, SOCK_DGRAM);
	assert_int_equal(r->remote_bytes, sizeof(address));
	assert_memory_equal(r->remote, &address, sizeof(address));
	(void)close(fd);

	const uint64_t exec_args[6] = {(uintptr_t) "/none"};
	assert_true(attempt(SYS_execve, exec_args, ALL_KINDS, r) > 0);
	assert_int_equal(r->event, MW_PROCESS_EXEC_FAILED);
	assert_string_equal(path_of(r), "/none");

	/* What only its end tells. */
	const uint64_t args[6] = {0};
	assert_int_equal(attempt(SYS_accept4, args, ALL_KINDS, r), 0);
	assert_int_equal(attempt(SYS_read, args, ALL_KINDS, r), 0);
	assert_int_equal(attempt(-1, args, ALL_KINDS, r), 0);
	assert_int_equal(attempt(100000, args, ALL_KINDS, r), 0);
	free(r);
}

/* The number that a header gives to a call; -1: there is no such header, or it knows nothing of it. */
static int number_in(const char *header, const char *name)
{
	char line[256];
	char word[80];
	int number = -1;
	FILE *file = fopen(header, "re");
	(void)snprintf(word, sizeof(word), "__NR_%s", name);
	while (file && number < 0 && fgets(line, sizeof(line), file)) {
		const char *found = strncmp(line, "#define ", 8) == 0 ? line + 8 : "";
		size_t n = strlen(word);
		if (strncmp(found, word, n) == 0 && found[n] == ' ' && found[n + 1] >= '0' && found[n + 1] <= '9')
			number = (int)strtol(found + n, NULL, 10);
	}
	if (file)
		(void)fclose(file);
	return number;
}

static void numbers_are_those_of_the_headers(void **state)
{
	(void)state;
	static const char *const headers[MW_ARCHS] = {
		[MW_ARCH_X86_64] = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h",
		[MW_ARCH_I386] = "/usr/include/x86_64-linux-gnu/asm/unistd_32.h",
		[MW_ARCH_ARM64] = "/usr/include/asm-generic/unistd.h",
	};
	/* Under these names i386 has its newer forms. */
	static const char *const suffixes[] = {"", "32", "64", "_time64"};
	unsigned compared = 0;
	for (unsigned i = 0; i < mw_syscalls_count; i++) {
		const struct mw_syscall *call = &mw_syscalls[i];
		for (int arch = 0; arch < MW_ARCHS; arch++) {
			int number = call->numbers[arch];
			bool is_known = false;
			bool is_right = false;
			if (number < 0)
				continue;
			assert_int_equal(mw_syscall_find(arch, (uint64_t)number), i);
			for (size_t s = 0; s < sizeof(suffixes) / sizeof(*suffixes); s++) {
				char name[64];
				(void)snprintf(name, sizeof(name), "%s%s", call->name, suffixes[s]);
				int found = number_in(headers[arch], name);
				is_known = is_known || (found >= 0 && !*suffixes[s]);
				is_right = is_right || found == number;
			}
			if (is_known && !is_right)
				fail_msg("%s is not %d", call->name, number);
			compared += is_right;
		}
	}
	if (!compared) {
		print_message("there are no headers of the kernel where they are looked for\n");
		skip();
	}
	assert_int_equal(mw_syscall_find(MW_ARCH_X86_64, 0x40000000 + SYS_openat), -1); /* x32 */
	assert_int_equal(mw_syscall_find(-1, 0), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_to_others_are_told),
		cmocka_unit_test(tracing_is_told),
		cmocka_unit_test_setup_teardown(what_is_put_onto_stdio_is_told, make_folder, remove_folder),
		cmocka_unit_test(changes_of_ids_are_told),
		cmocka_unit_test_setup_teardown(namespaces_and_mounts_are_told, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(the_rest_is_told, make_folder, remove_folder),
		cmocka_unit_test_setup_teardown(an_attempt_is_what_the_arguments_say, make_folder, remove_folder),
		cmocka_unit_test(numbers_are_those_of_the_headers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
#endif

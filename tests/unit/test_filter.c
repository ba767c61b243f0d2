/* The seccomp filter of --engine=notify: which calls it asks about.  The program is interpreted here; that the kernel takes it,
 * tests/system/engines_spec.lua shows. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "event/event.h"
#include "launch/filter.h"
#include "trace/syscalls.h"

#if defined(__x86_64__)
#define NATIVE AUDIT_ARCH_X86_64
#else
#define NATIVE AUDIT_ARCH_AARCH64
#endif

static struct sock_filter code[MW_FILTER_MAX];
static int size;

/* What the filter says to a call; counts instructions into *steps. */
static uint32_t decide(uint32_t arch, int number, uint64_t a, uint64_t b, uint64_t c, unsigned *steps)
{
	const struct seccomp_data data = {.arch = arch, .nr = number, .args = {a, b, c}};
	uint32_t value = 0;
	*steps = 0;
	for (int at = 0; at < size; at++, (*steps)++) {
		const struct sock_filter *i = &code[at];
		bool holds = false;
		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k + sizeof(value) <= sizeof(data));
			memcpy(&value, (const char *)&data + i->k, sizeof(value));
			continue;
		case BPF_RET | BPF_K:
			return i->k;
		case BPF_JMP | BPF_JA:
			at += (int)i->k;
			continue;
		case BPF_JMP | BPF_JEQ | BPF_K:
			holds = value == i->k;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			holds = value >= i->k;
			break;
		case BPF_JMP | BPF_JSET | BPF_K:
			holds = value & i->k;
			break;
		default:
			fail_msg("instruction %d is of an unknown kind: %#x", at, i->code);
		}
		at += holds ? i->jt : i->jf;
	}
	fail_msg("the program has no end");
	return 0;
}

static bool asks(uint32_t arch, int number, uint64_t a, uint64_t b, uint64_t c)
{
	unsigned steps;
	uint32_t said = decide(arch, number, a, b, c, &steps);
	assert_true(said == SECCOMP_RET_USER_NOTIF || said == SECCOMP_RET_ALLOW);
	/* It runs at each call of the application, before Linux 5.11. */
	assert_true(steps < 40);
	return said == SECCOMP_RET_USER_NOTIF;
}

static int make_program(void **state)
{
	(void)state;
	size = mw_filter_program(mw_filter_kinds(), code, MW_FILTER_MAX);
	return size > 0 ? 0 : -1;
}

static void it_asks_about_what_starts_and_ends_programs(void **state)
{
	(void)state;
	assert_true(asks(NATIVE, SYS_execve, 0, 0, 0));
	assert_true(asks(NATIVE, SYS_execveat, 0, 0, 0));
	assert_true(asks(NATIVE, SYS_exit_group, 0, 0, 0));
	assert_false(asks(NATIVE, SYS_exit, 0, 0, 0));
	assert_false(asks(NATIVE, SYS_clone, CLONE_VM | CLONE_THREAD, 0, 0));
	assert_true(asks(NATIVE, SYS_clone, CLONE_NEWUSER, 0, 0));
	assert_false(asks(NATIVE, SYS_clone3, 0, 0, 0));
	assert_true(asks(NATIVE, SYS_ptrace, PTRACE_ATTACH, 0, 0));
	assert_true(asks(NATIVE, SYS_ptrace, PTRACE_TRACEME, 0, 0));
	assert_false(asks(NATIVE, SYS_ptrace, PTRACE_CONT, 0, 0));
}

static void it_asks_about_opening_for_writing(void **state)
{
	(void)state;
	assert_false(asks(NATIVE, SYS_openat, 0, 0, O_RDONLY | O_CLOEXEC | O_DIRECTORY));
	assert_true(asks(NATIVE, SYS_openat, 0, 0, O_WRONLY));
	assert_true(asks(NATIVE, SYS_openat, 0, 0, O_RDWR));
	assert_true(asks(NATIVE, SYS_openat, 0, 0, O_RDONLY | O_CREAT));
	assert_true(asks(NATIVE, SYS_openat, 0, 0, O_RDONLY | O_TRUNC));
	/* Its flags are where a filter cannot look. */
	assert_true(asks(NATIVE, SYS_openat2, 0, 0, 0));
}

static void it_lets_pass_what_is_called_all_the_time(void **state)
{
	(void)state;
	static const int numbers[] = {SYS_read,    SYS_write,       SYS_close,  SYS_mmap,     SYS_futex,
				      SYS_getpid,  SYS_epoll_pwait, SYS_sendto, SYS_recvfrom, SYS_accept,
				      SYS_accept4, SYS_dup3,        SYS_kill,   SYS_tgkill,   SYS_seccomp};
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		assert_false(asks(NATIVE, numbers[i], 0, 0, 0));
	assert_true(asks(NATIVE, SYS_connect, 0, 0, 0));
	assert_true(asks(NATIVE, SYS_bind, 0, 0, 0));
	assert_true(asks(NATIVE, SYS_unlinkat, 0, 0, 0));
}

static void every_number_there_may_be_has_an_answer(void **state)
{
	(void)state;
	static const uint32_t archs[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386, AUDIT_ARCH_AARCH64, AUDIT_ARCH_ARM, 0};
	for (size_t i = 0; i < sizeof(archs) / sizeof(*archs); i++)
		for (int number = -2; number < 600; number++)
			(void)asks(archs[i], number, 0, 0, 0);
}

static void what_is_not_wanted_is_not_asked_about(void **state)
{
	(void)state;
	size = mw_filter_program(0, code, MW_FILTER_MAX);
	assert_true(size > 0);
	assert_true(asks(NATIVE, SYS_execve, 0, 0, 0));
	assert_false(asks(NATIVE, SYS_connect, 0, 0, 0));
	assert_false(asks(NATIVE, SYS_openat, 0, 0, O_WRONLY));
	size = mw_filter_program(UINT64_C(1) << MW_FILE_CREATE, code, MW_FILTER_MAX);
	assert_true(asks(NATIVE, SYS_openat, 0, 0, O_WRONLY | O_CREAT));
	assert_false(asks(NATIVE, SYS_connect, 0, 0, 0));
	(void)make_program(NULL);
}

static void too_little_room_is_an_error(void **state)
{
	(void)state;
	for (size_t room = 0; room < 300; room += 7) {
		struct sock_filter *small = test_malloc(room * sizeof(*small) + 1);
		assert_int_equal(mw_filter_program(mw_filter_kinds(), small, room), -E2BIG);
		test_free(small);
	}
}

#if defined(__x86_64__)
static void programs_of_32_bits_are_asked_in_their_own_numbers(void **state)
{
	(void)state;
	assert_true(asks(AUDIT_ARCH_I386, 11, 0, 0, 0));       /* execve */
	assert_false(asks(AUDIT_ARCH_I386, 59, 0, 0, 0));      /* oldolduname */
	assert_true(asks(AUDIT_ARCH_I386, 5, 0, O_WRONLY, 0)); /* open */
	assert_false(asks(AUDIT_ARCH_I386, 5, 0, O_RDONLY, 0));
	assert_true(asks(AUDIT_ARCH_I386, MW_I386_SOCKETCALL, 3, 0, 0));   /* connect */
	assert_false(asks(AUDIT_ARCH_I386, MW_I386_SOCKETCALL, 10, 0, 0)); /* recv */
	assert_false(asks(AUDIT_ARCH_I386, MW_I386_SOCKETCALL, 5, 0, 0));  /* accept */
	/* x32, and machines of another kind. */
	assert_false(asks(AUDIT_ARCH_X86_64, 0x40000000 | 520, 0, 0, 0));
	assert_false(asks(AUDIT_ARCH_AARCH64, 221, 0, 0, 0));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_asks_about_what_starts_and_ends_programs),
		cmocka_unit_test(it_asks_about_opening_for_writing),
		cmocka_unit_test(it_lets_pass_what_is_called_all_the_time),
		cmocka_unit_test(every_number_there_may_be_has_an_answer),
		cmocka_unit_test(what_is_not_wanted_is_not_asked_about),
		cmocka_unit_test(too_little_room_is_an_error),
#if defined(__x86_64__)
		cmocka_unit_test(programs_of_32_bits_are_asked_in_their_own_numbers),
#endif
	};
	return cmocka_run_group_tests(tests, make_program, NULL);
}

/* /proc: what processes may call themselves, what the kernel leaves out, and processes that go away. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "proc/procfs.h"

#define REST " S 7 8 9 34816 10 4194560 1 2 3 4 55 66 7 8 20 -5 3 0 123456 789000 42 18446744073709551615 1 1 0\n"

static int parse(const char *line, struct mw_proc_stat *ret)
{
	return mw_procfs_parse_stat(line, strlen(line), ret);
}

static void a_stat_line_is_understood(void **state)
{
	(void)state;
	struct mw_proc_stat stat;
	assert_int_equal(parse("123 (cat)" REST, &stat), 0);
	assert_int_equal(stat.pid, 123);
	assert_string_equal(stat.comm, "cat");
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 7);
	assert_int_equal(stat.pgrp, 8);
	assert_int_equal(stat.session, 9);
	assert_int_equal(stat.tty_nr, 34816);
	assert_int_equal(stat.flags, 4194560);
	assert_int_equal(stat.utime_ticks, 55);
	assert_int_equal(stat.stime_ticks, 66);
	assert_int_equal(stat.nice, -5);
	assert_int_equal(stat.num_threads, 3);
	assert_int_equal(stat.start_ticks, 123456);
	assert_int_equal(stat.vsize_bytes, 789000);
	assert_int_equal(stat.rss_pages, 42);
	/* The last field we want may end the text. */
	assert_int_equal(parse("1 (a) R 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 6 7", &stat), 0);
	assert_int_equal(stat.rss_pages, 7);
}

static void comm_may_hold_anything(void **state)
{
	(void)state;
	static const char *const names[] = {
		"", " ", "(", ")", "a b", "a) R 1 1 1", ")) (( 1", "\n", "x\n2 (y) R", "a) S 7 8 9 34", "\xff\xfe",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char line[512];
		struct mw_proc_stat stat;
		(void)snprintf(line, sizeof(line), "123 (%s)" REST, names[i]);
		assert_int_equal(parse(line, &stat), 0);
		assert_string_equal(stat.comm, names[i]);
		assert_int_equal(stat.ppid, 7);
		assert_int_equal(stat.rss_pages, 42);
	}
	struct mw_proc_stat stat;
	assert_int_equal(parse("2 (kworker/u16:3-events_unbound)" REST, &stat), 0);
	assert_string_equal(stat.comm, "kworker/u16:3-e");
}

static void what_is_cut_or_wrong_is_refused(void **state)
{
	(void)state;
	static const char letter[] = "x (a)" REST;
	static const char no_pid[] = "(a)" REST;
	static const char *const lines[] = {
		"",
		"1",
		"1 (a",
		"1 (a)",
		"1 (a) ",
		"1 (a) R",
		"1 (a) R ",
		"1 (a) R 1",
		letter,
		no_pid,
		"1 (a)R 1 1",
		"1 (a) R x 1 1 1",
		"1 (a) R 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 6",
	};
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct mw_proc_stat stat = {.pid = 77};
		assert_int_equal(parse(lines[i], &stat), -EPROTO);
		assert_int_equal(stat.pid, 77); /* untouched */
	}
	/* Every cut of a whole line: never more than it holds is read. */
	static const char whole[] = "123 (a b)" REST;
	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		char *exact = malloc(n ? n : 1);
		struct mw_proc_stat stat;
		memcpy(exact, whole, n);
		(void)mw_procfs_parse_stat(exact, n, &stat);
		free(exact);
	}
}

static void status_is_understood(void **state)
{
	(void)state;
	static const char text[] = "Name:\ta\\nUid:\t9\t9\t9\t9\nTgid:\t5\nTracerPid:\t77\nUid:\t1\t2\t3\t4\n"
				   "Gid:\t10\t20\t30\t4294967295\nGroups:\t\n";
	struct mw_proc_status status;
	assert_int_equal(mw_procfs_parse_status(text, sizeof(text) - 1, &status), 0);
	assert_int_equal(status.tgid, 5);
	assert_int_equal(status.tracer_pid, 77);
	assert_int_equal(status.uid, 1);
	assert_int_equal(status.euid, 2);
	assert_int_equal(status.suid, 3);
	assert_int_equal(status.fsuid, 4);
	assert_int_equal(status.gid, 10);
	assert_int_equal(status.fsgid, 4294967295);
	/* Cut before its last number, it is not understood. */
	size_t last = (size_t)(strstr(text, "4294967295") - text);
	for (size_t n = 0; n <= last; n++) {
		char *exact = malloc(n ? n : 1);
		memcpy(exact, text, n);
		assert_int_equal(mw_procfs_parse_status(exact, n, &status), -EPROTO);
		free(exact);
	}
}

/* A child that waits until it is killed. */
static pid_t start_child(const char *comm)
{
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)prctl(PR_SET_NAME, comm);
		(void)!write(ready[1], "r", 1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static int open_proc(void)
{
	int fd = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void a_process_that_has_gone_is_esrch(void **state)
{
	(void)state;
	MW_AUTO_FD procfd = open_proc();
	pid_t pid = start_child("child");
	MW_AUTO_FD pidfd = -1;
	assert_int_equal(mw_procfs_open_pid(procfd, pid, &pidfd), 0);
	struct mw_proc_stat stat;
	struct mw_proc_status status;
	struct mw_proc_io io;
	char path[MW_PATH_BYTES];
	MW_AUTO(mw_buf) buf = MW_BUF(1000);
	assert_int_equal(mw_procfs_stat(pidfd, &stat), 0);
	assert_int_equal(stat.pid, pid);
	assert_int_equal(stat.ppid, getpid());
	assert_string_equal(stat.comm, "child");
	assert_int_equal(mw_procfs_status(pidfd, &status), 0);
	assert_int_equal(status.tgid, pid);
	assert_int_equal(status.euid, geteuid());
	assert_int_equal(mw_procfs_link(pidfd, "exe", path), 0);
	assert_int_equal(path[0], '/');

	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(mw_procfs_stat(pidfd, &stat), -ESRCH);
	assert_int_equal(mw_procfs_status(pidfd, &status), -ESRCH);
	assert_int_equal(mw_procfs_io(pidfd, "io", &io), -ESRCH);
	assert_int_equal(mw_procfs_cgroup(pidfd, "cgroup", path), -ESRCH);
	assert_int_equal(mw_procfs_read(pidfd, "cmdline", &buf), -ESRCH);
	assert_true(mw_procfs_link(pidfd, "exe", path) < 0);
	int again = -1;
	assert_int_equal(mw_procfs_open_pid(procfd, pid, &again), -ESRCH);
	assert_int_equal(again, -1);
}

static void a_hostile_name_is_read_from_the_kernel(void **state)
{
	(void)state;
	MW_AUTO_FD procfd = open_proc();
	static const char name[] = ") R 1\n2 (x)";
	pid_t pid = start_child(name);
	MW_AUTO_FD pidfd = -1;
	struct mw_proc_stat stat;
	assert_int_equal(mw_procfs_open_pid(procfd, pid, &pidfd), 0);
	assert_int_equal(mw_procfs_stat(pidfd, &stat), 0);
	assert_string_equal(stat.comm, name);
	assert_int_equal(stat.ppid, getpid());
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void all_processes_are_walked(void **state)
{
	(void)state;
	MW_AUTO_FD procfd = open_proc();
	pid_t child = start_child("walked");
	unsigned mine = 0;
	unsigned childs = 0;
	for (int times = 0; times < 2; times++) { /* each walk from the start */
		struct mw_procfs_walk *walk = NULL;
		pid_t pid;
		int r;
		assert_int_equal(mw_procfs_walk_open(procfd, &walk), 0);
		while ((r = mw_procfs_next(walk, &pid)) > 0) {
			assert_true(pid > 0);
			mine += pid == getpid();
			childs += pid == child;
		}
		assert_int_equal(r, 0);
		mw_procfs_walk_close(walk);
	}
	assert_int_equal(mine, 2);
	assert_int_equal(childs, 2);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void strings_are_bounded(void **state)
{
	(void)state;
	MW_AUTO_FD pidfd = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MW_AUTO(mw_buf) small = MW_BUF(3);
	MW_AUTO(mw_buf) large = MW_BUF(1 << 20);
	assert_int_equal(mw_procfs_read(pidfd, "cmdline", &small), -EFBIG);
	assert_int_equal(small.size, 3);
	assert_int_equal(mw_procfs_read(pidfd, "cmdline", &large), 0);
	assert_true(large.size > 3);
	assert_memory_equal(small.data, large.data, 3);
}

static void a_start_is_a_wall_clock_time(void **state)
{
	(void)state;
	MW_AUTO_FD procfd = open_proc();
	int64_t before = mw_clock_real_ns();
	pid_t pid = start_child("timed");
	int64_t after = mw_clock_real_ns();
	MW_AUTO_FD pidfd = -1;
	struct mw_proc_stat stat;
	assert_int_equal(mw_procfs_open_pid(procfd, pid, &pidfd), 0);
	assert_int_equal(mw_procfs_stat(pidfd, &stat), 0);
	int64_t start = mw_procfs_boot_real_ns() + mw_procfs_ticks_ns(stat.start_ticks);
	int64_t tick = mw_procfs_ticks_ns(1);
	assert_true(start >= before - 2 * tick && start <= after + tick);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	/* No overflow in between for a machine up for years. */
	assert_int_equal(mw_procfs_ticks_ns(100ull * 86400 * 365 * 50) / MW_NS_PER_S, 86400LL * 365 * 50);
}

static void control_groups_of_all_kinds(void **state)
{
	(void)state;
	static const struct {
		const char *text, *path;
	} cases[] = {
		{"0::/ecs/task/abc\n", "/ecs/task/abc"},
		{"12:cpu,cpuacct:/docker/1\n1:name=systemd:/docker/1\n0::/\n", "/docker/1"},
		{"2:cpu:/\n1:memory:/a:b\n0::/\n", "/a:b"},
		{"0::/\n", "/"},
		{"2:cpu:/x\n0::/y\n", "/y"},
		{"", ""},
		{"junk\n", ""},
	};
	char folder[] = "/tmp/cgroup-XXXXXX";
	assert_non_null(mkdtemp(folder));
	MW_AUTO_FD fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char path[MW_PATH_BYTES];
		int file = openat(fd, "cgroup", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(write(file, cases[i].text, strlen(cases[i].text)), strlen(cases[i].text));
		close(file);
		assert_int_equal(mw_procfs_cgroup(fd, "cgroup", path), 0);
		assert_string_equal(path, cases[i].path);
	}
	assert_int_equal(unlinkat(fd, "cgroup", 0), 0);
	assert_int_equal(rmdir(folder), 0);
}

static void terminals_have_names(void **state)
{
	(void)state;
	static const struct {
		int number;
		const char *name;
	} cases[] = {
		{0, ""},
		{136 << 8, "pts/0"},
		{(136 << 8) | 7, "pts/7"},
		{(int)(0x00100000u | (136 << 8) | 1), "pts/257"}, /* minor 0x101 */
		{(4 << 8) | 1, "tty1"},
		{(4 << 8) | 64, "ttyS0"},
		{(5 << 8) | 1, "console"},
		{(204 << 8) | 64, "204:64"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char name[16];
		mw_procfs_tty_name(cases[i].number, name);
		assert_string_equal(name, cases[i].name);
	}
}

static void names_are_written_out(void **state)
{
	(void)state;
	char name[MW_PROC_NAME_BYTES];
	mw_procfs_name(7, "stat", name);
	assert_string_equal(name, "7/stat");
	mw_procfs_name(4194303, "ns/mnt", name);
	assert_string_equal(name, "4194303/ns/mnt");
	mw_procfs_name(0, "", name);
	assert_string_equal(name, "0/");
	mw_procfs_name(4194303, "a name that is longer than the room there is for it", name);
	assert_int_equal(strlen(name), MW_PROC_NAME_BYTES - 1);
	mw_procfs_fd_name(10, "fd", 0, name);
	assert_string_equal(name, "10/fd/0");
	mw_procfs_fd_name(4194303, "fdinfo", INT32_MAX, name);
	assert_string_equal(name, "4194303/fdinfo/2147483647");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_written_out),
		cmocka_unit_test(a_stat_line_is_understood),
		cmocka_unit_test(comm_may_hold_anything),
		cmocka_unit_test(what_is_cut_or_wrong_is_refused),
		cmocka_unit_test(status_is_understood),
		cmocka_unit_test(a_process_that_has_gone_is_esrch),
		cmocka_unit_test(a_hostile_name_is_read_from_the_kernel),
		cmocka_unit_test(all_processes_are_walked),
		cmocka_unit_test(strings_are_bounded),
		cmocka_unit_test(a_start_is_a_wall_clock_time),
		cmocka_unit_test(control_groups_of_all_kinds),
		cmocka_unit_test(terminals_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

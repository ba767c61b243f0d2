/* SQL over processes: of /proc no more is read than the query needs, and rows say what it says. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sql/db.h"
#include "sql/world.h"

#include "sql_world.h"

static uint64_t processes_read_by(struct mw_sql *sql, const char *text)
{
	mw_sql_world(sql)->processes_read = 0;
	const char *rows = rows_of(sql, text);
	if (*rows == '!')
		fail_msg("%s: %s", text, rows);
	return mw_sql_world(sql)->processes_read;
}

static void only_processes_asked_for_are_read(void **state)
{
	(void)state;
	struct mw_sql *sql = open_sql();
	assert_int_equal(processes_read_by(sql, "SELECT pid FROM processes"), PROCESSES);
	assert_int_equal(processes_read_by(sql, "SELECT name FROM processes WHERE pid = 107"), 1);
	assert_string_equal(rows_of(sql, "SELECT name FROM processes WHERE pid = 107"), "p7");
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes WHERE pid = '107'"), 1);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes WHERE pid IN (107, 108, 103, 999)"), 3);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes WHERE pid = 107 OR pid = 109"), 2);
	assert_int_equal(processes_read_by(sql, "WITH w(x) AS (VALUES(101), (102)) "
						"SELECT p.name FROM w JOIN processes p ON p.pid = w.x"),
			 2);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes WHERE pid = NULL"), 0);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes WHERE pid = 'x'"), 0);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes WHERE pid = -1"), 0);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes WHERE pid = 99999999999999"), 0);
	assert_string_equal(rows_of(sql, "SELECT pid FROM processes WHERE pid IN (108, 103, NULL, 'x', -1, 107, 999)"),
			    "103 107 108");
	assert_string_equal(rows_of(sql, "SELECT name FROM processes WHERE pid IN (SELECT pid + 1 FROM processes"
					 " WHERE pid > 145 AND name > '')"),
			    "p47 p48");
	assert_string_equal(rows_of(sql, "SELECT pid FROM processes WHERE pid IN (SELECT 107 UNION ALL SELECT '107'"
					 " UNION ALL SELECT 107.0)"),
			    "107");
	/* One at a time: what LIMIT leaves out is not read. */
	assert_int_equal(processes_read_by(sql, "SELECT pid FROM processes LIMIT 3"), 3);
	mw_sql_close(sql);
}

static void joins_read_only_what_they_need(void **state)
{
	(void)state;
	char path[600];
	for (unsigned pid = FIRST_PID; pid < FIRST_PID + PROCESSES - 1; pid++) {
		static const char variables[] = "A=1\0TOKEN_OF_X=secret\0no variable\0B=two=2\0=x\0";
		(void)snprintf(path, sizeof(path), "%s/%u/environ", proc, pid);
		int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		assert_int_equal(write(fd, variables, sizeof(variables) - 1), sizeof(variables) - 1);
		close(fd);
	}
	struct mw_sql *sql = open_sql();
	assert_string_equal(rows_of(sql, "SELECT key, value FROM process_envs WHERE pid = 107 AND key != 'TOKEN_OF_X'"),
			    "A,1 B,two=2");
	assert_string_equal(rows_of(sql, "SELECT count(*) FROM process_envs WHERE value LIKE '[redacted:________]'"),
			    "49");
	assert_int_equal(processes_read_by(sql, "SELECT * FROM process_envs WHERE pid = 107"), 1);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM process_envs WHERE pid IN (107, 108)"), 2);
	assert_int_equal(
		processes_read_by(sql, "SELECT * FROM processes JOIN process_envs USING (pid) WHERE pid = 107"), 2);
	/* Each process once in each table. */
	assert_in_range(processes_read_by(sql, "SELECT name, key FROM processes JOIN process_envs USING (pid)"), 98,
			100);
	assert_in_range(processes_read_by(sql, "SELECT name, key FROM process_envs JOIN processes USING (pid)"
					       " WHERE key = 'none'"),
			98, 100);
	assert_in_range(processes_read_by(sql, "SELECT name, key FROM process_envs JOIN processes USING (pid)"), 98,
			100);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM processes p JOIN process_open_files f USING (pid)"
						" WHERE p.pid = 103"),
			 2);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM process_memory_map WHERE pid = 103"), 1);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM process_namespaces WHERE pid = 103"), 1);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM process_open_sockets WHERE pid = 103"), 1);
	assert_int_equal(processes_read_by(sql, "SELECT * FROM listening_ports WHERE pid = 103"), 1);
	/* What has no files here is not worth a word. */
	assert_null(mw_sql_warnings(sql));
	mw_sql_close(sql);
}

/* Threads or not, the rows are the same, in the same order. */
static void threads_change_nothing(void **state)
{
	(void)state;
	enum {
		MANY = 700,
	};
	char path[600];
	char text[128];
	for (unsigned pid = 1000; pid < 1000 + MANY; pid++) {
		(void)snprintf(path, sizeof(path), "%s/%u", proc, pid);
		assert_int_equal(mkdir(path, 0700), 0);
		(void)snprintf(path, sizeof(path), "%s/%u/stat", proc, pid);
		(void)snprintf(text, sizeof(text), "%u (q) S 1 2 3 0 -1 0 0 0 0 0 100 50 0 0 20 0 4 0 1000 8192 3 0\n",
			       pid);
		write_file(path, text);
	}
	struct mw_sql *sql = open_sql();
	static const char all[] = "SELECT group_concat(pid || name) FROM processes";
	char *alone = strdup(rows_of(sql, all));
	assert_non_null(alone);
	mw_sql_world(sql)->helpers = 3;
	for (unsigned round = 0; round < 50; round++) {
		assert_string_equal(rows_of(sql, all), alone);
		/* Left in the middle. */
		assert_string_equal(rows_of(sql, "SELECT count(*) FROM (SELECT pid FROM processes LIMIT 300)"), "300");
	}
	assert_int_equal(processes_read_by(sql, all), PROCESSES + MANY);
	free(alone);
	mw_sql_close(sql);
	for (unsigned pid = 1000; pid < 1000 + MANY; pid++) {
		(void)snprintf(path, sizeof(path), "%s/%u/stat", proc, pid);
		(void)unlink(path);
		(void)snprintf(path, sizeof(path), "%s/%u", proc, pid);
		(void)rmdir(path);
	}
}

static void maps_are_read_as_proc_writes_them(void **state)
{
	(void)state;
	char path[600];
	struct mw_sql *sql = open_sql();
	(void)snprintf(path, sizeof(path), "%s/104/maps", proc);
	write_file(path, "00400000-00401000 r-xp 00001000 08:02 12345                      /opt/a b (deleted)\n"
			 "7ffd0000-7ffe0000 rw-p 00000000 00:00 0                          [stack]\n"
			 "7fff0000-7fff1000 rw-p 00000000 00:00 0 \n"
			 "junk\n"
			 "\n");
	assert_string_equal(rows_of(sql, "SELECT start, end, permissions, offset, device, inode, path, pseudo"
					 " FROM process_memory_map WHERE pid = 104"),
			    "0x00400000,0x00401000,r-xp,4096,08:02,12345,/opt/a b (deleted),0"
			    " 0x7ffd0000,0x7ffe0000,rw-p,0,00:00,0,[stack],1"
			    " 0x7fff0000,0x7fff1000,rw-p,0,00:00,0,,0");
	mw_sql_close(sql);
}

static void secrets_are_not_in_command_lines(void **state)
{
	(void)state;
	char path[600];
	struct mw_sql *sql = open_sql();
	(void)snprintf(path, sizeof(path), "%s/104/cmdline", proc);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "x\0--password\0hunter2\0", 22), 22);
	close(fd);
	const char *cmdline = rows_of(sql, "SELECT cmdline FROM processes WHERE pid = 104");
	assert_int_equal(strncmp(cmdline, "x --password [redacted:", 23), 0);
	assert_null(strstr(cmdline, "hunter2"));
	mw_sql_close(sql);
}

static void columns_say_what_proc_says(void **state)
{
	(void)state;
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/101/exe", proc);
	assert_int_equal(symlink("/usr/bin/gone (deleted)", path), 0);
	struct mw_sql *sql = open_sql();
	assert_string_equal(
		rows_of(sql, "SELECT pid, name, cmdline, state, uid, euid, suid, gid, egid, sgid, parent, pgroup,"
			     " threads, nice, user_time, system_time, total_size, wired_size, path, on_disk,"
			     " upid, elevated_token FROM processes WHERE pid = 101"),
		"101,p1,cmd with blank,S,1,1,2,4,5,6,1,2,4,0,1000,500,8192,0,/usr/bin/gone,0,NULL,NULL");
	assert_string_equal(
		rows_of(sql, "SELECT cmdline, path, on_disk, disk_bytes_read FROM processes WHERE pid = 100"),
		",,-1,NULL");
	/* The one that has gone gives no row when more than its id is asked for. */
	assert_string_equal(rows_of(sql, "SELECT count(name) FROM processes"), "49");
	assert_string_equal(rows_of(sql, "SELECT count(*) FROM processes WHERE name = 'p5'"), "1");
	mw_sql_close(sql);
}

/* The quick way to the ids says what /proc says. */
static void ids_are_those_of_proc(void **state)
{
	(void)state;
	struct mw_sql_options options = {.root = dir, .state_dir = dir};
	struct mw_sql *sql = NULL;
	char text[256];
	char expected[128];
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	(void)snprintf(text, sizeof(text), "SELECT uid, gid, euid, egid, suid, sgid FROM processes WHERE pid = %d",
		       (int)getpid());
	uid_t uid[3];
	gid_t gid[3];
	assert_int_equal(getresuid(&uid[0], &uid[1], &uid[2]), 0);
	assert_int_equal(getresgid(&gid[0], &gid[1], &gid[2]), 0);
	(void)snprintf(expected, sizeof(expected), "%u,%u,%u,%u,%u,%u", uid[0], gid[0], uid[1], gid[1], uid[2], gid[2]);
	assert_string_equal(rows_of(sql, text), expected);
	(void)snprintf(text, sizeof(text),
		       "SELECT uid, gid, euid, egid, suid, sgid FROM processes WHERE pid = %d AND name > ''",
		       (int)getpid());
	assert_string_equal(rows_of(sql, text), expected);
	mw_sql_close(sql);
}

static void a_thread_is_no_process(void **state)
{
	(void)state;
	char path[600];
	struct mw_sql *sql = open_sql();
	(void)snprintf(path, sizeof(path), "%s/105/status", proc);
	write_file(path, "Name:\tx\nTgid:\t104\nTracerPid:\t0\nUid:\t0\t0\t0\t0\nGid:\t0\t0\t0\t0\n");
	assert_string_equal(rows_of(sql, "SELECT pid FROM processes WHERE pid IN (104, 105)"), "104");
	mw_sql_close(sql);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_processes_asked_for_are_read),
		TEST(joins_read_only_what_they_need),
		TEST(threads_change_nothing),
		TEST(maps_are_read_as_proc_writes_them),
		TEST(secrets_are_not_in_command_lines),
		TEST(columns_say_what_proc_says),
		TEST(ids_are_those_of_proc),
		TEST(a_thread_is_no_process),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

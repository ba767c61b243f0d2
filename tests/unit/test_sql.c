/* SQL: what a query says reaches the table, limits hold, and nothing can be written. */
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
#include <sqlite3.h>

#include "base/clock.h"
#include "base/err.h"
#include "spool/spool.h"
#include "sql/db.h"
#include "sql/empty.h"
#include "sql/table.h"
#include "sql/vtab.h"
#include "sql/world.h"

static char dir[256];
static char proc[512];

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

enum {
	FIRST_PID = 100,
	PROCESSES = 50,
};

/* A /proc of 50 processes, of which the last lacks its files: it ends while it is looked at. */
static int make_world(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(dir, sizeof(dir), "%.200s/sql-XXXXXX", above ? above : "/tmp");
	if (!mkdtemp(dir))
		return -1;
	(void)snprintf(proc, sizeof(proc), "%s/proc", dir);
	if (mkdir(proc, 0700) < 0)
		return -1;
	for (unsigned i = 0; i < PROCESSES; i++) {
		char path[600];
		char text[512];
		unsigned pid = FIRST_PID + i;
		(void)snprintf(path, sizeof(path), "%s/%u", proc, pid);
		if (mkdir(path, 0700) < 0)
			return -1;
		if (i == PROCESSES - 1)
			break;
		(void)snprintf(path, sizeof(path), "%s/%u/stat", proc, pid);
		(void)snprintf(text, sizeof(text),
			       "%u (p%u) S 1 2 3 0 -1 0 0 0 0 0 100 50 0 0 20 0 4 0 1000 8192 3 0\n", pid, i);
		write_file(path, text);
		(void)snprintf(path, sizeof(path), "%s/%u/status", proc, pid);
		(void)snprintf(text, sizeof(text),
			       "Name:\tx\nTgid:\t%u\nTracerPid:\t0\nUid:\t%u\t1\t2\t3\nGid:\t4\t5\t6\t7\n", pid, i);
		write_file(path, text);
		(void)snprintf(path, sizeof(path), "%s/%u/cmdline", proc, pid);
		write_file(path, i == 0 ? "" : "cmd with blank");
	}
	return 0;
}

static int remove_world(void **state)
{
	(void)state;
	char path[600];
	static const char *const files[] = {"stat", "status", "cmdline", "exe", "environ", "maps", ""};
	for (unsigned i = 0; i < PROCESSES; i++)
		for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++) {
			(void)snprintf(path, sizeof(path), "%s/%u/%s", proc, FIRST_PID + i, files[k]);
			if (*files[k])
				(void)unlink(path);
			else
				(void)rmdir(path);
		}
	(void)rmdir(proc);
	static const char *const spool[] = {"", "-wal", "-shm"};
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(path, sizeof(path), "%s/" MW_SPOOL_FILE "%s", dir, spool[i]);
		(void)unlink(path);
	}
	return rmdir(dir);
}

static struct mw_sql *open_sql(void)
{
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir};
	struct mw_sql *sql = NULL;
	struct mw_err err;
	if (mw_sql_open(&options, &sql, &err) < 0)
		fail_msg("mw_sql_open: %s", err.text);
	return sql;
}

/* All rows, values joined by ',' and rows by ' '.  Of a query that fails, its message behind '!'. */
static const char *rows_of(struct mw_sql *sql, const char *text)
{
	static char out[65536];
	struct mw_sql_query *query = NULL;
	const char *rest;
	struct mw_err err;
	size_t n = 0;
	out[0] = '\0';
	int r = mw_sql_prepare(sql, text, strlen(text), &query, &rest, &err);
	while (r == 0 && (r = mw_sql_step(query, &err)) > 0) {
		for (unsigned i = 0; i < mw_sql_columns(query); i++) {
			size_t bytes;
			const char *value = mw_sql_value_bytes(query, i, &bytes);
			const char *between = n ? " " : "";
			n += (size_t)snprintf(out + n, sizeof(out) - n, "%s%s", i ? "," : between,
					      value ? value : "NULL");
			assert_true(n < sizeof(out));
		}
		r = 0;
	}
	if (r < 0)
		(void)snprintf(out, sizeof(out), "!%s", err.text);
	mw_sql_finish(query);
	return out;
}

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

static void spool_up(void)
{
	static const struct {
		const char *id, *kind, *body;
		int64_t time_ns, pid;
	} events[] = {
		{"e1", "process.exec",
		 "{\"process\":{\"pid\":5,\"ppid\":1,\"name\":\"sh\",\"exe\":\"/bin/sh\",\"cmdline\":\"sh -c \xc3\xa9\","
		 "\"cwd\":\"/\",\"uid\":1,\"euid\":2,\"gid\":3,\"egid\":4,\"user\":\"u\",\"tty\":\"pts/1\","
		 "\"ancestors\":[{\"pid\":1}]}}",
		 10999999999, 5},
		{"e2", "process.exec", "{\"process\":{\"pid\":6,\"argv_truncated\":true,\"argv_total_bytes\":9999}}",
		 11000000000, 6},
		{"e3", "process.fork", "{\"process\":{\"pid\":7,\"ppid\":6}}", 11000000001, 7},
		{"e4", "process.exit", "{\"process\":{\"pid\":7,\"exit_signal\":9,\"duration_ms\":12}}", 12000000000,
		 7},
		{"e5", "sensor.health", "{\"message\":\"hello\"}", 13000000000, 0},
		{"e6", "socket.connect",
		 "{\"process\":{\"exe\":\"/bin/nc\"},\"socket\":{\"family\":\"ipv4\",\"protocol\":\"tcp\",\"fd\":3,"
		 "\"remote_address\":\"192.0.2.1\",\"remote_port\":443},\"call\":{\"error\":\"EINPROGRESS\"}}",
		 14000000000, 8},
		{"e7", "socket.accept", "{\"socket\":{\"family\":\"unix\",\"path\":\"@x\"},\"sampled\":true}",
		 14000000001, 0},
		{"e8", "file.rename",
		 "{\"process\":{\"exe\":\"/bin/mv\",\"uid\":1},"
		 "\"file\":{\"path\":\"/b\",\"old_path\":\"/a\",\"found_by\":\"call\"},\"call\":{}}",
		 15000000000, 9},
		{"e9", "file.delete", "{\"file\":{\"path\":\"/c\"},\"call\":{\"error\":\"ENOENT\"}}", 15000000000, 9},
	};
	struct mw_spool *spool = NULL;
	assert_int_equal(mw_spool_open(dir, 16 << 20, &spool, NULL, NULL), 0);
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++) {
		struct mw_spool_row row = {.id = events[i].id,
					   .kind = events[i].kind,
					   .time_ns = events[i].time_ns,
					   .pid = events[i].pid,
					   .body = events[i].body,
					   .body_bytes = strlen(events[i].body)};
		assert_int_equal(mw_spool_add(spool, MW_SPOOL_EVENTS, &row, NULL), 0);
	}
	static const char alert[] =
		"{\"rule\":{\"id\":\"r1\",\"severity\":\"high\",\"attack\":[\"T1059.004\",\"T1505\"],"
		"\"summary\":\"s\"},\"message\":\"m\",\"process\":{\"name\":\"sh\",\"exe\":\"/bin/sh\","
		"\"uid\":33,\"parent\":{\"name\":\"nginx\",\"exe\":\"/usr/sbin/nginx\"}}}";
	struct mw_spool_row row = {.id = "e1",
				   .kind = "process.exec",
				   .time_ns = 10999999999,
				   .pid = 5,
				   .rule = "r1",
				   .body = alert,
				   .body_bytes = sizeof(alert) - 1};
	assert_int_equal(mw_spool_add(spool, MW_SPOOL_ALERTS, &row, NULL), 0);
	mw_spool_close(spool);
}

static void process_events_come_from_the_spool(void **state)
{
	(void)state;
	spool_up();
	struct mw_sql *sql = open_sql();
	assert_string_equal(rows_of(sql,
				    "SELECT pid, path, cmdline, cmdline_size, cwd, uid, euid, gid, egid, parent, time,"
				    " eid, syscall, name, user, tty, ancestors, mode, auid, overflows, exit_code"
				    " FROM process_events WHERE eid = 'e1'"),
			    "5,/bin/sh,sh -c \xc3\xa9,8,/,1,2,3,4,1,10,e1,execve,sh,u,pts/1,[{\"pid\":1}],"
			    "NULL,NULL,NULL,NULL");
	assert_string_equal(rows_of(sql, "SELECT cmdline_size, overflows FROM process_events WHERE eid = 'e2'"),
			    "9999,cmdline");
	assert_string_equal(rows_of(sql, "SELECT syscall, exit_signal, duration_ms FROM process_events WHERE pid = 7"),
			    "fork,NULL,NULL exit,9,12");
	assert_string_equal(rows_of(sql, "SELECT count(*) FROM process_events"), "4");
	assert_null(mw_sql_warnings(sql));
	mw_sql_close(sql);
}

static void socket_and_file_events_come_from_the_spool(void **state)
{
	(void)state;
	spool_up();
	struct mw_sql *sql = open_sql();
	assert_string_equal(
		rows_of(sql, "SELECT action, pid, path, fd, family, protocol, remote_address, remote_port, socket,"
			     " success, status, sampled, eid FROM socket_events ORDER BY time"),
		"connect,8,/bin/nc,3,2,6,192.0.2.1,443,NULL,0,in_progress,0,e6"
		" accept,NULL,NULL,NULL,1,NULL,NULL,NULL,@x,NULL,NULL,1,e7");
	assert_string_equal(rows_of(sql, "SELECT operation, pid, executable, path, dest_path, uid, typeof(uid), partial"
					 " FROM process_file_events"),
			    "rename,9,/bin/mv,/a,/b,1,text,false");
	assert_string_equal(rows_of(sql, "SELECT count(*) FROM socket_events WHERE time > 14"), "0");
	mw_sql_close(sql);
}

static void rules_and_flags_come_from_the_spool(void **state)
{
	(void)state;
	static const char rules[] =
		"[{\"id\":\"r1\",\"severity\":\"high\",\"attack\":\"T1\",\"kinds\":\"process.exec\",\"summary\":\"s\","
		"\"file\":\"/f\",\"enabled\":1},{\"id\":\"r2\",\"enabled\":0}]";
	static const char flags[] = "{\"engine\":[\"poll\",\"flag file\"],\"of another version\":[\"1\",\"default\"]}";
	static const char health[] = "[[\"rule\",\"r2\",5,\"faults\",\"switched off\"]]";
	spool_up();
	struct mw_spool *spool = NULL;
	assert_int_equal(mw_spool_open(dir, 16 << 20, &spool, NULL, NULL), 0);
	assert_int_equal(mw_spool_put_document(spool, "rules", "[]", 2, NULL), 0);
	assert_int_equal(mw_spool_put_document(spool, "rules", rules, sizeof(rules) - 1, NULL), 0);
	assert_int_equal(mw_spool_put_document(spool, "flags", flags, sizeof(flags) - 1, NULL), 0);
	assert_int_equal(mw_spool_put_health(spool, 2, false, health, sizeof(health) - 1, NULL), 0);
	mw_spool_close(spool);
	struct mw_sql *sql = open_sql();
	assert_string_equal(rows_of(sql,
				    "SELECT id, severity, attack, kinds, file, enabled, switched_off, faults, alerts,"
				    " last_alert FROM moonwatch_rules"),
			    "r1,high,T1,process.exec,/f,1,0,0,1,10 r2,NULL,NULL,NULL,NULL,0,1,5,0,NULL");
	assert_string_equal(rows_of(sql, "SELECT name, default_value, value, source FROM osquery_flags"),
			    "engine,auto,poll,flag file");
	assert_string_equal(rows_of(sql, "SELECT config_valid, watcher, platform_mask FROM osquery_info"), "1,-1,9");
	mw_sql_close(sql);
}

static void time_is_compared_in_seconds(void **state)
{
	(void)state;
	static const struct {
		const char *where, *ids;
	} cases[] = {
		{"time = 11", "e2 e3"},
		{"time > 10", "e2 e3 e4"},
		{"time >= 11", "e2 e3 e4"},
		{"time < 11", "e1"},
		{"time <= 11", "e1 e2 e3"},
		{"time > 10 AND time < 12", "e2 e3"},
		{"time BETWEEN 11 AND 11", "e2 e3"},
		{"time = '11'", "e2 e3"},
		{"time > 10.5", "e2 e3 e4"},
		{"time >= 9223372036854775807", ""},
		{"time <= 9223372036854775807", "e1 e2 e3 e4"},
		{"time > -9223372036854775808", "e1 e2 e3 e4"},
		{"time = NULL", ""},
		{"time IN (10, 12)", "e1 e4"},
		{"eid IN ('e3', 'e1', 'no')", "e1 e3"},
		{"eid = 5", ""},
	};
	spool_up();
	struct mw_sql *sql = open_sql();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		char text[256];
		(void)snprintf(text, sizeof(text), "SELECT eid FROM process_events WHERE %s ORDER BY eid",
			       cases[i].where);
		assert_string_equal(rows_of(sql, text), cases[i].ids);
	}
	assert_string_equal(rows_of(sql, "SELECT eid FROM process_events ORDER BY time DESC"), "e4 e3 e2 e1");
	assert_string_equal(rows_of(sql, "SELECT eid FROM process_events WHERE time IN (12, 10) ORDER BY time"),
			    "e1 e4");
	assert_string_equal(rows_of(sql, "SELECT eid FROM process_events ORDER BY time LIMIT 1 OFFSET 1"), "e2");
	/* The order is the table's: nothing is sorted. */
	assert_null(strstr(rows_of(sql, "EXPLAIN QUERY PLAN SELECT eid FROM process_events ORDER BY time DESC LIMIT 5"),
			   "TEMP B-TREE"));
	assert_non_null(
		strstr(rows_of(sql, "EXPLAIN QUERY PLAN SELECT eid FROM process_events ORDER BY path"), "TEMP B-TREE"));
	mw_sql_close(sql);
}

static void alerts_come_from_the_spool(void **state)
{
	(void)state;
	spool_up();
	struct mw_sql *sql = open_sql();
	assert_string_equal(rows_of(sql,
				    "SELECT time, rule, severity, attack, summary, message, kind, pid, name, path, uid,"
				    " parent_name, parent_path, eid, json_extract(event, '$.message')"
				    " FROM moonwatch_alerts"),
			    "10,r1,high,T1059.004,T1505,s,m,process.exec,5,sh,/bin/sh,33,nginx,/usr/sbin/nginx,e1,m");
	assert_string_equal(
		rows_of(sql, "SELECT a.rule, e.path FROM moonwatch_alerts a JOIN process_events e USING (eid)"),
		"r1,/bin/sh");
	mw_sql_close(sql);
}

static void without_a_spool_there_are_no_rows_and_a_warning(void **state)
{
	(void)state;
	struct mw_sql *sql = open_sql();
	assert_string_equal(rows_of(sql, "SELECT * FROM process_events a JOIN process_events b"), "");
	const char *warnings = mw_sql_warnings(sql);
	assert_non_null(warnings);
	assert_non_null(strstr(warnings, dir));
	assert_ptr_equal(strchr(warnings, '\n') + 1, warnings + strlen(warnings)); /* one line */
	assert_null(mw_sql_warnings(sql));
	mw_sql_close(sql);
}

static void a_damaged_spool_is_an_error_of_the_query(void **state)
{
	(void)state;
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/" MW_SPOOL_FILE, dir);
	write_file(path,
		   "this is no database, and long enough to be looked at as one: .................................."
		   "......................................................................................");
	struct mw_sql *sql = open_sql();
	assert_string_equal(rows_of(sql, "SELECT * FROM process_events"), "");
	assert_non_null(strstr(mw_sql_warnings(sql), "not a database"));
	mw_sql_close(sql);
}

static void nothing_can_be_written(void **state)
{
	(void)state;
	static const char *const statements[] = {
		"CREATE TABLE t(a)",
		"CREATE TEMP TABLE t(a)",
		"CREATE VIEW v AS SELECT 1",
		"ATTACH '/tmp/moonwatch-vacuumed' AS x",
		"DETACH main",
		"PRAGMA journal_mode = DELETE",
		"PRAGMA writable_schema = 1",
		"PRAGMA temp_store_directory = '/'",
		"SELECT load_extension('x')",
		"DELETE FROM processes",
		"INSERT INTO processes(pid) VALUES(1)",
		"UPDATE time SET year = 1",
		"BEGIN",
		"VACUUM",
		"VACUUM INTO '/tmp/moonwatch-vacuumed'",
		"ANALYZE",
		"DROP TABLE time",
		"CREATE VIRTUAL TABLE f USING fts5(a)",
		"SELECT fts3_tokenizer('simple', x'00')",
	};
	struct mw_sql *sql = open_sql();
	for (size_t i = 0; i < sizeof(statements) / sizeof(*statements); i++)
		if (*rows_of(sql, statements[i]) != '!')
			fail_msg("%s was possible", statements[i]);
	assert_int_equal(access("/tmp/moonwatch-vacuumed", F_OK), -1);
	assert_string_equal(rows_of(sql, "SELECT 1 + 1"), "2");
	mw_sql_close(sql);
}

static void a_query_has_limits(void **state)
{
	(void)state;
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir, .time_ms = 100, .rows = 10};
	static const char endless[] = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT ";
	char text[256];
	struct mw_sql *sql = NULL;
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	int64_t before = mw_clock_mono_ns();
	(void)snprintf(text, sizeof(text), "%scount(*) FROM c", endless);
	assert_string_equal(rows_of(sql, text), "!stopped after 100 ms: ask for less, e.g. with WHERE or LIMIT");
	assert_true(mw_clock_mono_ns() - before < 5LL * MW_NS_PER_S);
	(void)snprintf(text, sizeof(text), "%sx FROM c", endless);
	assert_string_equal(rows_of(sql, text), "!stopped after 10 rows: ask for less, e.g. with WHERE or LIMIT");
	assert_int_equal(*rows_of(sql, "SELECT randomblob(100000000)"), '!');
	/* The next one is not hindered. */
	assert_string_equal(rows_of(sql, "SELECT 1"), "1");
	mw_sql_close(sql);
}

/* A table of ours, to see what of a query reaches one. */
enum {
	PATH,
	SIZE,
	OTHER,
};

static struct mw_sql_scan seen;
static char seen_text[64];

static int fill_probe(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	seen = *scan;
	seen_text[0] = '\0';
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		size_t n = strlen(seen_text);
		(void)snprintf(seen_text + n, sizeof(seen_text) - n, "%u:%d:%s ", scan->constraints[i].column,
			       (int)scan->constraints[i].op, scan->constraints[i].text);
	}
	if (scan->constraint_count && strcmp(scan->constraints[0].text, "fail") == 0)
		return mw_err_set(err, -EIO, "it failed");
	int r = 0;
	while (scan->constraint_count && strcmp(scan->constraints[0].text, "many") == 0 && r == 0)
		r = mw_rows_add(rows);
	if (r < 0 || (r = mw_rows_add(rows)) < 0)
		return r;
	mw_rows_text(rows, PATH, "a\0b", 3);
	mw_rows_int(rows, SIZE, 5);
	mw_rows_double(rows, OTHER, 1.5);
	return 0;
}

static const struct mw_sql_column probe_columns[] = {
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_REQUIRED | MW_SQL_LIKE, "Path"},
	[SIZE] = {"size", MW_SQL_BIGINT, MW_SQL_RANGE, "Size"},
	[OTHER] = {"other", MW_SQL_DOUBLE, 0, "Other"},
	{0},
};

static const struct mw_sql_table probe = {
	.name = "probe", .doc = "For the test.", .source = "test", .columns = probe_columns, .fill = fill_probe};

static const char *ask_probe(sqlite3 *db, const char *text)
{
	static char out[256];
	sqlite3_stmt *statement = NULL;
	int rows = 0;
	int r = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
	while (r == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
		rows++;
	if (r == SQLITE_OK)
		r = sqlite3_reset(statement);
	(void)snprintf(out, sizeof(out), "%s", r == SQLITE_OK ? seen_text : sqlite3_errmsg(db));
	sqlite3_finalize(statement);
	(void)rows;
	return out;
}

static void constraints_reach_the_table(void **state)
{
	(void)state;
	sqlite3 *db;
	struct mw_sql_world world = {.deadline_ns = INT64_MAX, .procfd = -1};
	assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
	assert_int_equal(mw_vtab_register(db, &probe, &world), SQLITE_OK);

	assert_string_equal(ask_probe(db, "SELECT path FROM probe WHERE path = '/a'"), "0:0:/a ");
	assert_int_equal(seen.wanted, 1);
	assert_string_equal(ask_probe(db, "SELECT other FROM probe WHERE path LIKE '/a%'"), "0:5:/a% ");
	assert_int_equal(seen.wanted, 5);
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE size > 3 AND path GLOB '/a*'"), "1:3:3 0:6:/a* ");
	assert_string_equal(ask_probe(db, "SELECT 1 FROM probe WHERE path = '/a' AND other = 3"), "0:0:/a ");
	assert_string_equal(ask_probe(db, "SELECT p.path FROM (SELECT '/x' AS y) JOIN probe p ON p.path = y"),
			    "0:0:/x ");

	assert_string_equal(ask_probe(db, "SELECT * FROM probe"),
			    "table probe: queried without a required column in the WHERE clause; say WHERE path = …");
	assert_string_equal(ask_probe(db, "SELECT * FROM probe WHERE size = 1"),
			    "table probe: queried without a required column in the WHERE clause; say WHERE path = …");
	assert_string_equal(ask_probe(db, "SELECT * FROM probe WHERE path = 'fail'"), "table probe: it failed");
	assert_non_null(strstr(ask_probe(db, "SELECT * FROM probe WHERE path = 'many'"), "too many rows"));
	world.deadline_ns = 1;
	assert_string_equal(ask_probe(db, "SELECT * FROM probe WHERE path = 'many'"), "interrupted");
	sqlite3_close(db);
}

static void every_column_is_described(void **state)
{
	(void)state;
	for (size_t i = 0; mw_sql_tables[i]; i++) {
		const struct mw_sql_table *table = mw_sql_tables[i];
		unsigned columns = 0;
		assert_true(table->doc && *table->doc && table->source && *table->source);
		assert_true((table->fill != NULL) != (table->open && table->next && table->close));
		for (; table->columns[columns].name; columns++) {
			const struct mw_sql_column *column = &table->columns[columns];
			if (!column->doc || !*column->doc)
				fail_msg("%s.%s has no text", table->name, column->name);
		}
		assert_in_range(columns, 1, MW_SQL_COLUMNS);
		assert_ptr_equal(mw_sql_table(table->name), table);
		if (i)
			assert_true(strcmp(mw_sql_tables[i - 1]->name, table->name) < 0);
	}
}

/* A table that is implemented needs no declaration any more. */
static void no_table_is_declared_twice(void **state)
{
	(void)state;
	char twice[4096] = "";
	const struct mw_sql_table *const *all = mw_sql_all_tables();
	assert_non_null(all);
	for (size_t i = 0; all[i]; i++) {
		assert_true(all[i]->doc && *all[i]->doc && all[i]->example && *all[i]->example);
		if (i && strcmp(all[i - 1]->name, all[i]->name) == 0)
			fail_msg("%s has two lines in core/sql/empty_list.c", all[i]->name);
	}
	for (const struct mw_sql_empty *empty = mw_sql_empties; empty->tables; empty++)
		for (const char *line = empty->tables; *line; line = strchr(line, '\n') + 1) {
			char name[64];
			size_t length = strcspn(line, ":=");
			assert_true(length < sizeof(name));
			(void)snprintf(name, sizeof(name), "%.*s", (int)length, line);
			for (size_t i = 0; mw_sql_tables[i]; i++)
				if (strcmp(mw_sql_tables[i]->name, name) == 0) {
					size_t n = strlen(twice);
					(void)snprintf(twice + n, sizeof(twice) - n, " %s", name);
				}
		}
	if (*twice)
		fail_msg("implemented, so take their lines out of core/sql/empty_list.c:%s", twice);
}

static void versions_are_ordered_as_their_managers_do(void **state)
{
	(void)state;
	struct mw_sql *sql = open_sql();
	assert_string_equal(
		rows_of(sql, "WITH v(x) AS (VALUES('1.10'), ('1.9')) SELECT x FROM v ORDER BY x COLLATE version"),
		"1.9 1.10");
	assert_string_equal(rows_of(sql, "SELECT '1~' < '1' COLLATE version_dpkg, '1~' < '1' COLLATE version_rhel,"
					 " '1:0' > '2' COLLATE version_arch, 'A' = 'a' COLLATE nocase"),
			    "1,1,1,1");
	/* Columns bring theirs along. */
	assert_string_equal(rows_of(sql, "SELECT version FROM deb_packages WHERE version > '1.9' ORDER BY version"
					 " LIMIT 0"),
			    "");
	mw_sql_close(sql);
}

static void no_query_takes_all_memory(void **state)
{
	(void)state;
	static const char *const bombs[] = {
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
		" SELECT max(b) FROM (SELECT randomblob(1000000) AS b FROM c ORDER BY b LIMIT 100000)",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT group_concat(randomblob(1000)) FROM c",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT json_group_array(hex(randomblob(10000)))"
		" FROM c",
		"WITH RECURSIVE c(x) AS (SELECT 1 UNION SELECT x + 1 FROM c) SELECT count(DISTINCT randomblob(10000)) FROM c",
		"WITH RECURSIVE c(x) AS (SELECT hex(zeroblob(1000)) UNION ALL SELECT x || x FROM c) SELECT count(*) FROM c",
		"SELECT zeroblob(1000000000)",
		"SELECT printf('%1000000000d', 1)",
		"SELECT hex(zeroblob(16000000))",
		"SELECT replace(hex(zeroblob(1000000)), '0', hex(zeroblob(1000)))",
	};
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir, .time_ms = 2000};
	struct mw_sql *sql = NULL;
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		(void)sqlite3_memory_highwater(1);
		const char *rows = rows_of(sql, bombs[i]);
		if (*rows != '!' && strcmp(rows, "NULL") != 0)
			fail_msg("%s gave %.100s", bombs[i], rows);
		assert_in_range(sqlite3_memory_highwater(0), 0, 160 << 20);
	}
	assert_string_equal(rows_of(sql, "SELECT 1"), "1");
	mw_sql_close(sql);
}

/* Ours in place of SQLite's: asked of a connection without ours, the answers are the same. */
static void functions_that_are_bounded_answer_as_sqlites(void **state)
{
	(void)state;
	static const char *const texts[] = {"''",    "'a'",   "'A'",    "'abc'",       "'aXbc'", "'%'",
					    "'a%c'", "'äöü'", "'Äbc'",  "'日本語abc'", "'a_b'",  "'[a]'",
					    "NULL",  "12",    "1.5",    "x'616263'",   "'aaa'",  "'abcabc'",
					    "'a]c'", "'-'",   "'xaxbx'"};
	static const char *const patterns[] = {
		"''",      "'%'",     "'a%'",     "'%c'",     "'_'",     "'a_c'",    "'%b%'", "'__'", "'%%a'",
		"'A'",     "'ä%'",    "'Ä%'",     "'[abc]'",  "'[^a]*'", "'[a-c]*'", "'*c'",  "'?'",  "'a?c'",
		"'[]]'",   "'[a'",    "'*[]-]*'", "'a'",      "'bc'",    "'aa'",     "NULL",  "1",    "x'62'",
		"'[^]a]'", "'%a%b%'", "'*a*b*'",  "'日_語%'", "'語'",    "'[-a]'",   "'ab'"};
	static const struct {
		const char *before, *between, *after;
	} forms[] = {
		{"", " LIKE ", ""},           {"", " GLOB ", ""},
		{"instr(", ", ", ")"},        {"trim(", ", ", ")"},
		{"ltrim(", ", ", ")"},        {"rtrim(", ", ", ")"},
		{"replace(", ", ", ", 'é')"}, {"", " LIKE ", " ESCAPE 'a'"},
	};
	sqlite3 *plain;
	assert_int_equal(sqlite3_open(":memory:", &plain), SQLITE_OK);
	struct mw_sql *sql = open_sql();
	for (size_t f = 0; f < sizeof(forms) / sizeof(forms[0]); f++)
		for (size_t t = 0; t < sizeof(texts) / sizeof(texts[0]); t++)
			for (size_t p = 0; p < sizeof(patterns) / sizeof(patterns[0]); p++) {
				char query[256];
				sqlite3_stmt *statement;
				(void)snprintf(query, sizeof(query), "SELECT quote(%s%s%s%s%s)", forms[f].before,
					       texts[t], forms[f].between, patterns[p], forms[f].after);
				assert_int_equal(sqlite3_prepare_v2(plain, query, -1, &statement, NULL), SQLITE_OK);
				assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
				const char *ours = rows_of(sql, query);
				const char *theirs = (const char *)sqlite3_column_text(statement, 0);
				if (strcmp(ours, theirs) != 0)
					fail_msg("%s: %s, not %s", query, theirs, ours);
				(void)sqlite3_finalize(statement);
			}
	(void)sqlite3_close(plain);
	mw_sql_close(sql);
}

static void no_pattern_takes_for_ever(void **state)
{
	(void)state;
	struct mw_sql_options options = {.state_dir = dir, .proc = proc, .root = dir, .time_ms = 300};
	struct mw_sql *sql = NULL;
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	static const char *const bombs[] = {
		"SELECT hex(zeroblob(8000000)) LIKE replace(hex(zeroblob(500)), '0', '%0') || 'x'",
		"SELECT hex(zeroblob(8000000)) LIKE '%' || hex(zeroblob(2000)) || 'x'",
		"SELECT hex(zeroblob(8000000)) GLOB '*' || hex(zeroblob(2000)) || 'x'",
		"SELECT instr(hex(zeroblob(8000000)), hex(zeroblob(4000000)) || 'x')",
		"SELECT length(replace(hex(zeroblob(8000000)), hex(zeroblob(2000000)) || 'x', ''))",
		"SELECT trim(hex(zeroblob(8000000)), hex(zeroblob(7000000)))",
	};
	for (size_t i = 0; i < sizeof(bombs) / sizeof(bombs[0]); i++) {
		int64_t before = mw_clock_mono_ns();
		(void)rows_of(sql, bombs[i]);
		int64_t took_ms = (mw_clock_mono_ns() - before) / MW_NS_PER_MS;
		if (took_ms > 5000)
			fail_msg("%s took %lld ms", bombs[i], (long long)took_ms);
	}
	mw_sql_close(sql);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(only_processes_asked_for_are_read),
		TEST(joins_read_only_what_they_need),
		TEST(maps_are_read_as_proc_writes_them),
		TEST(secrets_are_not_in_command_lines),
		TEST(columns_say_what_proc_says),
		TEST(a_thread_is_no_process),
		TEST(process_events_come_from_the_spool),
		TEST(socket_and_file_events_come_from_the_spool),
		TEST(rules_and_flags_come_from_the_spool),
		TEST(time_is_compared_in_seconds),
		TEST(alerts_come_from_the_spool),
		TEST(without_a_spool_there_are_no_rows_and_a_warning),
		TEST(a_damaged_spool_is_an_error_of_the_query),
		TEST(nothing_can_be_written),
		TEST(a_query_has_limits),
		TEST(no_query_takes_all_memory),
		TEST(functions_that_are_bounded_answer_as_sqlites),
		TEST(no_pattern_takes_for_ever),
		TEST(versions_are_ordered_as_their_managers_do),
		cmocka_unit_test(no_table_is_declared_twice),
		cmocka_unit_test(constraints_reach_the_table),
		cmocka_unit_test(every_column_is_described),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

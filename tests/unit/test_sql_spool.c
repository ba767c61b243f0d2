/* SQL over what the sensor saw: rows come from the spool. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "spool/spool.h"
#include "sql/db.h"

#include "sql_world.h"

static void spool_up(void)
{
	static const struct {
		const char *id, *kind, *body;
		int64_t time_ns, pid;
	} events[] = {
		{"e1", "process.exec",
		 "{\"process\":{\"pid\":5,\"ppid\":1,\"name\":\"sh\",\"exe\":\"/bin/sh\",\"cmdline\":\"sh -c \xc3\xa9\","
		 "\"cwd\":\"/\",\"uid\":1,\"euid\":2,\"gid\":3,\"egid\":4,\"user\":\"u\",\"tty\":\"pts/1\","
		 "\"ancestors\":[{\"pid\":1}],\"env\":[\"A=1\",\"LD_X=y z\"]},"
		 "\"executable\":{\"mode\":33261,\"uid\":8,\"gid\":9,\"atime\":\"1970-01-01T00:00:07.9Z\","
		 "\"mtime\":\"2026-01-02T03:04:05.123456789Z\",\"ctime\":\"1970-01-01T00:01:00Z\"}}",
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
				    " eid, syscall, name, user, tty, ancestors, auid, overflows, exit_code"
				    " FROM process_events WHERE eid = 'e1'"),
			    "5,/bin/sh,sh -c \xc3\xa9,8,/,1,2,3,4,1,10,e1,execve,sh,u,pts/1,[{\"pid\":1}],"
			    "NULL,NULL,NULL");
	assert_string_equal(rows_of(sql,
				    "SELECT mode, owner_uid, owner_gid, atime, mtime, ctime, access_time, modify_time,"
				    " change_time, suid, fsuid, sgid, fsgid, env, uptime FROM process_events"
				    " WHERE eid = 'e1'"),
			    "0100755,8,9,7,1767323045,60,7,1767323045,60,2,2,4,4,A=1 LD_X=y z,NULL");
	assert_string_equal(rows_of(sql, "SELECT suid, mode, env, mtime FROM process_events WHERE eid = 'e3'"),
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

static void groups_of_yara_come_from_the_spool(void **state)
{
	(void)state;
	static const char format[] = "{\"yara\":{\"signatures\":{\"a'b\":[\"%s/good\",\"%s/bad\"],\"none\":[]}}}";
	char good[PATH_MAX];
	char bad[PATH_MAX];
	char text[2 * PATH_MAX + 128];
	spool_up();
	(void)snprintf(good, sizeof(good), "%s/good", dir);
	(void)snprintf(bad, sizeof(bad), "%s/bad", dir);
	assert_true(snprintf(text, sizeof(text), format, dir, dir) < (int)sizeof(text));
	FILE *file = fopen(good, "we");
	assert_non_null(file);
	(void)fputs("rule r { condition: true }", file);
	assert_int_equal(fclose(file), 0);
	file = fopen(bad, "we");
	assert_non_null(file);
	(void)fputs("rule 1\n", file);
	assert_int_equal(fclose(file), 0);
	struct mw_spool *spool = NULL;
	assert_int_equal(mw_spool_open(dir, 16 << 20, &spool, NULL, NULL), 0);
	assert_int_equal(mw_spool_put_document(spool, "schedule", text, strlen(text), NULL), 0);
	mw_spool_close(spool);
	(void)snprintf(text, sizeof(text),
		       "SELECT sig_group, matches FROM yara WHERE path = '%s' AND sig_group = 'a''b'", good);
	struct mw_sql_options options = {.state_dir = dir, .proc = proc};
	struct mw_sql *sql = NULL;
	assert_int_equal(mw_sql_open(&options, &sql, NULL), 0);
	const char *rows = rows_of(sql, text);
	const char *warnings = mw_sql_warnings(sql);
	assert_non_null(warnings);
	bool has_none = strstr(warnings, "libyara is not") != NULL;
	assert_string_equal(rows, has_none ? "" : "a'b,r");
	if (!has_none)
		assert_non_null(strstr(warnings, "/bad: line 1: syntax error"));
	mw_sql_close(sql);
	assert_int_equal(unlink(good), 0);
	assert_int_equal(unlink(bad), 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(process_events_come_from_the_spool),
		TEST(socket_and_file_events_come_from_the_spool),
		TEST(rules_and_flags_come_from_the_spool),
		TEST(groups_of_yara_come_from_the_spool),
		TEST(time_is_compared_in_seconds),
		TEST(alerts_come_from_the_spool),
		TEST(without_a_spool_there_are_no_rows_and_a_warning),
		TEST(a_damaged_spool_is_an_error_of_the_query),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

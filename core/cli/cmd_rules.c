/* moonwatch rules: check, list and test rules without running anything under them. */

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "flag/flag.h"
#include "rule/engine.h"

enum {
	JSON_BYTES = 64 << 10
};

struct work {
	unsigned findings;
	unsigned examples; /* tried */
	unsigned failed;
	bool is_tap;
};

static void on_finding(void *data, const char *line)
{
	struct work *work = data;
	work->findings++;
	printf("%s%s\n", work->is_tap ? "# " : "", line);
}

static void on_example(void *data, const char *rule, unsigned example, const char *why)
{
	struct work *work = data;
	work->examples++;
	work->failed += why != NULL;
	printf("%sok %u - %s, example %u\n", why ? "not " : "", work->examples, rule, example);
	if (why)
		printf("#   %s\n", why);
}

/* Load `paths` (NULL-ended; none: the shipped rules) with the limits that hold by default. */
static struct mw_rules *load(struct work *work, char **paths)
{
	struct mw_err err;
	struct mw_rules *rules = NULL;
	const struct mw_rules_options options = {
		.tree = mw_tree(),
		.extra_dirs = "",
		.memory_bytes = (size_t)mw_flag_list[MW_FLAG_RULE_MEMORY_MIB].def << 20,
		.event_instructions = (uint64_t)mw_flag_list[MW_FLAG_RULE_EVENT_INSTRUCTIONS].def,
		.report = on_finding,
		.data = work,
		.paths = *paths ? (const char *const *)paths : NULL,
		.on_example = work->is_tap ? on_example : NULL,
	};
	if (!*options.tree)
		return NULL;
	if (mw_rules_load(&options, &rules, &err) < 0)
		mw_complain("rules: %s", err.text);
	return rules;
}

static int check(char **paths, bool is_json)
{
	(void)is_json;
	struct work work = {0};
	struct mw_rules *rules = load(&work, paths);
	if (!rules)
		return MW_EXIT_NO;
	printf("%zu rules are good, %zu refused\n", mw_rules_count(rules), mw_rules_refused(rules));
	mw_rules_free(rules);
	return work.findings ? MW_EXIT_NO : MW_EXIT_OK;
}

static int test(char **paths, bool is_json)
{
	(void)is_json;
	struct work work = {.is_tap = true};
	struct mw_rules *rules = load(&work, paths);
	if (!rules)
		return MW_EXIT_NO;
	printf("1..%u\n# %zu rules, %u examples, %u failed\n", work.examples, mw_rules_count(rules), work.examples,
	       work.failed);
	mw_rules_free(rules);
	return work.findings || !work.examples ? MW_EXIT_NO : MW_EXIT_OK;
}

static void print_attack(const struct mw_rule_info *info)
{
	const char *separator = "";
	for (size_t at = 0; at < info->attack_bytes; at += strlen(info->attack + at) + 1) {
		printf("%s%s", separator, info->attack + at);
		separator = ",";
	}
}

static int list(char **paths, bool is_json)
{
	struct work work = {0};
	struct mw_rules *rules = load(&work, paths);
	if (!rules)
		return MW_EXIT_NO;
	struct mw_buf json = MW_BUF(JSON_BYTES);
	for (size_t i = 0; i < mw_rules_count(rules); i++) {
		const struct mw_rule_info *info = mw_rules_info(rules, i);
		if (is_json) {
			mw_buf_clear(&json);
			mw_shape_json(&json, &mw_rule_shape, info);
			printf("%s\n", json.data ? json.data : "");
			continue;
		}
		printf("%-24s %-8s ", info->id, mw_severity_names[info->severity]);
		print_attack(info);
		printf("  %s\n", info->summary);
	}
	mw_buf_release(&json);
	mw_rules_free(rules);
	return work.findings ? MW_EXIT_NO : MW_EXIT_OK;
}

static const struct verb {
	const char *name;
	int (*run)(char **paths, bool is_json);
	bool has_json;
} verbs[] = {
	{"check", check, false},
	{"list", list, true},
	{"test", test, false},
	{0},
};

static const struct verb *find_verb(const char *name)
{
	struct mw_nearest near = {.word = name};
	for (const struct verb *verb = verbs; verb->name; verb++) {
		if (strcmp(verb->name, name) == 0)
			return verb;
		mw_nearest_try(&near, verb->name);
	}
	if (near.name)
		mw_complain("rules: unknown verb \"%s\"; did you mean \"%s\"?", name, near.name);
	else
		mw_complain("rules: unknown verb \"%s\"; there are check, list and test", name);
	return NULL;
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		mw_complain("rules: say what to do; usage: moonwatch rules check|list|test [DIR|FILE…]");
		return MW_EXIT_USAGE;
	}
	const struct verb *verb = find_verb(argv[1]);
	if (!verb)
		return MW_EXIT_USAGE;
	char **paths = argv + 2;
	bool is_json = false;
	for (; *paths && **paths == '-'; paths++) {
		if (strcmp(*paths, "--") == 0) {
			paths++;
			break;
		}
		if (!verb->has_json || strcmp(*paths, "--json") != 0) {
			mw_complain("rules %s: unknown option \"%s\"; see `moonwatch rules --help`", verb->name,
				    *paths);
			return MW_EXIT_USAGE;
		}
		is_json = true;
	}
	return verb->run(paths, is_json);
}

const struct mw_command mw_command_rules = {
	.name = "rules",
	.usage = "check|list|test [DIR|FILE…]",
	.summary = "check, list and test rules",
	.help = "  check        load them as the sensor does, and print a line for each that is refused\n"
		"  list         id, severity, ATT&CK techniques and summary; --json: an object a line\n"
		"  test         judge the examples of each rule, as TAP\n\n"
		"Without DIR or FILE: the rules that came with moonwatch.\n"
		"Exit status: 0 when all are good, 1 when one is refused or an example fails, 2 for a wrong call.\n",
	.run = run,
};

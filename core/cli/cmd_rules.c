/* moonwatch rules: check, list, test, replay, measure, make and import rules, without running anything under them. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/rules.h"
#include "flag/flag.h"

enum {
	JSON_BYTES = 64 << 10,
	MAX_TIMES = 100000,
};

struct work {
	unsigned findings;
	bool is_json;
};

struct mw_rules_options mw_rules_defaults(const char *const *paths)
{
	return (struct mw_rules_options){
		.tree = mw_tree(),
		.extra_dirs = "",
		.memory_bytes = (size_t)mw_flag_list[MW_FLAG_RULE_MEMORY_MIB].def << 20,
		.event_instructions = (uint64_t)mw_flag_list[MW_FLAG_RULE_EVENT_INSTRUCTIONS].def,
		.is_watched = true,
		.paths = paths && *paths ? paths : NULL,
	};
}

static void on_finding(void *data, const char *line)
{
	struct work *work = data;
	work->findings++;
	printf("%s\n", line);
}

static void add_member(struct mw_buf *json, const char *name, const char *text)
{
	mw_buf_printf(json, "%s\"%s\":", json->size > 1 ? "," : "", name);
	mw_json_string(json, text, strlen(text));
}

static void tell(const struct work *work, const struct mw_rule_problem *problem, const char *kind)
{
	if (!work->is_json) {
		printf("%s:%u:%u: %s %s%s\n", problem->file, problem->place.line, problem->place.column, problem->code,
		       strcmp(kind, "warning") == 0 ? "warning: " : "", problem->text);
		return;
	}
	struct mw_buf json = MW_BUF(JSON_BYTES);
	mw_buf_char(&json, '{');
	add_member(&json, "file", problem->file);
	mw_buf_printf(&json, ",\"line\":%u,\"column\":%u", problem->place.line, problem->place.column);
	add_member(&json, "code", problem->code);
	add_member(&json, "kind", kind);
	add_member(&json, "text", problem->text);
	printf("%s}\n", json.data);
	mw_buf_release(&json);
}

static void on_problem(void *data, const struct mw_rule_problem *problem)
{
	struct work *work = data;
	work->findings++;
	tell(work, problem, "error");
}

/* NULL after a complaint. */
static struct mw_rules *load(struct work *work, const struct mw_rules_arguments *arguments)
{
	struct mw_err err;
	struct mw_rules *rules = NULL;
	struct mw_rules_options options = mw_rules_defaults((const char *const *)arguments->words);
	options.report = on_finding;
	options.on_problem = on_problem;
	options.data = work;
	if (!*options.tree)
		return NULL;
	if (mw_rules_load(&options, &rules, &err) < 0)
		mw_complain("rules: %s", err.text);
	return rules;
}

/* What is no mistake, and yet is seldom meant so. */
static unsigned warn(const struct work *work, const struct mw_rules *rules)
{
	unsigned warnings = 0;
	for (size_t i = 0; i < mw_rules_count(rules); i++) {
		const struct mw_rule_info *info = mw_rules_info(rules, i);
		struct mw_rule_problem problem = {.file = mw_rules_file(rules, i), .place = {1, 1}};
		if (!mw_rules_state(rules, i).has_filter) {
			problem.code = "R201";
			problem.text = "no where: its script is asked for every event of its kinds";
			tell(work, &problem, "warning");
			warnings++;
		}
		if (info->severity >= MW_SEVERITY_HIGH && !info->attack_bytes) {
			problem.code = "R202";
			problem.text = "severity is high or critical, and attack is empty";
			tell(work, &problem, "warning");
			warnings++;
		}
	}
	return warnings;
}

static int check(const struct mw_rules_arguments *arguments)
{
	struct work work = {.is_json = arguments->is_json};
	struct mw_rules *rules = load(&work, arguments);
	if (!rules)
		return MW_EXIT_NO;
	unsigned warnings = arguments->is_strict ? warn(&work, rules) : 0;
	if (arguments->is_json)
		printf("{\"good\":%zu,\"refused\":%zu}\n", mw_rules_count(rules), mw_rules_refused(rules));
	else
		printf("%zu rules are good, %zu refused\n", mw_rules_count(rules), mw_rules_refused(rules));
	mw_rules_free(rules);
	return work.findings || warnings ? MW_EXIT_NO : MW_EXIT_OK;
}

static void print_attack(const struct mw_rule_info *info)
{
	const char *separator = "";
	for (size_t at = 0; at < info->attack_bytes; at += strlen(info->attack + at) + 1) {
		printf("%s%s", separator, info->attack + at);
		separator = ",";
	}
}

/* What alerts say of the rule, and where it is, what it listens to, whether it is on. */
static void list_json(struct mw_buf *json, const struct mw_rules *rules, size_t n)
{
	struct mw_rule_state state = mw_rules_state(rules, n);
	mw_buf_clear(json);
	mw_buf_char(json, '{');
	mw_shape_json_members(json, &mw_rule_shape, mw_rules_info(rules, n));
	mw_buf_str(json, ",\"on\":[");
	const char *separator = "";
	for (unsigned kind = 0; kind < MW_EVENT_KINDS; kind++)
		if (state.kinds >> kind & 1) {
			mw_buf_printf(json, "%s\"%s\"", separator, mw_event_kinds[kind].name);
			separator = ",";
		}
	mw_buf_printf(json, "],\"enabled\":%s,\"native\":%s", state.is_enabled ? "true" : "false",
		      state.has_filter ? "true" : "false");
	add_member(json, "file", mw_rules_file(rules, n));
	mw_buf_char(json, '}');
	printf("%s\n", json->data ? json->data : "");
}

static int list(const struct mw_rules_arguments *arguments)
{
	struct work work = {.is_json = arguments->is_json};
	struct mw_rules *rules = load(&work, arguments);
	if (!rules)
		return MW_EXIT_NO;
	struct mw_buf json = MW_BUF(JSON_BYTES);
	for (size_t i = 0; i < mw_rules_count(rules); i++) {
		const struct mw_rule_info *info = mw_rules_info(rules, i);
		if (arguments->is_json) {
			list_json(&json, rules, i);
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

static const struct mw_rules_verb verbs[] = {
	{"bench", "rt", mw_rules_bench},   {"check", "js", check},
	{"import", "oi", mw_rules_import}, {"list", "j", list},
	{"new", "o", mw_rules_new},        {"replay", "jr", mw_rules_replay},
	{"test", "cu", mw_rules_test},     {0},
};

static const struct mw_rules_verb *find_verb(const char *name)
{
	struct mw_nearest near = {.word = name};
	for (const struct mw_rules_verb *verb = verbs; verb->name; verb++) {
		if (strcmp(verb->name, name) == 0)
			return verb;
		mw_nearest_try(&near, verb->name);
	}
	if (near.name)
		mw_complain("rules: unknown verb \"%s\"; did you mean \"%s\"?", name, near.name);
	else
		mw_complain("rules: unknown verb \"%s\"; there are bench, check, import, list, new, replay and test",
			    name);
	return NULL;
}

/* The value of --NAME=VALUE or --NAME VALUE; *at moves on. */
static const char *value_of(const char *name, char ***at)
{
	size_t length = strlen(name);
	const char *word = **at;
	if (strncmp(word, name, length) != 0)
		return NULL;
	if (word[length] == '=')
		return word + length + 1;
	if (word[length] || !(*at)[1])
		return NULL;
	(*at)++;
	return **at;
}

static bool take_option(const struct mw_rules_verb *verb, char ***at, struct mw_rules_arguments *arguments)
{
	const char *word = **at;
	const char *value;
	const char *may = verb->options;
	unsigned rules = 0;
	while (arguments->rules[rules])
		rules++;
	if (strchr(may, 'j') && strcmp(word, "--json") == 0)
		return arguments->is_json = true;
	if (strchr(may, 's') && strcmp(word, "--strict") == 0)
		return arguments->is_strict = true;
	if (strchr(may, 'c') && strcmp(word, "--coverage") == 0)
		return arguments->has_coverage = true;
	if (strchr(may, 'u') && (value = value_of("--junit", at)))
		return (arguments->junit = value) != NULL;
	if (strchr(may, 'o') && ((value = value_of("--output", at)) || (value = value_of("-o", at))))
		return (arguments->folder = value) != NULL;
	if (strchr(may, 'i') && (value = value_of("--falco", at)))
		return (arguments->falco = value) != NULL;
	if (strchr(may, 'i') && (value = value_of("--sigma", at)))
		return (arguments->sigma = value) != NULL;
	if (strchr(may, 'r') && rules < MW_RULES_PATHS && (value = value_of("--rules", at)))
		return (arguments->rules[rules] = value) != NULL;
	if (strchr(may, 't') && (value = value_of("--times", at))) {
		unsigned long times = strtoul(value, NULL, 10);
		arguments->times = (unsigned)times;
		return times >= 1 && times <= MAX_TIMES;
	}
	return false;
}

static int run(int argc, char **argv)
{
	if (argc < 2) {
		mw_complain("rules: say what to do; usage: moonwatch rules check|list|test|replay|bench|new|import …");
		return MW_EXIT_USAGE;
	}
	const struct mw_rules_verb *verb = find_verb(argv[1]);
	if (!verb)
		return MW_EXIT_USAGE;
	struct mw_rules_arguments arguments = {.verb = verb->name};
	unsigned words = 0;
	bool are_words = false;
	for (char **at = argv + 2; *at; at++) {
		if (!are_words && strcmp(*at, "--") == 0) {
			are_words = true;
		} else if (are_words || **at != '-' || !(*at)[1]) {
			if (words == MW_RULES_PATHS) {
				mw_complain("rules %s: more than %d paths", verb->name, MW_RULES_PATHS);
				return MW_EXIT_USAGE;
			}
			arguments.words[words++] = *at;
		} else if (!take_option(verb, &at, &arguments)) {
			mw_complain(
				"rules %s: unknown option \"%s\", or without its value; see `moonwatch rules --help`",
				verb->name, *at);
			return MW_EXIT_USAGE;
		}
	}
	return verb->run(&arguments);
}

const struct mw_command mw_command_rules = {
	.name = "rules",
	.usage = "check|list|test|replay|bench|new|import …",
	.summary = "check, list, test, replay, measure, make and import rules",
	.help = "  check [--json] [--strict] [DIR|FILE…]    load them as the sensor does; a line for each mistake, with place and code;\n"
		"                                           --strict: warnings, too\n"
		"  list [--json] [DIR|FILE…]                id, severity, ATT&CK techniques and summary; --json: an object a line\n"
		"  test [--coverage] [--junit=FILE] [DIR|FILE…]\n"
		"                                           judge the examples of each rule, as TAP; --coverage: which branches of\n"
		"                                           its functions no example takes; --junit: a report as XML, too\n"
		"  replay [--json] [--rules=PATH]… EVENTS   what would have been told of a recording (JSON lines, maybe packed by\n"
		"                                           gzip; `moonwatch record` makes them), and what each rule took\n"
		"  bench [--rules=PATH]… [--times=N] EVENTS time for an event and a rule\n"
		"  new [-o DIR] NAME                        a rule to begin with\n"
		"  import --falco=FILE|--sigma=FILE [-o DIR]\n"
		"                                           what can be converted, as Lua; a line for each rule: converted, partly,\n"
		"                                           refused, and why\n\n"
		"Without DIR, FILE or --rules: the rules that came with moonwatch.  docs/howto/rules.md says what a rule may be.\n"
		"Exit status: 0 when all are good, 1 when one is refused or an example fails, 2 for a wrong call.\n",
	.run = run,
};

/* moonwatch config check|dump|explain */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/nearest.h"
#include "cli/command.h"
#include "cli/config_document.h"
#include "event/attention.h"
#include "flag/file_paths.h"
#include "flag/flag.h"
#include "rule/engine.h"
#include "script/values.h"
#include "script/config.h"
#include "script/outputs.h"
#include "watch/pattern.h"

enum {
	/* A policy as text: its strings, each perhaps in every entry, are a small part of this. */
	ATTENTION_BYTES = 1 << 20,
};

extern const struct mw_command mw_command_config;

static struct mw_attention attention;   /* large, and there is one */
static struct mw_file_paths files;      /* of the profile, and of the file over it */
static struct mw_file_paths file_files; /* of the file */

static int complain(int code, const struct mw_err *err)
{
	mw_complain("%s", err->text);
	return code == -EINVAL ? MW_EXIT_USAGE : MW_EXIT_CONFIG;
}

/* The flags that the arguments and the rest of the world give; an exit status when they are wrong, 0 otherwise. */
static int load(int argc, char **argv, struct mw_flags **ret_flags)
{
	const char *tree = mw_tree();
	if (!*tree)
		return MW_EXIT_CONFIG;
	struct mw_err err = {""};
	int rest;
	int r = mw_config_load(tree, argc, argv, environ, ret_flags, &attention, &files, &rest, &err);
	if (r < 0)
		return complain(r, &err);
	if (rest < argc) {
		mw_complain("\"%s\" is not a flag; see `moonwatch config --help`", argv[rest]);
		mw_flags_free(*ret_flags);
		return MW_EXIT_USAGE;
	}
	if (err.text[0])
		mw_complain("%s", err.text);
	return MW_EXIT_OK;
}

static void print_value(const struct mw_flags *flags, enum mw_flag_id id)
{
	MW_AUTO(mw_buf) value = MW_BUF(MW_FLAG_TEXT_BYTES);
	mw_flag_format(flags, id, &value);
	printf("%s=%s\n", mw_flag_list[id].name, value.data ? value.data : "");
}

static int dump(const struct mw_flags *flags)
{
	for (size_t i = 0; i < MW_FLAG_COUNT; i++)
		print_value(flags, (enum mw_flag_id)i);
	/* Behind '#', as in a flag file, where it has no place. */
	MW_AUTO(mw_buf) text = MW_BUF(ATTENTION_BYTES);
	mw_attention_format(&attention, "# ", &text);
	mw_file_paths_format(&files, "# ", &text);
	(void)fputs(text.data ? text.data : "", stdout);
	return MW_EXIT_OK;
}

static void explain_flag(const struct mw_flags *flags, enum mw_flag_id id)
{
	const char *origin = mw_flag_origin(flags, id);
	print_value(flags, id);
	printf("  from %s%s%s\n", mw_flag_source_name(mw_flag_source(flags, id)), *origin ? ": " : "", origin);
	printf("  %s\n", mw_flag_list[id].doc);
	if (mw_flag_list[id].type == MW_FLAG_INT)
		printf("  %lld to %lld, default %lld\n", (long long)mw_flag_list[id].min,
		       (long long)mw_flag_list[id].max, (long long)mw_flag_list[id].def);
}

static void report_rule(void *data, const char *line)
{
	(void)data;
	mw_complain("%s", line);
}

/* What profile and file say of rules; true when it is good. */
static bool check_changes(struct mw_rules *rules, const struct mw_flags *flags)
{
	struct mw_err err = {""};
	const char *json = mw_flags_rules(flags);
	const char *path = mw_flag_text(flags, MW_FLAG_RULES_FILE);
	bool is_good = !*json || mw_rules_override(rules, MW_RULES_PROFILE, json, &err) == 0;
	if (is_good && *path) {
		MW_AUTO(mw_buf) text = MW_BUF(MW_SCRIPT_BYTES);
		is_good = mw_values_read(mw_tree(), path, &text, &err) == 0 &&
			  mw_rules_override(rules, MW_RULES_FILE, text.data ? text.data : "", &err) == 0;
	}
	if (!is_good)
		mw_complain("%s", err.text);
	return is_good;
}

/* Findings: rules that will not run, though the sensor will. */
static int check_rules(const struct mw_flags *flags)
{
	struct mw_rules_options options = {
		.tree = mw_tree(),
		.extra_dirs = mw_flag_text(flags, MW_FLAG_RULES_DIR),
		.memory_bytes = (size_t)mw_flag_int(flags, MW_FLAG_RULE_MEMORY_MIB) << 20,
		.event_instructions = (uint64_t)mw_flag_int(flags, MW_FLAG_RULE_EVENT_INSTRUCTIONS),
		.report = report_rule,
	};
	struct mw_err err = {""};
	struct mw_rules *rules;
	int r = mw_rules_load(&options, &rules, &err);
	if (r < 0) {
		mw_complain("%s", err.text);
		return MW_EXIT_CONFIG;
	}
	size_t loaded = mw_rules_count(rules);
	size_t refused = mw_rules_refused(rules);
	bool is_good = check_changes(rules, flags);
	mw_rules_free(rules);
	printf("rules: %zu, refused: %zu\n", loaded, refused);
	return refused || !is_good ? MW_EXIT_NO : MW_EXIT_OK;
}

/* Patterns that nothing will come of. */
static int check_files(void)
{
	int status = MW_EXIT_OK;
	for (size_t i = 0; i < files.count; i++) {
		const struct mw_file_entry *entry = &files.entries[i];
		bool is_exclude = entry->section == MW_SECTION_EXCLUDE_PATHS;
		struct mw_err err = {""};
		struct mw_pattern *pattern = NULL;
		if (!entry->text || (entry->section != MW_SECTION_FILE_PATHS && !is_exclude))
			continue;
		if (mw_pattern_new(entry->text, is_exclude, &pattern, &err) < 0) {
			mw_complain("%s: %s: %s", mw_file_section_names[entry->section], entry->category, err.text);
			status = MW_EXIT_CONFIG;
		} else {
			mw_pattern_free(pattern);
		}
	}
	return status;
}

static void warn(const char *line)
{
	mw_complain("%s", line);
}

/* The file of --config_path, into `files`; what is no good in it is said. */
static int take_document(struct mw_flags *flags)
{
	struct mw_err err = {""};
	int warnings = mw_config_document_load(flags, mw_tree(), &file_files, warn, &err);
	if (warnings >= 0 && mw_file_paths_lay(&files, &file_files, &err) < 0)
		warnings = -EINVAL;
	if (warnings < 0)
		mw_complain("%s", err.text);
	return warnings < 0 ? MW_EXIT_CONFIG : warnings > 0 ? MW_EXIT_NO : MW_EXIT_OK;
}

static int check(struct mw_flags *flags)
{
	struct mw_err err = {""};
	if (mw_outputs_check(mw_flag_text(flags, MW_FLAG_OUTPUTS), mw_tree(), &err) < 0) {
		mw_complain("--outputs: %s", err.text);
		return MW_EXIT_CONFIG;
	}
	int findings = take_document(flags);
	if (findings == MW_EXIT_CONFIG)
		return findings;
	int status = check_files();
	if (status == MW_EXIT_OK)
		status = check_rules(flags);
	if (status == MW_EXIT_OK)
		status = findings;
	if (status == MW_EXIT_OK)
		puts("configuration: good");
	return status;
}

static int run_check(int argc, char **argv)
{
	struct mw_flags *flags;
	int status = load(argc, argv, &flags);
	if (status != MW_EXIT_OK)
		return status;
	status = check(flags);
	mw_flags_free(flags);
	return status;
}

static int run_dump(int argc, char **argv)
{
	struct mw_flags *flags;
	int status = load(argc, argv, &flags);
	if (status != MW_EXIT_OK)
		return status;
	status = dump(flags);
	mw_flags_free(flags);
	return status;
}

static enum mw_file_section section_of(const char *name)
{
	unsigned section = 0;
	while (section < MW_SECTIONS && strcmp(mw_file_section_names[section], name) != 0)
		section++;
	return section;
}

static bool names(const struct mw_file_paths *paths, const struct mw_file_entry *wanted)
{
	for (size_t i = 0; i < paths->count; i++)
		if (paths->entries[i].section == wanted->section &&
		    strcmp(paths->entries[i].category, wanted->category) == 0)
			return true;
	return false;
}

/* Which files are watched, category by category, and who says so. */
static void explain_files(const struct mw_flags *flags, enum mw_file_section only)
{
	mw_file_paths_sort(&files);
	for (size_t i = 0; i < files.count; i++) {
		const struct mw_file_entry *entry = &files.entries[i];
		if (only != MW_SECTIONS && entry->section != only)
			continue;
		printf("%s: %s%s%s\n", mw_file_section_names[entry->section], entry->category,
		       entry->text && *entry->text ? ": " : "", entry->text ? entry->text : ": nothing");
		bool is_file = names(&file_files, entry);
		printf("  from %s: %s\n", mw_flag_source_name(is_file ? MW_FROM_CONFIG : MW_FROM_PROFILE),
		       mw_flag_text(flags, is_file ? MW_FLAG_CONFIG_PATH : MW_FLAG_PROFILE));
	}
}

static int run_explain(int argc, char **argv)
{
	const struct mw_flag *only = NULL;
	enum mw_file_section section = MW_SECTIONS;
	if (argc > 0 && argv[0][0] != '-')
		section = section_of(argv[0]);
	bool is_section = section != MW_SECTIONS;
	if (argc > 0 && argv[0][0] != '-' && !is_section) {
		only = mw_flag_find(argv[0]);
		if (!only) {
			const char *nearest = mw_flag_nearest(argv[0]);
			mw_complain("unknown flag \"%s\"%s%s%s", argv[0], nearest ? "; did you mean \"" : "",
				    nearest ? nearest : "", nearest ? "\"?" : "");
			return MW_EXIT_USAGE;
		}
	}
	int named = only || is_section ? 1 : 0;
	struct mw_flags *flags;
	int status = load(argc - named, argv + named, &flags);
	if (status != MW_EXIT_OK)
		return status;
	status = take_document(flags);
	for (size_t i = 0; !is_section && i < MW_FLAG_COUNT; i++)
		if (!only || only == &mw_flag_list[i])
			explain_flag(flags, (enum mw_flag_id)i);
	if (!only)
		explain_files(flags, section);
	mw_flags_free(flags);
	return status == MW_EXIT_CONFIG ? status : MW_EXIT_OK;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} actions[] = {
	{"check", run_check},
	{"dump", run_dump},
	{"explain", run_explain},
};

static int run(int argc, char **argv)
{
	if (argc < 2) {
		mw_complain("config: say check, dump or explain");
		return MW_EXIT_USAGE;
	}
	for (int i = 2; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			mw_command_help(&mw_command_config);
			return MW_EXIT_OK;
		}
	}
	struct mw_nearest nearest = {.word = argv[1]};
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(actions[i].name, argv[1]) == 0)
			return actions[i].run(argc - 2, argv + 2);
		mw_nearest_try(&nearest, actions[i].name);
	}
	mw_complain("config knows no \"%s\"; %s%s%s", argv[1],
		    nearest.name ? "did you mean " : "say check, dump or explain", nearest.name ? nearest.name : "",
		    nearest.name ? "?" : "");
	return MW_EXIT_USAGE;
}

const struct mw_command mw_command_config = {
	.name = "config",
	.usage = "check|dump|explain [NAME] [flags]",
	.summary = "Check and show what flags, environment, file and profile add up to.",
	.help = "  check           say what is wrong: exit 78 for flags, profile, outputs or the file of --config_path, 1 for refused\n"
		"                  rules and what has no effect in that file\n"
		"  dump            every flag as name=value, and the policy of attention in comments\n"
		"  explain [NAME]  every flag, or one: its value, where that came from, and what it is for; and which files are\n"
		"                  watched (NAME: file_paths and the like), and where that came from\n",
	.run = run,
};

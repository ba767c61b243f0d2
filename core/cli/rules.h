/* What the verbs of `moonwatch rules` share. */
#pragma once

#include <stdbool.h>

#include "rule/engine.h"

enum {
	MW_RULES_PATHS = 64,
};

struct mw_rules_arguments {
	const char *verb;
	bool is_json, is_strict, has_coverage, is_quick;
	const char *junit;  /* file to write; NULL: none */
	const char *folder; /* of `new`, `import`: where to; NULL: here */
	const char *falco, *sigma;
	unsigned times;                  /* of bench: how often the recording is judged */
	char *words[MW_RULES_PATHS + 1]; /* what is no option; ended by NULL */
	const char
		*rules[MW_RULES_PATHS + 1]; /* --rules=PATH, for verbs whose words are something else; ended by NULL */
};

struct mw_rules_verb {
	const char *name;
	/* Options it takes, by letters: j(son), s(trict), c(overage), j(u)nit, o (folder), t(imes), r(ules), i (falco,
	 * sigma). */
	const char *options;
	int (*run)(const struct mw_rules_arguments *arguments);
};

/* The limits that hold by default; `paths` NULL-ended, none: the shipped rules. */
struct mw_rules_options mw_rules_defaults(const char *const *paths);

int mw_rules_test(const struct mw_rules_arguments *arguments);
int mw_rules_replay(const struct mw_rules_arguments *arguments);
int mw_rules_bench(const struct mw_rules_arguments *arguments);
int mw_rules_new(const struct mw_rules_arguments *arguments);
int mw_rules_import(const struct mw_rules_arguments *arguments);

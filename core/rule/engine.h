/* The rules: loaded from folders of Lua files into one sandboxed state, found by kind of event and native filters. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/alert.h"

struct mw_coverage;
struct mw_err;
struct mw_rules;

enum {
	/* Rules are switched off after this many errors, or passed limits, in `match`. */
	MW_RULE_FAULTS = 5,
	/* Files looked at in all. */
	MW_RULE_FILES = 20000,
	/* Folders below a folder of rules. */
	MW_RULE_DEPTH = 4,
	/* What loading one file may take: its chunk, and the check of what it returned. */
	MW_RULE_LOAD_INSTRUCTIONS = 1000000,
	/* A single file that keeps more than the n-th part of the memory of all is refused. */
	MW_RULE_MEMORY_SHARE = 4,
	/* One call of Lua: far more than its instructions take, unless a single step of them does not end. */
	MW_RULE_WATCHDOG_MS = 200,
};

/* Where a problem is, from 1. */
struct mw_rule_place {
	unsigned line, column;
};

struct mw_rule_problem {
	const char *file;
	struct mw_rule_place place;
	const char *code; /* "R103", docs/howto/rules.md */
	const char *text;
};

/* Who changes rules without touching them: later ones win. */
enum mw_rules_source {
	MW_RULES_PROFILE,
	MW_RULES_FILE,
	MW_RULES_BACKEND,
	MW_RULES_SOURCES,
};

extern const char *const mw_rules_source_names[MW_RULES_SOURCES];

struct mw_rules_options {
	const char *tree; /* folder that holds lua/ and rules/ */
	/* More folders, separated by ':'; "" for none.  One that does not exist is reported, and the rest loaded. */
	const char *extra_dirs;
	size_t memory_bytes;
	uint64_t event_instructions; /* budget of one `match` call */
	/* See to it by a thread that a call of Lua ends, whatever its instructions do: after MW_RULE_WATCHDOG_MS and the time
	 * that so many instructions may take. */
	bool is_watched;
	/* Which branches of the rules' functions are taken; then there are no budgets.  NULL: nobody asks. */
	struct mw_coverage *coverage;
	/* Count what each rule takes. */
	bool is_timed;
	/* One line for each rule that is refused or switched off: "FILE:LINE: what, and what to do". */
	void (*report)(void *data, const char *line);
	void *data;
	/* Load these files and folders (ended by NULL) instead of <tree>/rules and extra_dirs; NULL for those. */
	const char *const *paths;
	/* Told of each example as it is tried: `why` is NULL when the rule agreed with it.  May be NULL. */
	void (*on_example)(void *data, const char *rule, unsigned example, const char *why);
	/* Told of each rule that is refused, instead of `report`.  May be NULL. */
	void (*on_problem)(void *data, const struct mw_rule_problem *problem);
};

/* Loads what can be loaded: a rule that is refused is reported and left out.  Fails only when there can be no engine at
 * all (memory, the shipped library missing). */
int mw_rules_load(const struct mw_rules_options *options, struct mw_rules **ret_rules, struct mw_err *err);
void mw_rules_free(struct mw_rules *rules);
/* Report to somebody else from now on. */
void mw_rules_set_report(struct mw_rules *rules, void (*report)(void *data, const char *line), void *data);

/* What of a set that was loaded, maybe by another thread, has to be done by the one that judges: its table of programs and its
 * watchdog are put in force.  mw_rules_load() does it; with `is_apart` it does not. */
int mw_rules_load_apart(const struct mw_rules_options *options, struct mw_rules **ret_rules, struct mw_err *err);
/* Put `next` in the place of `rules`, which is freed; throttles, counts, sequences and marks go on.  `rules` may be NULL. */
void mw_rules_swap(struct mw_rules *rules, struct mw_rules *next);

size_t mw_rules_count(const struct mw_rules *rules);
size_t mw_rules_refused(const struct mw_rules *rules);
const struct mw_rule_info *mw_rules_info(const struct mw_rules *rules, size_t n);
/* Where rule n was loaded from. */
const char *mw_rules_file(const struct mw_rules *rules, size_t n);

/* How often. */
struct mw_rule_counts {
	uint64_t asked;    /* its scripts were */
	uint64_t matched;  /* it, or a step of its sequence */
	uint64_t excepted; /* by its exceptions */
	uint64_t folded;   /* by its throttle */
	uint64_t alerts;
	uint64_t ns; /* its scripts took; with is_timed */
};

/* How rule n fares. */
struct mw_rule_state {
	unsigned faults;
	bool is_off;     /* for its faults */
	bool is_enabled; /* as its file and overrides say */
	bool has_filter; /* part of it is told by `where` */
	uint64_t kinds;  /* bit n: it listens to mw_event_kind n */
	struct mw_rule_counts counts;
};
struct mw_rule_state mw_rules_state(const struct mw_rules *rules, size_t n);

/* Bytes of scripts, and of what is remembered. */
size_t mw_rules_memory(const struct mw_rules *rules);

/* Does any rule listen to this kind? */
bool mw_rules_want(const struct mw_rules *rules, enum mw_event_kind kind);

/* Kinds of events, bit n for kind n, that rules with a response of their own (kill, deny) listen to. */
uint64_t mw_rules_responding(const struct mw_rules *rules);

/* Ask every rule that listens; each match is told to `on_alert` (what it gets is borrowed for the call).  A rule that
 * fails is counted, and switched off with a report after MW_RULE_FAULTS faults. */
void mw_rules_judge(struct mw_rules *rules, const struct mw_event *event,
		    void (*on_alert)(void *data, const struct mw_alert *alert), void *data);

/* Now and then: forget what has ended, and report what throttles have folded and no later alert has told. */
void mw_rules_tick(struct mw_rules *rules, int64_t now_ns);

/* Change rules without touching them: {"disable": […], "enable": […], "override": {ID: {…}}, "exceptions": […]}, as JSON
 * (docs/howto/rules.md); it takes the place of what this source said before, "" of nothing.  All of it holds, or nothing:
 * -EINVAL with err.  An id or selector that no rule has is reported, and the rest holds: rules come and go.  On success
 * what rules want may have changed. */
int mw_rules_override(struct mw_rules *rules, enum mw_rules_source source, const char *json, struct mw_err *err);

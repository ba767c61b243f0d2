/* The rules: loaded from folders of Lua files into one sandboxed state, dispatched by kind of event. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/alert.h"

struct mw_err;
struct mw_rules;

enum {
	/* Rules are switched off after this many errors, or passed limits, in `match`. */
	MW_RULE_FAULTS = 5,
	/* Files looked at in all. */
	MW_RULE_FILES = 1000,
	/* Folders below a folder of rules. */
	MW_RULE_DEPTH = 4,
	/* What loading one file may take: its chunk, and the check of what it returned. */
	MW_RULE_LOAD_INSTRUCTIONS = 1000000,
	/* A single file that keeps more than the n-th part of the memory of all is refused. */
	MW_RULE_MEMORY_SHARE = 4,
};

struct mw_rules_options {
	const char *tree; /* folder that holds lua/ and rules/ */
	/* More folders, separated by ':'; "" for none.  One that does not exist is reported, and the rest loaded. */
	const char *extra_dirs;
	size_t memory_bytes;
	uint64_t event_instructions; /* budget of one `match` call */
	/* One line for each rule that is refused or switched off: "FILE:LINE: what, and what to do". */
	void (*report)(void *data, const char *line);
	void *data;
	/* Load these files and folders (ended by NULL) instead of <tree>/rules and extra_dirs; NULL for those. */
	const char *const *paths;
	/* Told of each example as it is tried: `why` is NULL when the rule agreed with it.  May be NULL. */
	void (*on_example)(void *data, const char *rule, unsigned example, const char *why);
};

/* Loads what can be loaded: a rule that is refused is reported and left out.  Fails only when there can be no engine at
 * all (memory, the shipped library missing). */
int mw_rules_load(const struct mw_rules_options *options, struct mw_rules **ret_rules, struct mw_err *err);
void mw_rules_free(struct mw_rules *rules);
/* Report to somebody else from now on. */
void mw_rules_set_report(struct mw_rules *rules, void (*report)(void *data, const char *line), void *data);

size_t mw_rules_count(const struct mw_rules *rules);
size_t mw_rules_refused(const struct mw_rules *rules);
const struct mw_rule_info *mw_rules_info(const struct mw_rules *rules, size_t n);
/* Where rule n was loaded from. */
const char *mw_rules_file(const struct mw_rules *rules, size_t n);

/* How rule n fares. */
struct mw_rule_state {
	unsigned faults;
	bool is_off;     /* for its faults */
	bool is_enabled; /* as its file says */
	uint64_t kinds;  /* bit n: it listens to mw_event_kind n */
};
struct mw_rule_state mw_rules_state(const struct mw_rules *rules, size_t n);

/* Does any rule listen to this kind? */
bool mw_rules_want(const struct mw_rules *rules, enum mw_event_kind kind);

/* Kinds of events, bit n for kind n, that rules with a response of their own (kill, deny) listen to. */
uint64_t mw_rules_responding(const struct mw_rules *rules);

/* Ask every rule that listens; each match is told to `on_alert` (what it gets is borrowed for the call).  A rule that
 * fails is counted, and switched off with a report after MW_RULE_FAULTS faults. */
void mw_rules_judge(struct mw_rules *rules, const struct mw_event *event,
		    void (*on_alert)(void *data, const struct mw_alert *alert), void *data);

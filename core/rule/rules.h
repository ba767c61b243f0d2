/* What the parts of the engine share: load.c and take.c fill, judge.c and remember.c ask, override.c changes. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <lua.h>

#include "base/buf.h"
#include "event/alert.h"
#include "rule/engine.h"
#include "rule/filter.h"
#include "rule/index.h"
#include "rule/store.h"

struct mw_script;
struct mw_watchdog;

enum {
	/* A line of a report: a path, a place in it, and a sentence. */
	MW_RULE_LINE_BYTES = 6144,
	/* Fields that make a key: as lua/moonwatch/rule.lua has it. */
	MW_RULE_KEY_FIELDS = 4,
	MW_RULE_NAME_BYTES = 64,
	/* Events being judged, each a report of a fault while judging another. */
	MW_RULE_DEPTH_JUDGED = 3,
};

/* Values of an event that what is remembered hangs on. */
struct mw_rule_key {
	unsigned count;
	const struct mw_field *paths[MW_RULE_KEY_FIELDS][MW_FILTER_PATH + 1];
};

/* A rule without a sequence has one step. */
struct mw_rule_step {
	uint64_t kinds; /* bit n: listens to mw_event_kind n */
	/* One is enough; there is at least one. */
	struct mw_filter *filters;
	unsigned filters_count;
	int match; /* reference of the function in the registry; LUA_NOREF: the filters say it all */
	struct mw_rule_key by;
};

struct mw_rule_exception {
	char *reason;
	struct mw_filter filter;
	int match; /* likewise */
	bool is_override;
};

struct mw_rule_throttle {
	int64_t period_ns; /* 0: none */
	struct mw_rule_key by;
};

struct mw_rule_threshold {
	unsigned count; /* 0: none */
	int64_t within_ns;
	struct mw_rule_key by;
	const struct mw_field *distinct[MW_FILTER_PATH + 1]; /* [0] NULL: events are counted */
};

enum mw_rule_scope {
	MW_SCOPE_NONE,
	MW_SCOPE_PROCESS,
	MW_SCOPE_TREE,
	MW_SCOPE_RULE,
};

/* What an override may change. */
struct mw_rule_settings {
	enum mw_severity severity;
	unsigned attention, respond;
	bool is_enabled;
	char *message; /* see message.h */
	char *tags;    /* one after the other, each with its NUL */
	size_t tags_bytes;
	struct mw_rule_throttle throttle;
};

struct mw_rule {
	/* What `info` points to is owned here, or by `now`. */
	struct mw_rule_info info;
	char *file;
	struct mw_rule_settings own, now; /* as its file says; with what overrides change */
	bool is_off;                      /* after MW_RULE_FAULTS faults */
	bool is_silent;
	bool needs_lua; /* an exception has a function */
	unsigned faults;
	uint64_t kinds; /* of all steps */
	struct mw_rule_step *steps;
	unsigned steps_count;
	int64_t within_ns; /* of a sequence; 0: it is none */
	struct mw_rule_exception *exceptions;
	unsigned exceptions_count;
	struct mw_rule_threshold threshold;
	struct {
		char name[MW_RULE_NAME_BYTES]; /* "": none */
		int64_t ttl_ns;
		bool is_on_parent;
	} mark;
	enum mw_rule_scope scope;
	int64_t memory_ns;
	uint32_t owner; /* hash of its id: in the store, and the same after a reload */
	/* Bytes allocated less bytes collected during its calls: the one that hoards stands out. */
	int64_t held_bytes;
	struct mw_rule_counts counts;
};

/* Which filter of which step of which rule a listener is. */
struct mw_listening {
	unsigned rule;
	unsigned step;
	unsigned filter;
};

struct mw_rules {
	struct mw_script *script;
	struct mw_rules_options options;
	struct mw_rule *list;
	size_t count;
	size_t refused;
	/* Listeners, later steps of a sequence before earlier ones: what ends one step does not begin the next. */
	struct mw_listener *listeners;
	struct mw_listening *listening;
	unsigned listeners_count;
	struct mw_index *index;
	uint64_t kinds; /* that any enabled rule listens to */
	struct mw_store *store;
	struct mw_lineage_table *lineage;
	struct mw_watchdog *watchdog;      /* NULL: none */
	char *overrides[MW_RULES_SOURCES]; /* JSON, by source */
	struct mw_buf message;
	struct mw_buf earlier;
	struct mw_question *question;            /* being asked */
	uint64_t *pending[MW_RULE_DEPTH_JUDGED]; /* of the events that are being judged, one within the other */
	unsigned depth;
};

/* Load the rules of a file, or say why not. */
void mw_rules_load_file(struct mw_rules *rules, const char *path);
/* (Re)make listeners and index, of rules that are enabled.  -ENOMEM. */
int mw_rules_index(struct mw_rules *rules);

void mw_rule_release(struct mw_rules *rules, struct mw_rule *rule);
void mw_rule_settings_release(struct mw_rule_settings *settings);
void mw_rule_exceptions_release(struct mw_rules *rules, struct mw_rule *rule, bool overrides_only);
/* -ENOMEM. */
int mw_rule_settings_copy(struct mw_rule_settings *to, const struct mw_rule_settings *from);
/* What an override gave becomes what alerts say. */
void mw_rule_settle(struct mw_rule *rule);

/* take.c: from the checked definition on top of the stack; may raise.  0, or -EINVAL, -ENOMEM with err set. */
int mw_rule_take(lua_State *L, struct mw_rule *rule, struct mw_err *err);
void mw_rule_take_settings(lua_State *L, struct mw_rule_settings *settings);
/* The list of exceptions on top, appended. */
int mw_rule_take_exceptions(lua_State *L, struct mw_rule *rule, bool is_override, struct mw_err *err);
/* Push the module that moonwatch.rule.where gets its names from. */
void mw_rule_push_conditions(lua_State *L);
uint32_t mw_rule_owner(const char *id);

/* An event on its way past rules. */
struct mw_question {
	struct mw_rules *rules;
	struct mw_subject subject;
	uint64_t *pending; /* bits of those still to be asked */
	unsigned words;
	struct mw_rule *only; /* NULL: all that are pending */
	unsigned next;        /* word, or of `only` the step from the end */
	/* That has passed last: its other filters need not be tried. */
	const struct mw_rule_step *passed;
	struct mw_rule *asked;
	unsigned step;
	unsigned alerts;
	size_t memory; /* before it was asked */
	uint64_t generation;
	bool has_view;
	bool is_match;
	bool is_pending; /* `asked` has passed its filter and is yet to be asked in Lua */
	void (*on_alert)(void *data, const struct mw_alert *alert);
	void *data;
};

/* judge.c: ask `only`, of the definition that is being loaded.  0, or a negative errno with err set. */
int mw_rules_judge_one(struct mw_rules *rules, struct mw_rule *rule, const struct mw_event *event, bool *ret_alert,
		       struct mw_err *err);

/* remember.c: a step has matched; whether that is an alert, and what it says. */
bool mw_rule_matched(struct mw_question *question, struct mw_alert *alert);
/* The key of an event; returns its bytes. */
size_t mw_rule_key_make(const struct mw_rule_key *key, const struct mw_event *event, char *ret_key, size_t room);
/* Does the step wait for an earlier one that has not come? */
bool mw_rule_waits(const struct mw_rules *rules, const struct mw_rule *rule, unsigned step);
void mw_rule_push_memory(lua_State *L, struct mw_rules *rules);

__attribute__((format(printf, 2, 3))) void mw_rules_report(struct mw_rules *rules, const char *format, ...);

/* What `text` says of the chunk of `path` ("name.lua:7: what"), with the whole path: Lua cuts long names. */
void mw_rules_report_at(struct mw_rules *rules, const char *path, const char *text, const char *then);

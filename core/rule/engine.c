/* Judging events.
 *
 * All rules live in one state, each called by itself under its own budget; whatever a rule does, the next one is asked
 * just the same.  The view of an event is made once and handed to all. */
#include "rule/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "rule/files.h"
#include "rule/message.h"
#include "rule/rules.h"
#include "script/bind.h"
#include "script/text.h"

enum {
	MESSAGE_BYTES = 1024
};

/* Its address is the key of the event's view in the registry. */
static const char view_key;

void mw_rules_report(struct mw_rules *rules, const char *format, ...)
{
	char line[MW_RULE_LINE_BYTES];
	if (!rules->options.report)
		return;
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	/* Names of files and texts of errors are somebody else's, and end on a terminal. */
	MW_AUTO(mw_buf) printable = MW_BUF(2 * MW_RULE_LINE_BYTES);
	mw_text_printable(&printable, line, strlen(line), MW_RULE_LINE_BYTES);
	rules->options.report(rules->options.data, printable.size ? printable.data : "no memory for a report");
}

void mw_rules_report_at(struct mw_rules *rules, const char *path, const char *text, const char *then)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	if (strncmp(text, path, strlen(path)) == 0)
		mw_rules_report(rules, "%s%s", text, then);
	else if (strncmp(text, name, length) == 0 && text[length] == ':')
		mw_rules_report(rules, "%s%s%s", path, text + length, then);
	else
		mw_rules_report(rules, "%s: %s%s", path, text, then);
}

void mw_rule_release(struct mw_rule *rule)
{
	free((void *)(uintptr_t)rule->info.id);
	free((void *)(uintptr_t)rule->info.summary);
	free((void *)(uintptr_t)rule->info.attack);
	free(rule->file);
	free(rule->message);
}

/* The rules of a folder, or a single file. */
static void load_path(struct mw_rules *rules, const char *path, bool is_own)
{
	struct mw_rule_files files = {0};
	struct mw_err err;
	if (mw_rule_files_add(&files, path, is_own, &err) < 0) {
		rules->refused++;
		mw_rules_report(rules, "%s", err.text);
	}
	for (size_t i = 0; i < files.count; i++)
		mw_rules_load_file(rules, files.paths[i]);
	mw_rule_files_release(&files);
}

static void load_paths(struct mw_rules *rules)
{
	const struct mw_rules_options *options = &rules->options;
	if (options->paths) {
		for (const char *const *path = options->paths; *path; path++)
			load_path(rules, *path, false);
		return;
	}
	char path[MW_PATH_BYTES];
	(void)snprintf(path, sizeof(path), "%s/rules", options->tree);
	load_path(rules, path, true);
	for (const char *dir = options->extra_dirs ? options->extra_dirs : ""; *dir;) {
		size_t length = strcspn(dir, ":");
		if (length >= sizeof(path)) {
			rules->refused++;
			mw_rules_report(rules, "rules_dir: a path is longer than %zu bytes", sizeof(path) - 1);
		} else if (length) {
			memcpy(path, dir, length);
			path[length] = '\0';
			load_path(rules, path, false);
		}
		dir += length + (dir[length] == ':');
	}
}

static int index_kinds(struct mw_rules *rules)
{
	for (int kind = 0; kind < MW_EVENT_KINDS; kind++) {
		unsigned *list = calloc(rules->count + 1, sizeof(*list));
		if (!list)
			return -ENOMEM;
		unsigned n = 0;
		for (size_t i = 0; i < rules->count; i++)
			if (rules->list[i].is_enabled && (rules->list[i].kinds & 1ull << kind))
				list[n++] = (unsigned)i;
		rules->by_kind[kind] = list;
		rules->by_kind_count[kind] = n;
	}
	return 0;
}

int mw_rules_load(const struct mw_rules_options *options, struct mw_rules **ret_rules, struct mw_err *err)
{
	struct mw_rules *rules = calloc(1, sizeof(*rules));
	if (!rules)
		return mw_err_set(err, -ENOMEM, "no memory for rules");
	rules->options = *options;
	rules->message = (struct mw_buf)MW_BUF(MESSAGE_BYTES);
	struct mw_script_options script = {
		.kind = MW_SCRIPT_RULES,
		.tree = options->tree,
		.memory_bytes = options->memory_bytes,
	};
	int r = mw_script_new(&script, &rules->script, err);
	if (r == 0)
		r = mw_script_require(rules->script, "moonwatch.rule", err);
	if (r == 0) {
		lua_settop(mw_script_lua(rules->script), 0); /* it stays loaded */
		load_paths(rules);
		r = index_kinds(rules);
		if (r < 0)
			(void)mw_err_set(err, r, "no memory for rules");
	}
	if (r < 0) {
		mw_rules_free(rules);
		return r;
	}
	/* The strings they point to may be the caller's; they are not needed any more. */
	rules->options.tree = rules->options.extra_dirs = NULL;
	rules->options.paths = NULL;
	*ret_rules = rules;
	return 0;
}

void mw_rules_free(struct mw_rules *rules)
{
	if (!rules)
		return;
	for (size_t i = 0; i < rules->count; i++)
		mw_rule_release(&rules->list[i]);
	for (int kind = 0; kind < MW_EVENT_KINDS; kind++)
		free(rules->by_kind[kind]);
	free(rules->list);
	mw_buf_release(&rules->message);
	mw_script_free(rules->script);
	free(rules);
}

void mw_rules_set_report(struct mw_rules *rules, void (*report)(void *data, const char *line), void *data)
{
	rules->options.report = report;
	rules->options.data = data;
}

size_t mw_rules_count(const struct mw_rules *rules)
{
	return rules->count;
}

size_t mw_rules_refused(const struct mw_rules *rules)
{
	return rules->refused;
}

const struct mw_rule_info *mw_rules_info(const struct mw_rules *rules, size_t n)
{
	return n < rules->count ? &rules->list[n].info : NULL;
}

const char *mw_rules_file(const struct mw_rules *rules, size_t n)
{
	return n < rules->count ? rules->list[n].file : NULL;
}

struct mw_rule_state mw_rules_state(const struct mw_rules *rules, size_t n)
{
	const struct mw_rule *rule = &rules->list[n];
	return (struct mw_rule_state){
		.faults = rule->faults,
		.is_off = rule->is_off,
		.is_enabled = rule->is_enabled,
		.kinds = rule->kinds,
	};
}

bool mw_rules_want(const struct mw_rules *rules, enum mw_event_kind kind)
{
	return rules->by_kind_count[kind] > 0;
}

uint64_t mw_rules_responding(const struct mw_rules *rules)
{
	uint64_t kinds = 0;
	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i].is_enabled && rules->list[i].info.respond)
			kinds |= rules->list[i].kinds;
	return kinds;
}

/* An event on its way past the rules that listen to its kind. */
struct question {
	struct mw_rules *rules;
	const struct mw_event *event;
	unsigned next; /* in by_kind */
	struct mw_rule *asked;
	size_t memory; /* before it was asked */
	bool has_view;
	bool is_match;
};

/* What the rule asked last has allocated less what was collected while it ran. */
static void account(const struct question *question)
{
	size_t now = mw_script_memory(question->rules->script);
	question->asked->held_bytes += (int64_t)now - (int64_t)question->memory;
}

static void push_view(lua_State *L, struct question *question)
{
	if (!question->has_view) {
		mw_lua_push_object(L, &mw_event_shape, question->event);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &view_key);
		question->has_view = true;
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, &view_key);
}

/* Ask one rule after the other, until one matches or none is left; each has the whole budget. */
static int ask(lua_State *L)
{
	struct question *question = lua_touserdata(L, 1);
	struct mw_rules *rules = question->rules;
	enum mw_event_kind kind = question->event->kind;
	while (question->next < rules->by_kind_count[kind]) {
		struct mw_rule *rule = &rules->list[rules->by_kind[kind][question->next++]];
		if (rule->is_off)
			continue;
		question->asked = rule;
		question->memory = mw_script_memory(rules->script);
		mw_script_renew_budget(rules->script);
		lua_rawgeti(L, LUA_REGISTRYINDEX, rule->match);
		push_view(L, question);
		lua_call(L, 1, 1);
		account(question);
		question->is_match = lua_toboolean(L, -1);
		if (question->is_match)
			return 0;
		lua_pop(L, 1);
	}
	return 0;
}

static void switch_off(struct mw_rules *rules, struct mw_rule *rule)
{
	rule->is_off = true;
	luaL_unref(mw_script_lua(rules->script), LUA_REGISTRYINDEX, rule->match);
	rule->has_match = false;
}

/* The memory of all is used up, and collecting garbage does not help: the one that hoards must go, whosever call it was
 * that failed. */
static void stop_hoarder(struct mw_rules *rules)
{
	struct mw_rule *worst = NULL;
	for (size_t i = 0; i < rules->count; i++) {
		struct mw_rule *rule = &rules->list[i];
		if (!rule->is_off && (!worst || rule->held_bytes > worst->held_bytes))
			worst = rule;
	}
	if (!worst)
		return;
	switch_off(rules, worst);
	mw_rules_report(rules,
			"%s: rule %s switched off: it keeps about %lld KiB, and the memory of all rules is used up",
			worst->file, worst->info.id, (long long)worst->held_bytes / 1024);
	mw_script_collect(rules->script);
}

/* True when it was another's fault, and the rule can be asked again. */
static bool count_fault(struct mw_rules *rules, struct mw_rule *rule, int code, const struct mw_err *err)
{
	if (code == -ENOMEM) {
		mw_script_collect(rules->script);
		if (mw_script_memory(rules->script) > rules->options.memory_bytes / 2) {
			stop_hoarder(rules);
			return !rule->is_off;
		}
	}
	if (++rule->faults < MW_RULE_FAULTS)
		return false;
	switch_off(rules, rule);
	char then[96];
	(void)snprintf(then, sizeof(then), "; rule %.48s switched off after %d faults", rule->info.id, MW_RULE_FAULTS);
	mw_rules_report_at(rules, rule->file, err->text, then);
	return false;
}

static const char *render(struct mw_rules *rules, const struct mw_rule *rule, const struct mw_event *event)
{
	mw_buf_clear(&rules->message);
	mw_message_render(&rules->message, rule->message, event);
	/* What did not fit is left out. */
	return rules->message.size ? rules->message.data : rule->info.summary;
}

void mw_rules_judge(struct mw_rules *rules, const struct mw_event *event,
		    void (*on_alert)(void *data, const struct mw_alert *alert), void *data)
{
	lua_State *L = mw_script_lua(rules->script);
	struct question question = {.rules = rules, .event = event};
	while (question.next < rules->by_kind_count[event->kind]) {
		struct mw_err err;
		question.is_match = false;
		lua_pushcfunction(L, ask);
		lua_pushlightuserdata(L, &question);
		int r = mw_script_call(rules->script, 1, 0, rules->options.event_instructions, &err);
		if (r < 0) {
			account(&question);
			/* Again at most once for each rule: each time one is switched off. */
			if (count_fault(rules, question.asked, r, &err))
				question.next--;
		} else if (question.is_match) {
			struct mw_alert alert = {
				.event = event,
				.rule = &question.asked->info,
				.message = render(rules, question.asked, event),
			};
			on_alert(data, &alert);
		}
	}
	mw_script_expire_views(rules->script);
}

/* A set of rules: made, asked about, exchanged for another. */
#include "rule/engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "event/lineage.h"
#include "rule/files.h"
#include "rule/rules.h"
#include "rule/watchdog.h"
#include "script/bind.h"
#include "script/modules.h"
#include "script/text.h"

enum {
	MESSAGE_BYTES = 1024,
	EARLIER_BYTES = 4096,
};

const char *const mw_rules_source_names[MW_RULES_SOURCES] = {"profile", "file", "backend"};

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

void mw_rule_settings_release(struct mw_rule_settings *settings)
{
	free(settings->message);
	free(settings->tags);
	*settings = (struct mw_rule_settings){0};
}

int mw_rule_settings_copy(struct mw_rule_settings *to, const struct mw_rule_settings *from)
{
	mw_rule_settings_release(to);
	*to = *from;
	to->message = from->message ? strdup(from->message) : NULL;
	to->tags = from->tags_bytes ? malloc(from->tags_bytes) : NULL;
	if (to->tags)
		memcpy(to->tags, from->tags, from->tags_bytes);
	if ((from->message && !to->message) || (from->tags_bytes && !to->tags))
		return -ENOMEM;
	return 0;
}

void mw_rule_settle(struct mw_rule *rule)
{
	rule->info.severity = rule->now.severity;
	rule->info.attention = rule->now.attention;
	rule->info.respond = rule->now.respond;
	rule->info.tags = rule->now.tags;
	rule->info.tags_bytes = rule->now.tags_bytes;
}

void mw_rule_exceptions_release(struct mw_rules *rules, struct mw_rule *rule, bool overrides_only)
{
	unsigned kept = 0;
	rule->needs_lua = false;
	for (unsigned i = 0; i < rule->exceptions_count; i++) {
		struct mw_rule_exception *exception = &rule->exceptions[i];
		if (overrides_only && !exception->is_override) {
			rule->needs_lua |= exception->match != LUA_NOREF;
			rule->exceptions[kept++] = *exception;
			continue;
		}
		free(exception->reason);
		mw_filter_release(&exception->filter);
		luaL_unref(mw_script_lua(rules->script), LUA_REGISTRYINDEX, exception->match);
	}
	rule->exceptions_count = kept;
}

void mw_rule_release(struct mw_rules *rules, struct mw_rule *rule)
{
	lua_State *L = mw_script_lua(rules->script);
	mw_rule_exceptions_release(rules, rule, false);
	free(rule->exceptions);
	for (unsigned i = 0; i < rule->steps_count; i++) {
		for (unsigned n = 0; n < rule->steps[i].filters_count; n++)
			mw_filter_release(&rule->steps[i].filters[n]);
		free(rule->steps[i].filters);
		luaL_unref(L, LUA_REGISTRYINDEX, rule->steps[i].match);
	}
	free(rule->steps);
	free((void *)(uintptr_t)rule->info.id);
	free((void *)(uintptr_t)rule->info.summary);
	free((void *)(uintptr_t)rule->info.attack);
	free((void *)(uintptr_t)rule->info.attack_version);
	free(rule->file);
	mw_rule_settings_release(&rule->own);
	mw_rule_settings_release(&rule->now);
}

/* The rules of a folder, or a single file. */
static void load_path(struct mw_rules *rules, const char *path, bool is_own)
{
	struct mw_rule_files files = {0};
	struct mw_err err;
	if (mw_rule_files_add(&files, path, is_own, &err) < 0) {
		rules->refused++;
		if (rules->options.on_problem) {
			const struct mw_rule_problem problem = {path, {1, 1}, "R101", err.text};
			rules->options.on_problem(rules->options.data, &problem);
		} else {
			mw_rules_report(rules, "%s", err.text);
		}
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

int mw_rules_index(struct mw_rules *rules)
{
	unsigned count = 0;
	for (size_t i = 0; i < rules->count; i++)
		for (unsigned step = 0; rules->list[i].now.is_enabled && step < rules->list[i].steps_count; step++)
			count += rules->list[i].steps[step].filters_count;
	struct mw_listener *listeners = calloc(count + 1, sizeof(*listeners));
	struct mw_listening *listening = calloc(count + 1, sizeof(*listening));
	uint64_t *pending[MW_RULE_DEPTH_JUDGED];
	bool is_full = listeners && listening;
	for (unsigned i = 0; i < MW_RULE_DEPTH_JUDGED; i++) {
		pending[i] = calloc(count / 64 + 1, sizeof(uint64_t));
		is_full = is_full && pending[i];
	}
	unsigned n = 0;
	uint64_t kinds = 0;
	for (size_t i = 0; is_full && i < rules->count; i++) {
		const struct mw_rule *rule = &rules->list[i];
		for (unsigned step = rule->now.is_enabled ? rule->steps_count : 0; step-- > 0;)
			for (unsigned k = 0; k < rule->steps[step].filters_count; k++, n++) {
				listeners[n] =
					(struct mw_listener){rule->steps[step].kinds, &rule->steps[step].filters[k]};
				listening[n] = (struct mw_listening){(unsigned)i, step, k};
				kinds |= listeners[n].kinds;
			}
	}
	struct mw_index *index = is_full ? mw_index_new(listeners, n) : NULL;
	if (!index) {
		free(listeners);
		free(listening);
		for (unsigned i = 0; i < MW_RULE_DEPTH_JUDGED; i++)
			free(pending[i]);
		return -ENOMEM;
	}
	mw_index_free(rules->index);
	free(rules->listeners);
	free(rules->listening);
	for (unsigned i = 0; i < MW_RULE_DEPTH_JUDGED; i++) {
		free(rules->pending[i]);
		rules->pending[i] = pending[i];
	}
	rules->index = index;
	rules->listeners = listeners;
	rules->listening = listening;
	rules->listeners_count = n;
	rules->kinds = kinds;
	return 0;
}

static int add_programs(lua_State *L, struct mw_lineage_table *table, const char *list, unsigned bit)
{
	int r = 0;
	if (lua_getfield(L, -1, list) == LUA_TTABLE)
		for (lua_pushnil(L); r == 0 && lua_next(L, -2); lua_pop(L, 1))
			if (lua_type(L, -2) == LUA_TSTRING)
				r = mw_lineage_table_add(table, lua_tostring(L, -2), 1u << bit);
	lua_settop(L, 2);
	return r;
}

/* Our own modules; and what kind of program bears which name. */
static int prepare(lua_State *L)
{
	static const struct {
		const char *list;
		enum mw_lineage bit;
	} lists[] = {
		{"web_servers", MW_LINEAGE_WEB_SERVER},
		{"databases", MW_LINEAGE_DATABASE},
		{"java", MW_LINEAGE_JAVA},
		{"package_managers", MW_LINEAGE_PACKAGE_MANAGER},
		{"shells", MW_LINEAGE_SHELL},
		{"interpreters", MW_LINEAGE_INTERPRETER},
		{"crons", MW_LINEAGE_CRON},
		{"session_agents", MW_LINEAGE_SESSION},
	};
	struct mw_rules *rules = lua_touserdata(L, 1);
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	mw_rule_push_conditions(L);
	lua_setfield(L, -2, "moonwatch.rule.conditions");
	lua_settop(L, 1);
	lua_pushcfunction(L, mw_modules_require);
	lua_pushliteral(L, "moonwatch.rule");
	lua_call(L, 1, 0);
	lua_pushcfunction(L, mw_modules_require);
	lua_pushliteral(L, "moonwatch.lists");
	lua_call(L, 1, 1);
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++)
		if (add_programs(L, rules->lineage, lists[i].list, lists[i].bit) < 0)
			return luaL_error(L, "moonwatch.lists.%s: a name is too long, or there are too many",
					  lists[i].list);
	return 0;
}

static int open_set(struct mw_rules *rules, struct mw_err *err)
{
	struct mw_script_options script = {
		.kind = MW_SCRIPT_RULES,
		.tree = rules->options.tree,
		.memory_bytes = rules->options.memory_bytes,
		.coverage = rules->options.coverage,
	};
	rules->store = mw_store_new();
	rules->lineage = mw_lineage_table_new();
	if (!rules->store || !rules->lineage)
		return mw_err_set(err, -ENOMEM, "no memory for rules");
	int r = mw_script_new(&script, &rules->script, err);
	if (r < 0)
		return r;
	lua_pushcfunction(mw_script_lua(rules->script), prepare);
	lua_pushlightuserdata(mw_script_lua(rules->script), rules);
	return mw_script_call(rules->script, 1, 0, 0, err);
}

int mw_rules_load_apart(const struct mw_rules_options *options, struct mw_rules **ret_rules, struct mw_err *err)
{
	struct mw_rules *rules = calloc(1, sizeof(*rules));
	if (!rules)
		return mw_err_set(err, -ENOMEM, "no memory for rules");
	rules->options = *options;
	rules->message = (struct mw_buf)MW_BUF(MESSAGE_BYTES);
	rules->earlier = (struct mw_buf)MW_BUF(EARLIER_BYTES);
	int r = open_set(rules, err);
	if (r == 0) {
		mw_lineage_use_here(rules->lineage);
		load_paths(rules);
		mw_lineage_use_here(NULL);
		r = mw_rules_index(rules);
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

int mw_rules_load(const struct mw_rules_options *options, struct mw_rules **ret_rules, struct mw_err *err)
{
	int r = mw_rules_load_apart(options, ret_rules, err);
	if (r == 0)
		mw_rules_swap(NULL, *ret_rules);
	return r;
}

void mw_rules_swap(struct mw_rules *rules, struct mw_rules *next)
{
	if (rules) {
		struct mw_store *empty = next->store;
		next->store = rules->store;
		rules->store = empty;
	}
	mw_rules_free(rules);
	mw_lineage_use(next->lineage);
	/* A slow machine does ten thousand in a millisecond. */
	uint64_t ms = MW_RULE_WATCHDOG_MS + next->options.event_instructions / 10000;
	if (next->options.is_watched)
		next->watchdog = mw_watchdog_new(next->script, ms < INT32_MAX ? (unsigned)ms : INT32_MAX);
}

void mw_rules_free(struct mw_rules *rules)
{
	if (!rules)
		return;
	mw_watchdog_free(rules->watchdog);
	for (size_t i = 0; i < rules->count; i++)
		mw_rule_release(rules, &rules->list[i]);
	mw_index_free(rules->index);
	for (unsigned i = 0; i < MW_RULE_DEPTH_JUDGED; i++)
		free(rules->pending[i]);
	for (unsigned i = 0; i < MW_RULES_SOURCES; i++)
		free(rules->overrides[i]);
	free(rules->listeners);
	free(rules->listening);
	free(rules->list);
	mw_store_free(rules->store);
	mw_lineage_table_free(rules->lineage);
	mw_buf_release(&rules->message);
	mw_buf_release(&rules->earlier);
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
	bool has_filter = true;
	for (unsigned i = 0; i < rule->steps_count; i++)
		for (unsigned k = 0; k < rule->steps[i].filters_count; k++)
			has_filter = has_filter && rule->steps[i].filters[k].count;
	return (struct mw_rule_state){
		.faults = rule->faults,
		.is_off = rule->is_off,
		.is_enabled = rule->now.is_enabled,
		.has_filter = has_filter,
		.kinds = rule->kinds,
		.counts = rule->counts,
	};
}

size_t mw_rules_memory(const struct mw_rules *rules)
{
	return mw_script_memory(rules->script) + mw_store_bytes(rules->store);
}

bool mw_rules_want(const struct mw_rules *rules, enum mw_event_kind kind)
{
	return rules->kinds >> kind & 1;
}

uint64_t mw_rules_responding(const struct mw_rules *rules)
{
	uint64_t kinds = 0;
	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i].now.is_enabled && rules->list[i].info.respond)
			kinds |= rules->list[i].kinds;
	return kinds;
}

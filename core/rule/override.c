/* Changes to rules by those who do not own them: a document for each source, checked by moonwatch.rule, laid over what the files
 * say in the order of the sources. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua-cjson.h>

#include "base/err.h"
#include "base/glob.h"
#include "rule/message.h"
#include "rule/rules.h"
#include "script/bind.h"
#include "script/modules.h"

enum {
	JSON_BYTES = 1 << 20,
	INSTRUCTIONS = 5000000,
	TAG_BYTES = 4, /* "tag:" */
};

/* What a rule becomes, until all of it is known to hold. */
struct draft {
	struct mw_rule_settings settings;
	struct mw_rule exceptions; /* holds only those */
};

struct changes {
	struct mw_rules *rules;
	const char *const *documents; /* of all sources; NULL: none */
	struct draft *drafts;         /* of all rules */
	const char *source;
	struct mw_err err;
};

static bool has_tag(const struct mw_rule_settings *settings, const char *pattern)
{
	for (size_t at = 0; at < settings->tags_bytes; at += strlen(settings->tags + at) + 1)
		if (mw_glob_match(settings->tags + at, strlen(settings->tags + at), pattern, strlen(pattern)))
			return true;
	return false;
}

/* By id with `*` and `?`, or "tag:" and a tag likewise. */
static bool is_selected(const struct mw_rule *rule, const char *selector)
{
	if (strncmp(selector, "tag:", TAG_BYTES) == 0)
		return has_tag(&rule->own, selector + TAG_BYTES);
	return mw_glob_match(rule->info.id, strlen(rule->info.id), selector, strlen(selector));
}

static void note_nobody(struct changes *changes, const char *selector, bool is_somebody)
{
	if (!is_somebody)
		mw_rules_report(changes->rules, "rules of %s: '%s' is no rule that is loaded", changes->source,
				selector);
}

/* The list in field `key` of the table on top: rules that are enabled, or not. */
static void switch_rules(lua_State *L, struct changes *changes, const char *key, bool is_enabled)
{
	struct mw_rules *rules = changes->rules;
	lua_getfield(L, -1, key);
	for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
		const char *selector = lua_tostring(L, -1);
		bool is_somebody = false;
		for (size_t n = 0; n < rules->count; n++)
			if (is_selected(&rules->list[n], selector)) {
				changes->drafts[n].settings.is_enabled = is_enabled;
				is_somebody = true;
			}
		note_nobody(changes, selector, is_somebody);
	}
	lua_pop(L, 2);
}

/* override: a list of {id, changes}. */
static int override_rules(lua_State *L, struct changes *changes)
{
	struct mw_rules *rules = changes->rules;
	int r = 0;
	lua_getfield(L, -1, "override");
	for (int i = 1; r == 0 && lua_rawgeti(L, -1, i) == LUA_TTABLE; i++, lua_pop(L, 1)) {
		lua_getfield(L, -1, "id");
		const char *id = lua_tostring(L, -1);
		bool is_somebody = false;
		lua_getfield(L, -2, "changes");
		int top = lua_gettop(L);
		for (size_t n = 0; r == 0 && n < rules->count; n++) {
			if (strcmp(rules->list[n].info.id, id) != 0)
				continue;
			struct draft *draft = &changes->drafts[n];
			is_somebody = true;
			mw_rule_take_settings(L, &draft->settings);
			r = mw_message_check(draft->settings.message, &changes->err);
			if (r == 0 && draft->settings.respond && rules->list[n].kinds != 1u << MW_PROCESS_EXEC)
				r = mw_err_set(&changes->err, -EINVAL,
					       "respond: only a rule that listens to nothing but process.exec can");
			if (r < 0)
				mw_err_prefix(&changes->err, "override.%s", id);
			if (r == 0 && lua_getfield(L, -1, "exceptions") == LUA_TTABLE)
				r = mw_rule_take_exceptions(L, &draft->exceptions, true, &changes->err);
			lua_settop(L, top);
		}
		note_nobody(changes, id, is_somebody);
		lua_pop(L, 2);
	}
	lua_settop(L, 1);
	return r;
}

/* exceptions: a list of exceptions with the `rules` they are for. */
static int except_rules(lua_State *L, struct changes *changes)
{
	struct mw_rules *rules = changes->rules;
	int r = 0;
	lua_getfield(L, 1, "exceptions");
	int list = lua_gettop(L);
	for (int i = 1; r == 0 && lua_rawgeti(L, list, i) == LUA_TTABLE; i++) {
		int one = lua_gettop(L);
		/* A list of it alone. */
		lua_createtable(L, 1, 0);
		lua_pushvalue(L, one);
		lua_rawseti(L, -2, 1);
		lua_getfield(L, one, "rules");
		int selectors = lua_gettop(L);
		for (size_t n = 0; r == 0 && n < rules->count; n++) {
			bool is_for = false;
			for (int s = 1; lua_rawgeti(L, selectors, s) == LUA_TSTRING; s++, lua_pop(L, 1))
				is_for = is_for || is_selected(&rules->list[n], lua_tostring(L, -1));
			lua_settop(L, selectors);
			if (!is_for)
				continue;
			lua_pushvalue(L, one + 1);
			r = mw_rule_take_exceptions(L, &changes->drafts[n].exceptions, true, &changes->err);
			lua_settop(L, selectors);
		}
		lua_settop(L, list);
	}
	lua_settop(L, 1);
	return r;
}

/* Push the document decoded and checked; nil with changes->err set.  Raises for what is no JSON. */
static void push_checked(lua_State *L, struct changes *changes, const char *json)
{
	lua_pushcfunction(L, luaopen_cjson);
	lua_call(L, 0, 1);
	lua_getfield(L, -1, "decode");
	lua_pushstring(L, json);
	lua_call(L, 1, 1);
	lua_pushcfunction(L, mw_modules_require);
	lua_pushliteral(L, "moonwatch.rule");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, "check_overrides");
	lua_pushvalue(L, -3);
	lua_call(L, 1, 2);
	if (lua_isnil(L, -2)) {
		const char *why = lua_tostring(L, -1);
		(void)mw_err_set(&changes->err, -EINVAL, "rules of %s: %s", changes->source, why ? why : "?");
	}
	lua_pop(L, 1);
}

static int apply(lua_State *L)
{
	struct changes *changes = lua_touserdata(L, 1);
	luaL_checkstack(L, 24, "overrides");
	for (unsigned i = 0; i < MW_RULES_SOURCES; i++) {
		if (!changes->documents[i] || !*changes->documents[i])
			continue;
		changes->source = mw_rules_source_names[i];
		lua_settop(L, 0);
		push_checked(L, changes, changes->documents[i]);
		if (lua_isnil(L, -1))
			return 0;
		lua_insert(L, 1);
		lua_settop(L, 1);
		switch_rules(L, changes, "disable", false);
		switch_rules(L, changes, "enable", true);
		if (override_rules(L, changes) < 0 || except_rules(L, changes) < 0)
			return 0;
	}
	return 0;
}

static void release_drafts(struct mw_rules *rules, struct draft *drafts)
{
	for (size_t n = 0; drafts && n < rules->count; n++) {
		mw_rule_settings_release(&drafts[n].settings);
		mw_rule_exceptions_release(rules, &drafts[n].exceptions, false);
		free(drafts[n].exceptions.exceptions);
	}
	free(drafts);
}

/* Behind those of the rule itself. */
static int move_exceptions(struct mw_rules *rules, struct mw_rule *rule, struct mw_rule *from)
{
	mw_rule_exceptions_release(rules, rule, true);
	if (!from->exceptions_count)
		return 0;
	struct mw_rule_exception *list =
		realloc(rule->exceptions, (rule->exceptions_count + from->exceptions_count) * sizeof(*list));
	if (!list)
		return -ENOMEM;
	rule->exceptions = list;
	memcpy(list + rule->exceptions_count, from->exceptions, from->exceptions_count * sizeof(*list));
	rule->exceptions_count += from->exceptions_count;
	rule->needs_lua = rule->needs_lua || from->needs_lua;
	from->exceptions_count = 0;
	return 0;
}

/* Lay `documents` over the rules as their files have them. */
static int lay(struct mw_rules *rules, const char *const *documents, struct mw_err *err)
{
	struct changes changes = {.rules = rules, .documents = documents};
	changes.drafts = calloc(rules->count + 1, sizeof(*changes.drafts));
	int r = changes.drafts ? 0 : -ENOMEM;
	for (size_t n = 0; r == 0 && n < rules->count; n++)
		r = mw_rule_settings_copy(&changes.drafts[n].settings, &rules->list[n].own);
	if (r == 0) {
		lua_pushcfunction(mw_script_lua(rules->script), apply);
		lua_pushlightuserdata(mw_script_lua(rules->script), &changes);
		r = mw_script_call(rules->script, 1, 0, INSTRUCTIONS, &changes.err);
		if (r == 0 && changes.err.text[0])
			r = -EINVAL;
	} else {
		(void)mw_err_set(&changes.err, r, "no memory");
	}
	for (size_t n = 0; r == 0 && n < rules->count; n++) {
		struct mw_rule *rule = &rules->list[n];
		struct mw_rule_settings before = rule->now;
		rule->now = changes.drafts[n].settings;
		changes.drafts[n].settings = before;
		mw_rule_settle(rule);
		r = move_exceptions(rules, rule, &changes.drafts[n].exceptions);
	}
	if (r == 0)
		r = mw_rules_index(rules);
	if (r < 0)
		(void)mw_err_set(err, r, "%s", changes.err.text[0] ? changes.err.text : "no memory");
	release_drafts(rules, changes.drafts);
	return r;
}

int mw_rules_override(struct mw_rules *rules, enum mw_rules_source source, const char *json, struct mw_err *err)
{
	if (strlen(json) > JSON_BYTES)
		return mw_err_set(err, -E2BIG, "rules of %s: longer than %d bytes", mw_rules_source_names[source],
				  JSON_BYTES);
	const char *documents[MW_RULES_SOURCES];
	for (unsigned i = 0; i < MW_RULES_SOURCES; i++)
		documents[i] = i == (unsigned)source ? json : rules->overrides[i];
	char *copy = strdup(json);
	if (!copy)
		return mw_err_set(err, -ENOMEM, "no memory");
	int r = lay(rules, documents, err);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(rules->overrides[source]);
	rules->overrides[source] = copy;
	return 0;
}

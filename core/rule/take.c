/* From a definition that moonwatch.rule has checked to a struct mw_rule. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "event/board.h"
#include "event/level.h"
#include "rule/rules.h"

/* A copy of the string in field `key` of the table on top; NULL when absent. */
static char *copy_field(lua_State *L, const char *key)
{
	lua_getfield(L, -1, key);
	const char *text = lua_tostring(L, -1);
	char *copy = text ? strdup(text) : NULL;
	if (text && !copy)
		luaL_error(L, "no memory");
	lua_pop(L, 1);
	return copy;
}

/* Texts of the list in field `key`, each with its NUL; NULL when absent. */
static char *copy_list(lua_State *L, const char *key, size_t *ret_bytes)
{
	*ret_bytes = 0;
	if (lua_getfield(L, -1, key) != LUA_TTABLE) {
		lua_pop(L, 1);
		return NULL;
	}
	size_t bytes = 0;
	int list = lua_gettop(L);
	for (int i = 1; lua_rawgeti(L, list, i) == LUA_TSTRING; i++, lua_pop(L, 1))
		bytes += lua_rawlen(L, -1) + 1;
	lua_settop(L, list);
	char *texts = malloc(bytes + 1);
	if (!texts) {
		luaL_error(L, "no memory");
		return NULL; /* not reached */
	}
	char *to = texts;
	for (int i = 1; lua_rawgeti(L, list, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
		size_t length = lua_rawlen(L, -1) + 1;
		memcpy(to, lua_tostring(L, -1), length);
		to += length;
	}
	lua_settop(L, list - 1);
	*ret_bytes = bytes;
	return texts;
}

/* Which of `names` the string in field `key` is; `other` when it is none. */
static unsigned name_field(lua_State *L, const char *key, const char *const *names, unsigned count, unsigned other)
{
	unsigned found = other;
	if (lua_getfield(L, -1, key) == LUA_TSTRING)
		for (unsigned i = 0; i < count; i++)
			if (names[i] && strcmp(lua_tostring(L, -1), names[i]) == 0)
				found = i;
	lua_pop(L, 1);
	return found;
}

static int64_t ns_field(lua_State *L, const char *key)
{
	lua_getfield(L, -1, key);
	int64_t ns = lua_tointeger(L, -1) * (int64_t)MW_NS_PER_S;
	lua_pop(L, 1);
	return ns;
}

static bool flag_field(lua_State *L, const char *key)
{
	lua_getfield(L, -1, key);
	bool is_set = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return is_set;
}

static uint64_t kinds_field(lua_State *L, const char *key)
{
	uint64_t kinds = 0;
	lua_getfield(L, -1, key);
	int list = lua_gettop(L);
	for (int i = 1; lua_rawgeti(L, list, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
		enum mw_event_kind kind;
		if (mw_event_kind_from_name(lua_tostring(L, -1), &kind) == 0)
			kinds |= UINT64_C(1) << kind;
	}
	lua_settop(L, list - 1);
	return kinds;
}

/* The paths in field `key`, checked before. */
static void key_field(lua_State *L, const char *key, struct mw_rule_key *ret_key)
{
	ret_key->count = 0;
	lua_getfield(L, -1, key);
	int list = lua_gettop(L);
	for (int i = 1; lua_istable(L, list) && i <= MW_RULE_KEY_FIELDS; i++, lua_settop(L, list)) {
		if (lua_rawgeti(L, list, i) != LUA_TSTRING)
			break;
		if (mw_filter_path(lua_tostring(L, -1), ret_key->paths[ret_key->count]) == 0)
			ret_key->count++;
	}
	lua_settop(L, list - 1);
}

/* A reference to the function in field `key`, or LUA_NOREF. */
static int function_field(lua_State *L, const char *key)
{
	if (lua_getfield(L, -1, key) == LUA_TFUNCTION)
		return luaL_ref(L, LUA_REGISTRYINDEX);
	lua_pop(L, 1);
	return LUA_NOREF;
}

static int filter_field(lua_State *L, const char *key, struct mw_filter *ret_filter, struct mw_err *err)
{
	int r = 0;
	if (lua_getfield(L, -1, key) == LUA_TTABLE)
		r = mw_filter_read(L, ret_filter, err);
	lua_pop(L, 1);
	return r;
}

static void take_throttle(lua_State *L, struct mw_rule_throttle *throttle)
{
	if (lua_getfield(L, -1, "throttle") == LUA_TTABLE) {
		throttle->period_ns = ns_field(L, "period_s");
		key_field(L, "by", &throttle->by);
	}
	lua_pop(L, 1);
}

void mw_rule_take_settings(lua_State *L, struct mw_rule_settings *settings)
{
	settings->severity =
		(enum mw_severity)name_field(L, "severity", mw_severity_names, MW_SEVERITIES, settings->severity);
	settings->attention = name_field(L, "attention", mw_level_names, MW_LEVELS, settings->attention);
	settings->respond = name_field(L, "respond", mw_verdict_names, MW_VERDICTS, settings->respond);
	if (lua_getfield(L, -1, "enabled") == LUA_TBOOLEAN)
		settings->is_enabled = lua_toboolean(L, -1);
	lua_pop(L, 1);
	char *message = copy_field(L, "message");
	if (message) {
		free(settings->message);
		settings->message = message;
	}
	size_t bytes;
	char *tags = copy_list(L, "tags", &bytes);
	if (tags) {
		free(settings->tags);
		settings->tags = tags;
		settings->tags_bytes = bytes;
	}
	take_throttle(L, &settings->throttle);
}

static void take_threshold(lua_State *L, struct mw_rule_threshold *threshold)
{
	if (lua_getfield(L, -1, "threshold") == LUA_TTABLE) {
		lua_getfield(L, -1, "count");
		threshold->count = (unsigned)lua_tointeger(L, -1);
		lua_pop(L, 1);
		threshold->within_ns = ns_field(L, "within_s");
		key_field(L, "by", &threshold->by);
		if (lua_getfield(L, -1, "distinct") == LUA_TSTRING &&
		    mw_filter_path(lua_tostring(L, -1), threshold->distinct) < 0)
			threshold->distinct[0] = NULL;
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void take_mark(lua_State *L, struct mw_rule *rule)
{
	if (lua_getfield(L, -1, "mark") == LUA_TTABLE) {
		char *name = copy_field(L, "name");
		(void)snprintf(rule->mark.name, sizeof(rule->mark.name), "%s", name);
		free(name);
		rule->mark.ttl_ns = ns_field(L, "ttl_s");
		lua_getfield(L, -1, "on");
		rule->mark.is_on_parent = lua_isstring(L, -1) && strcmp(lua_tostring(L, -1), "parent") == 0;
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void take_memory(lua_State *L, struct mw_rule *rule)
{
	static const char *const scopes[] = {NULL, "process", "tree", "rule"};
	if (lua_getfield(L, -1, "memory") == LUA_TTABLE) {
		rule->scope = (enum mw_rule_scope)name_field(L, "scope", scopes, MW_SCOPE_RULE + 1, MW_SCOPE_NONE);
		rule->memory_ns = ns_field(L, "ttl_s");
	}
	lua_pop(L, 1);
}

/* One filter for each alternative; without any, one that always holds. */
static int take_filters(lua_State *L, struct mw_rule_step *step, struct mw_err *err)
{
	bool has_any = lua_getfield(L, -1, "where") == LUA_TTABLE;
	unsigned count = has_any ? (unsigned)lua_rawlen(L, -1) : 1;
	step->filters = calloc(count + 1, sizeof(*step->filters));
	int r = step->filters ? 0 : mw_err_set(err, -ENOMEM, "no memory for this rule");
	for (unsigned i = 0; r == 0 && i < count; i++) {
		struct mw_filter *filter = &step->filters[step->filters_count++];
		if (!has_any)
			break;
		lua_rawgeti(L, -1, (int)i + 1);
		r = mw_filter_read(L, filter, err);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return r;
}

static int take_steps(lua_State *L, struct mw_rule *rule, struct mw_err *err)
{
	lua_getfield(L, -1, "steps");
	unsigned count = (unsigned)lua_rawlen(L, -1);
	rule->steps = calloc(count + 1, sizeof(*rule->steps));
	int r = rule->steps ? 0 : mw_err_set(err, -ENOMEM, "no memory for this rule");
	for (unsigned i = 0; r == 0 && i < count; i++) {
		struct mw_rule_step *step = &rule->steps[rule->steps_count++];
		lua_rawgeti(L, -1, (int)i + 1);
		step->match = function_field(L, "match");
		step->kinds = kinds_field(L, "on");
		key_field(L, "by", &step->by);
		r = take_filters(L, step, err);
		lua_pop(L, 1);
		rule->kinds |= step->kinds;
	}
	lua_pop(L, 1);
	return r;
}

int mw_rule_take_exceptions(lua_State *L, struct mw_rule *rule, bool is_override, struct mw_err *err)
{
	unsigned count = (unsigned)lua_rawlen(L, -1);
	struct mw_rule_exception *list =
		realloc(rule->exceptions, (rule->exceptions_count + count + 1) * sizeof(*list));
	if (!list)
		return mw_err_set(err, -ENOMEM, "no memory for exceptions");
	rule->exceptions = list;
	int r = 0;
	for (unsigned i = 0; r == 0 && i < count; i++) {
		struct mw_rule_exception *exception = &list[rule->exceptions_count];
		*exception = (struct mw_rule_exception){.match = LUA_NOREF, .is_override = is_override};
		rule->exceptions_count++;
		lua_rawgeti(L, -1, (int)i + 1);
		exception->reason = copy_field(L, "reason");
		exception->match = function_field(L, "match");
		r = filter_field(L, "where", &exception->filter, err);
		lua_pop(L, 1);
		rule->needs_lua |= exception->match != LUA_NOREF;
	}
	return r;
}

uint32_t mw_rule_owner(const char *id)
{
	uint32_t hash = mw_word_hash(MW_WORD_HASH, id, strlen(id));
	return hash ? hash : 1; /* 0 is everybody's */
}

int mw_rule_take(lua_State *L, struct mw_rule *rule, struct mw_err *err)
{
	luaL_checkstack(L, 16, "a rule");
	size_t bytes;
	rule->info.id = copy_field(L, "id");
	rule->info.summary = copy_field(L, "summary");
	rule->info.attack = copy_list(L, "attack", &bytes);
	rule->info.attack_bytes = bytes;
	rule->info.attack_version = copy_field(L, "attack_version");
	rule->owner = mw_rule_owner(rule->info.id);
	mw_rule_take_settings(L, &rule->own);
	rule->is_silent = flag_field(L, "silent");
	take_threshold(L, &rule->threshold);
	take_mark(L, rule);
	take_memory(L, rule);
	if (lua_getfield(L, -1, "sequence") == LUA_TTABLE)
		rule->within_ns = ns_field(L, "within_s");
	lua_pop(L, 1);
	int r = take_steps(L, rule, err);
	if (r == 0 && lua_getfield(L, -1, "exceptions") == LUA_TTABLE) {
		r = mw_rule_take_exceptions(L, rule, false, err);
		lua_pop(L, 1);
	} else if (r == 0) {
		lua_pop(L, 1);
	}
	if (r == 0)
		r = mw_rule_settings_copy(&rule->now, &rule->own);
	if (r < 0)
		return r;
	mw_rule_settle(rule);
	return 0;
}

static int is_network(lua_State *L)
{
	struct mw_cidr cidr;
	lua_pushboolean(L, mw_cidr_parse(luaL_checkstring(L, 1), &cidr) == 0);
	return 1;
}

static void push_names(lua_State *L, const char *const *names, unsigned count)
{
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		lua_pushstring(L, names[i]);
		lua_rawseti(L, -2, (int)i + 1);
	}
}

void mw_rule_push_conditions(lua_State *L)
{
	lua_createtable(L, 0, 3);
	push_names(L, mw_fact_names, MW_FACTS);
	lua_setfield(L, -2, "facts");
	push_names(L, mw_lineage_names, MW_LINEAGES);
	lua_setfield(L, -2, "lineages");
	lua_pushcfunction(L, is_network);
	lua_setfield(L, -2, "is_network");
}

/* From a file to a rule: its chunk runs in the sandbox, lua/moonwatch/rule.lua checks what it returned, and its examples
 * are judged exactly as events are. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "event/board.h"
#include "event/level.h"
#include "rule/message.h"
#include "rule/rules.h"
#include "script/bind.h"
#include "script/modules.h"

enum {
	NAME_BYTES = 256, /* NAME_MAX of a file, and a NUL */
	KEY_BYTES = 32,
};

/* One file on its way. */
struct load {
	struct mw_rules *rules;
	const char *path;
	char id[NAME_BYTES]; /* what its file name says */
	struct mw_rule rule;
	/* Why it is refused, and which assignment of which key in the file is to blame: "" for none. */
	struct mw_err why;
	/* It ran, so `why` bears no position of its own; what is missing has no line, and the first must do. */
	bool is_checked;
	char key[KEY_BYTES];
	unsigned nth;
	unsigned example; /* to try next, from 1 */
	bool has_example;
	bool is_expected;
	bool is_match;
};

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Line of the n-th place where `key` is assigned in `source`; 0 when there is none. */
static unsigned line_of(const char *source, const char *key, unsigned nth)
{
	size_t length = strlen(key);
	unsigned line = 1;
	for (const char *s = source; *s; s++) {
		line += *s == '\n';
		if (strncmp(s, key, length) != 0 || (s > source && is_word(s[-1])))
			continue;
		const char *after = s + length;
		after += strspn(after, " \t");
		if (after[0] == '=' && after[1] != '=' && --nth == 0)
			return line;
	}
	return 0;
}

/* Report that the file is refused for load->why, with the line of the key. */
static void report_refusal(const struct load *load)
{
	MW_AUTO(mw_buf) source = MW_BUF(MW_SCRIPT_BYTES);
	unsigned line = 0;
	if (load->key[0] && mw_file_read_at(AT_FDCWD, load->path, &source) == 0 && source.data)
		line = line_of(source.data, load->key, load->nth);
	if (line || load->is_checked)
		mw_rules_report(load->rules, "%s:%u: %s", load->path, line ? line : 1, load->why.text);
	else
		mw_rules_report_at(load->rules, load->path, load->why.text, "");
}

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

/* attack: texts, each with its NUL. */
static void take_attack(lua_State *L, struct mw_rule_info *info)
{
	lua_getfield(L, -1, "attack");
	size_t bytes = 0;
	int list = lua_gettop(L);
	for (int i = 1; lua_rawgeti(L, list, i) == LUA_TSTRING; i++, lua_pop(L, 1))
		bytes += lua_rawlen(L, -1) + 1;
	lua_settop(L, list);
	char *texts = malloc(bytes + 1);
	if (!texts) {
		luaL_error(L, "no memory");
		return; /* not reached */
	}
	info->attack = texts;
	info->attack_bytes = bytes;
	for (int i = 1; lua_rawgeti(L, list, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
		size_t length = lua_rawlen(L, -1) + 1;
		memcpy(texts, lua_tostring(L, -1), length);
		texts += length;
	}
	lua_settop(L, list - 1);
}

static void take_kinds(lua_State *L, struct mw_rule *rule)
{
	lua_getfield(L, -1, "on");
	int list = lua_gettop(L);
	for (int i = 1; lua_rawgeti(L, list, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
		enum mw_event_kind kind;
		if (mw_event_kind_from_name(lua_tostring(L, -1), &kind) == 0)
			rule->kinds |= 1ull << kind;
	}
	lua_settop(L, list - 1);
}

static void take_severity(lua_State *L, struct mw_rule_info *info)
{
	lua_getfield(L, -1, "severity");
	for (int i = 0; i < MW_SEVERITIES; i++)
		if (strcmp(lua_tostring(L, -1), mw_severity_names[i]) == 0)
			info->severity = (enum mw_severity)i;
	lua_pop(L, 1);
}

static void take_attention(lua_State *L, struct mw_rule_info *info)
{
	if (lua_getfield(L, -1, "attention") == LUA_TSTRING)
		for (unsigned i = 0; i < MW_LEVELS; i++)
			if (strcmp(lua_tostring(L, -1), mw_level_names[i]) == 0)
				info->attention = i;
	lua_pop(L, 1);
}

static void take_respond(lua_State *L, struct mw_rule_info *info)
{
	if (lua_getfield(L, -1, "respond") == LUA_TSTRING)
		for (unsigned i = 0; i < MW_VERDICTS; i++)
			if (strcmp(lua_tostring(L, -1), mw_verdict_names[i]) == 0)
				info->respond = i;
	lua_pop(L, 1);
}

/* Check the definition at index 2; leaves what is checked, or nothing with load->why set. */
static int check(lua_State *L)
{
	struct load *load = lua_touserdata(L, 1);
	lua_pushcfunction(L, mw_modules_require);
	lua_pushliteral(L, "moonwatch.rule");
	lua_call(L, 1, 1);
	lua_getfield(L, -1, "check");
	lua_pushvalue(L, 2);
	lua_pushstring(L, load->id);
	lua_call(L, 2, 4);
	int checked = lua_gettop(L) - 3;
	if (!lua_istable(L, checked)) {
		const char *why = lua_tostring(L, checked + 1);
		const char *key = lua_tostring(L, checked + 2);
		(void)mw_err_set(&load->why, -EINVAL, "%s", why ? why : "refused without a reason");
		(void)snprintf(load->key, sizeof(load->key), "%s", key ? key : "");
		load->nth = lua_isinteger(L, checked + 3) ? (unsigned)lua_tointeger(L, checked + 3) : 1;
		return 0;
	}
	lua_settop(L, checked);

	struct mw_rule *rule = &load->rule;
	rule->info.id = copy_field(L, "id");
	rule->info.summary = copy_field(L, "summary");
	rule->message = copy_field(L, "message");
	take_severity(L, &rule->info);
	take_attack(L, &rule->info);
	take_kinds(L, rule);
	take_attention(L, &rule->info);
	take_respond(L, &rule->info);
	lua_getfield(L, -1, "enabled");
	rule->is_enabled = lua_toboolean(L, -1);
	lua_pop(L, 1);
	if (mw_message_check(rule->message, &load->why) < 0) {
		mw_err_prefix(&load->why, "message");
		(void)snprintf(load->key, sizeof(load->key), "message");
		load->nth = 1;
		return 0;
	}
	lua_getfield(L, -1, "match");
	rule->match = luaL_ref(L, LUA_REGISTRYINDEX);
	rule->has_match = true;
	return 1;
}

/* Judge example load->example of the checked definition at index 2. */
static int try_example(lua_State *L)
{
	struct load *load = lua_touserdata(L, 1);
	lua_getfield(L, 2, "examples");
	load->has_example = lua_rawgeti(L, -1, (int)load->example) == LUA_TTABLE;
	if (!load->has_example)
		return 0;
	lua_getfield(L, -1, "expect");
	load->is_expected = lua_toboolean(L, -1);
	lua_rawgeti(L, LUA_REGISTRYINDEX, load->rule.match);
	lua_getfield(L, -3, "event");
	lua_call(L, 1, 1);
	load->is_match = lua_toboolean(L, -1);
	return 0;
}

/* Try all examples of the checked definition on top, popped.  Returns 0, or a negative errno with load->why set. */
static int try_examples(struct load *load)
{
	struct mw_rules *rules = load->rules;
	lua_State *L = mw_script_lua(rules->script);
	for (load->example = 1;; load->example++) {
		struct mw_err err;
		lua_pushcfunction(L, try_example);
		lua_pushlightuserdata(L, load);
		lua_pushvalue(L, -3);
		int r = mw_script_call(rules->script, 2, 0, rules->options.event_instructions, &err);
		if (r == 0 && !load->has_example)
			break;
		if (r == 0 && load->is_match != load->is_expected)
			r = mw_err_set(&err, -EINVAL, "example %u: expected %s, the rule says %s", load->example,
				       load->is_expected ? "a match" : "no match",
				       load->is_match ? "match" : "no match");
		else if (r < 0)
			mw_err_prefix(&err, "example %u", load->example);
		if (rules->options.on_example)
			rules->options.on_example(rules->options.data, load->rule.info.id, load->example,
						  r < 0 ? err.text : NULL);
		/* Told of all of them, refused for the first. */
		if (r < 0 && !load->why.text[0]) {
			load->why = err;
			(void)snprintf(load->key, sizeof(load->key), "expect");
			load->nth = load->example;
		}
		if (r < 0 && !rules->options.on_example)
			break;
	}
	lua_pop(L, 1);
	return load->why.text[0] ? -EINVAL : 0;
}

/* Compile, run, check, try.  Returns 0 or a negative errno with load->why set; the Lua stack is as it was. */
static int load_definition(struct load *load)
{
	struct mw_script *script = load->rules->script;
	lua_State *L = mw_script_lua(script);
	const char *slash = strrchr(load->path, '/');
	int r = mw_script_load_file(script, load->path, slash ? slash + 1 : load->path, &load->why);
	if (r < 0)
		return r;
	r = mw_script_call(script, 0, 1, MW_RULE_LOAD_INSTRUCTIONS, &load->why);
	if (r < 0)
		return r;
	load->is_checked = true;
	lua_pushcfunction(L, check);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, load);
	lua_insert(L, -2);
	r = mw_script_call(script, 2, 1, MW_RULE_LOAD_INSTRUCTIONS, &load->why);
	if (r < 0)
		return r;
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		return -EINVAL;
	}
	return try_examples(load);
}

static const struct mw_rule *find_rule(const struct mw_rules *rules, const char *id)
{
	for (size_t i = 0; i < rules->count; i++)
		if (strcmp(rules->list[i].info.id, id) == 0)
			return &rules->list[i];
	return NULL;
}

/* Memory one file may keep: all other rules need theirs. */
static int check_memory(struct load *load, size_t before)
{
	struct mw_script *script = load->rules->script;
	size_t limit = load->rules->options.memory_bytes / MW_RULE_MEMORY_SHARE;
	if (!limit || mw_script_memory(script) <= before + limit)
		return 0;
	mw_script_collect(script);
	size_t now = mw_script_memory(script);
	if (now <= before + limit)
		return 0;
	return mw_err_set(&load->why, -ENOMEM, "keeps %zu KiB; one rule may keep %zu KiB", (now - before) / 1024,
			  limit / 1024);
}

static int keep(struct load *load)
{
	struct mw_rules *rules = load->rules;
	struct mw_rule *list = realloc(rules->list, (rules->count + 1) * sizeof(*list));
	if (list)
		rules->list = list;
	load->rule.file = strdup(load->path);
	if (!list || !load->rule.file)
		return mw_err_set(&load->why, -ENOMEM, "no memory for this rule");
	list[rules->count++] = load->rule;
	return 0;
}

void mw_rules_load_file(struct mw_rules *rules, const char *path)
{
	struct load load = {.rules = rules, .path = path};
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t length = strlen(name);
	if (length > 4 && strcmp(name + length - 4, ".lua") == 0)
		length -= 4;
	(void)snprintf(load.id, sizeof(load.id), "%.*s", (int)length, name);

	size_t before = mw_script_memory(rules->script);
	int r = load_definition(&load);
	const struct mw_rule *other = r == 0 ? find_rule(rules, load.rule.info.id) : NULL;
	if (other) {
		r = mw_err_set(&load.why, -EEXIST, "id '%s' is taken by %s; rename this rule and its file",
			       load.rule.info.id, other->file);
		(void)snprintf(load.key, sizeof(load.key), "id");
		load.nth = 1;
	}
	if (r == 0)
		r = check_memory(&load, before);
	if (r == 0)
		r = keep(&load);
	if (r == 0)
		return;

	rules->refused++;
	report_refusal(&load);
	if (load.rule.has_match)
		luaL_unref(mw_script_lua(rules->script), LUA_REGISTRYINDEX, load.rule.match);
	mw_rule_release(&load.rule);
	/* What a failed file leaves behind must not count against the next. */
	if (r == -ENOMEM)
		mw_script_collect(rules->script);
}

/* From a file to a rule: its chunk runs in the sandbox, lua/moonwatch/rule.lua checks what it returned, and its examples
 * are judged exactly as events are. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "rule/decode.h"
#include "script/encode.h"
#include "rule/message.h"
#include "rule/rules.h"
#include "script/bind.h"
#include "script/modules.h"

enum {
	NAME_BYTES = 256, /* NAME_MAX of a file, and a NUL */
	KEY_BYTES = 32,
	CODE_BYTES = 8,
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
	char code[CODE_BYTES];
	unsigned nth;
	unsigned example; /* to try next, from 1 */
	bool has_example;
	bool is_expected;
	unsigned before;      /* events of the example that come before its own */
	struct mw_buf *event; /* JSON of the event asked for */
};

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Where the n-th place is that `key` is assigned in `source`; line 0 when there is none. */
static struct mw_rule_place place_of(const char *source, const char *key, unsigned nth)
{
	size_t length = strlen(key);
	struct mw_rule_place place = {.line = 1};
	const char *start = source;
	for (const char *s = source; *s; s++) {
		if (*s == '\n') {
			place.line++;
			start = s + 1;
		}
		if (strncmp(s, key, length) != 0 || (s > source && is_word(s[-1])))
			continue;
		const char *after = s + length;
		after += strspn(after, " \t");
		place.column = (unsigned)(s - start) + 1;
		if (after[0] == '=' && after[1] != '=' && --nth == 0)
			return place;
	}
	return (struct mw_rule_place){0};
}

/* "name.lua:7: what": the line, and what. */
static const char *split_place(const char *text, const char *name, struct mw_rule_place *place)
{
	size_t length = strlen(name);
	unsigned line;
	int n = 0;
	if (strncmp(text, name, length) != 0 || sscanf(text + length, ":%u: %n", &line, &n) != 1 || !n)
		return text;
	place->line = line;
	place->column = 1;
	return text + length + n;
}

/* Report that the file is refused for load->why, with the place of the key. */
static void report_refusal(const struct load *load)
{
	MW_AUTO(mw_buf) source = MW_BUF(MW_SCRIPT_BYTES);
	struct mw_rule_place place = {0};
	if (load->key[0] && mw_file_read_at(AT_FDCWD, load->path, &source) == 0 && source.data)
		place = place_of(source.data, load->key, load->nth);
	if (load->rules->options.on_problem) {
		const char *slash = strrchr(load->path, '/');
		const char *text = load->why.text;
		if (!load->is_checked && strncmp(text, load->path, strlen(load->path)) == 0)
			text = split_place(text, load->path, &place);
		else if (!load->is_checked)
			text = split_place(text, slash ? slash + 1 : load->path, &place);
		if (!place.line)
			place = (struct mw_rule_place){1, 1};
		const struct mw_rule_problem problem = {
			.file = load->path, .place = place, .code = load->code, .text = text};
		load->rules->options.on_problem(load->rules->options.data, &problem);
		return;
	}
	if (place.line || load->is_checked)
		mw_rules_report(load->rules, "%s:%u: %s", load->path, place.line ? place.line : 1, load->why.text);
	else
		mw_rules_report_at(load->rules, load->path, load->why.text, "");
}

static void blame(struct load *load, const char *code, const char *key, unsigned nth)
{
	(void)snprintf(load->code, sizeof(load->code), "%s", code);
	(void)snprintf(load->key, sizeof(load->key), "%s", key);
	load->nth = nth;
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
	lua_call(L, 2, 5);
	int checked = lua_gettop(L) - 4;
	if (!lua_istable(L, checked)) {
		const char *why = lua_tostring(L, checked + 1);
		const char *key = lua_tostring(L, checked + 2);
		const char *code = lua_tostring(L, checked + 4);
		(void)mw_err_set(&load->why, -EINVAL, "%s", why ? why : "refused without a reason");
		blame(load, code ? code : "R100", key ? key : "",
		      lua_isinteger(L, checked + 3) ? (unsigned)lua_tointeger(L, checked + 3) : 1);
		return 0;
	}
	lua_settop(L, checked);
	struct mw_rule *rule = &load->rule;
	if (mw_rule_take(L, rule, &load->why) < 0) {
		blame(load, "R105", "where", 1);
		return 0;
	}
	if (mw_message_check(rule->own.message, &load->why) < 0) {
		mw_err_prefix(&load->why, "message");
		blame(load, "R107", "message", 1);
		return 0;
	}
	return 1;
}

/* Write the JSON of event `before` (from 1; one more than there are: of the example's own) of example load->example of the
 * checked definition at index 2 to load->event. */
static int encode_example(lua_State *L)
{
	struct load *load = lua_touserdata(L, 1);
	lua_getfield(L, 2, "examples");
	load->has_example = lua_rawgeti(L, -1, (int)load->example) == LUA_TTABLE;
	if (!load->has_example)
		return 0;
	int example = lua_gettop(L);
	lua_getfield(L, example, "expect");
	load->is_expected = lua_toboolean(L, -1);
	lua_getfield(L, example, "before");
	unsigned count = (unsigned)lua_rawlen(L, -1);
	if (load->before > count)
		lua_getfield(L, example, "event");
	else
		lua_rawgeti(L, -1, (int)load->before);
	mw_buf_clear(load->event);
	mw_encode_json(L, load->event);
	if (load->before > count)
		load->before = 0; /* the last one */
	return 0;
}

/* Put the marks of the example on the process of its event. */
static int mark_example(lua_State *L)
{
	struct load *load = lua_touserdata(L, 1);
	const struct mw_event *event = lua_touserdata(L, 3);
	lua_getfield(L, 2, "examples");
	lua_rawgeti(L, -1, (int)load->example);
	lua_getfield(L, -1, "marks");
	for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
		size_t length;
		const char *mark = lua_tolstring(L, -1, &length);
		char key[MW_STORE_KEY_BYTES];
		size_t n = event->process ? mw_mark_key(mark, length, event->process, key, sizeof(key)) : 0;
		if (n)
			(void)mw_store_get(load->rules->store, MW_STORE_MARK, 0, key, n, event->time_ns,
					   event->time_ns + 1);
	}
	return 0;
}

static int call_with(struct load *load, lua_CFunction function, const struct mw_event *event, struct mw_err *err)
{
	lua_State *L = mw_script_lua(load->rules->script);
	lua_pushcfunction(L, function);
	lua_pushlightuserdata(L, load);
	lua_pushvalue(L, -3); /* the checked definition */
	lua_pushlightuserdata(L, (void *)(uintptr_t)event);
	return mw_script_call(load->rules->script, 3, 0, MW_RULE_LOAD_INSTRUCTIONS, err);
}

/* Judge the events of example load->example; *ret_match of the last one.  -ENOENT: there is no such example. */
static int judge_example(struct load *load, bool *ret_match, struct mw_err *err)
{
	/* 2026-01-02T03:04:05Z; the events before, each a millisecond apart. */
	const int64_t then_ns = INT64_C(1767323045) * MW_NS_PER_S;
	int r = 0;
	for (unsigned n = 1; r == 0; n++) {
		load->before = n;
		r = call_with(load, encode_example, NULL, err);
		if (r == 0 && !load->has_example)
			return -ENOENT;
		struct mw_decoded decoded = {0};
		if (r == 0 && mw_buf_status(load->event) < 0)
			r = mw_err_set(err, -E2BIG, "the event is too large");
		if (r == 0)
			r = mw_decode_event(&decoded, load->event->data, load->event->size, err);
		if (r == 0 && !decoded.event.time_ns)
			decoded.event.time_ns = then_ns + n * (int64_t)MW_NS_PER_MS;
		if (r == 0 && !load->before)
			r = call_with(load, mark_example, &decoded.event, err);
		if (r == 0)
			r = mw_rules_judge_one(load->rules, &load->rule, &decoded.event, ret_match, err);
		mw_decoded_release(&decoded);
		if (!load->before)
			break;
	}
	mw_store_sweep(load->rules->store, INT64_MAX, NULL, NULL);
	return r;
}

/* Try all examples of the checked definition on top, popped.  Returns 0, or a negative errno with load->why set. */
static int try_examples(struct load *load)
{
	struct mw_rules *rules = load->rules;
	struct mw_buf event = MW_BUF(MW_DECODE_BYTES);
	load->event = &event;
	/* An example says what the rule says; exceptions of others come later, and a silent rule would say nothing. */
	bool is_silent = load->rule.is_silent;
	load->rule.is_silent = false;
	for (load->example = 1;; load->example++) {
		struct mw_err err;
		bool is_match = false;
		int r = judge_example(load, &is_match, &err);
		if (r == -ENOENT)
			break;
		if (r == 0 && is_match != load->is_expected)
			r = mw_err_set(&err, -EINVAL, "example %u: expected %s, the rule says %s", load->example,
				       load->is_expected ? "a match" : "no match", is_match ? "match" : "no match");
		else if (r < 0)
			mw_err_prefix(&err, "example %u", load->example);
		if (rules->options.on_example)
			rules->options.on_example(rules->options.data, load->rule.info.id, load->example,
						  r < 0 ? err.text : NULL);
		/* Told of all of them, refused for the first. */
		if (r < 0 && !load->why.text[0]) {
			load->why = err;
			blame(load, "R109", "expect", load->example);
		}
		if (r < 0 && !rules->options.on_example)
			break;
	}
	load->rule.is_silent = is_silent;
	load->rule.counts = (struct mw_rule_counts){0};
	mw_buf_release(&event);
	lua_pop(mw_script_lua(rules->script), 1);
	return load->why.text[0] ? -EINVAL : 0;
}

/* Compile, run, check, try.  Returns 0 or a negative errno with load->why set; the Lua stack is as it was. */
static int load_definition(struct load *load)
{
	struct mw_script *script = load->rules->script;
	lua_State *L = mw_script_lua(script);
	const char *slash = strrchr(load->path, '/');
	blame(load, "R101", "", 0);
	int r = mw_script_load_file(script, load->path, slash ? slash + 1 : load->path, &load->why);
	if (r < 0)
		return r;
	blame(load, "R111", "", 0);
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
	struct mw_rule *list = rules->list;
	/* Doubled when it is full. */
	if ((rules->count & (rules->count - 1)) == 0) {
		list = realloc(rules->list, (rules->count ? 2 * rules->count : 1) * sizeof(*list));
		if (list)
			rules->list = list;
	}
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
		blame(&load, "R112", "id", 1);
	}
	if (r == 0 && (r = check_memory(&load, before)) < 0)
		blame(&load, "R113", "", 0);
	if (r == 0)
		r = keep(&load);
	if (r == 0)
		return;

	rules->refused++;
	report_refusal(&load);
	mw_rule_release(rules, &load.rule);
	/* What a failed file leaves behind must not count against the next. */
	if (r == -ENOMEM)
		mw_script_collect(rules->script);
}

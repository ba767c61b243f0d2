/* What becomes of a match: sequences, thresholds, marks and throttles. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "rule/rules.h"
#include "script/bind.h"

/* FNV-1a */
static uint64_t hash_of(const char *text, size_t bytes)
{
	uint64_t hash = 14695981039346656037u;
	for (size_t i = 0; i < bytes; i++)
		hash = (hash ^ (unsigned char)text[i]) * 1099511628211u;
	return hash;
}

/* Bytes that tell a value from others; borrowed, or in `number`. */
static const char *bytes_of(const struct mw_value *value, int64_t number[2], size_t *ret_bytes)
{
	*ret_bytes = sizeof(*number);
	number[0] = value->integer;
	switch (value->type) {
	case MW_NONE:
		*ret_bytes = 0;
		return "";
	case MW_TEXT:
	case MW_STRINGS:
		*ret_bytes = value->bytes;
		return value->text;
	case MW_OBJECT: /* fields that are keys are processes: see moonwatch.rule */
		number[0] = ((const struct mw_process *)value->object)->pid;
		number[1] = ((const struct mw_process *)value->object)->start_ns;
		*ret_bytes = 2 * sizeof(*number);
		return (const char *)number;
	default:
		return (const char *)number;
	}
}

size_t mw_rule_key_make(const struct mw_rule_key *key, const struct mw_event *event, char *ret_key, size_t room)
{
	size_t n = 0;
	size_t each = key->count ? room / key->count : room;
	for (unsigned i = 0; i < key->count; i++) {
		struct mw_value value = {.type = MW_NONE};
		int64_t number[2];
		size_t bytes;
		mw_filter_value(key->paths[i], event, &value);
		const char *text = bytes_of(&value, number, &bytes);
		uint64_t hash = hash_of(text, bytes);
		/* The hash alone stands for what is too long. */
		size_t shown = bytes + sizeof(hash) + 1 <= each ? bytes : each - sizeof(hash) - 1;
		ret_key[n++] = (char)value.type;
		memcpy(ret_key + n, text, shown);
		n += shown;
		memcpy(ret_key + n, &hash, sizeof(hash));
		n += sizeof(hash);
	}
	return n;
}

bool mw_rule_waits(const struct mw_rules *rules, const struct mw_rule *rule, unsigned step)
{
	return step > 0 && !mw_store_count(rules->store, MW_STORE_SEQUENCE, rule->owner);
}

/* Ids of events are "RUN-NUMBER". */
static uint64_t number_of(const struct mw_event *event)
{
	const char *dash = strrchr(event->id, '-');
	return dash ? strtoull(dash + 1, NULL, 10) : 0;
}

static void tell_earlier(struct mw_rules *rules, const struct mw_store_entry *entry, const struct mw_event *event,
			 struct mw_alert *alert)
{
	const char *dash = strrchr(event->id, '-');
	int run = dash ? (int)(dash - event->id) : 0;
	mw_buf_clear(&rules->earlier);
	for (unsigned i = 0; i < entry->count; i++) {
		mw_buf_printf(&rules->earlier, "%.*s-%012llu", run, event->id,
			      (unsigned long long)entry->moments[i].what);
		mw_buf_char(&rules->earlier, '\0');
	}
	if (mw_buf_status(&rules->earlier) < 0)
		return;
	alert->earlier = rules->earlier.data;
	alert->earlier_bytes = rules->earlier.size;
}

/* True when this was the last step. */
static bool sequence(struct mw_rules *rules, const struct mw_rule *rule, unsigned step, const struct mw_event *event,
		     struct mw_alert *alert)
{
	char key[MW_STORE_KEY_BYTES];
	size_t bytes = mw_rule_key_make(&rule->steps[step].by, event, key, sizeof(key));
	const struct mw_moment moment = {.time_ns = event->time_ns, .what = number_of(event)};
	int64_t now = event->time_ns;
	struct mw_store_entry *entry;
	if (step == 0) {
		entry = mw_store_get(rules->store, MW_STORE_SEQUENCE, rule->owner, key, bytes, now,
				     now + rule->within_ns);
		if (entry && entry->count <= 1) {
			/* Again the first: the window begins anew. */
			mw_store_forget(entry, entry->count);
			(void)mw_store_note(entry, moment);
			entry->until_ns = now + rule->within_ns;
		}
		return false;
	}
	entry = mw_store_find(rules->store, MW_STORE_SEQUENCE, rule->owner, key, bytes, now);
	if (!entry || entry->count != step)
		return false;
	if (step + 1 < rule->steps_count) {
		(void)mw_store_note(entry, moment);
		return false;
	}
	tell_earlier(rules, entry, event, alert);
	mw_store_remove(rules->store, entry);
	return true;
}

/* True when it is reached. */
static bool threshold(struct mw_rules *rules, const struct mw_rule *rule, const struct mw_event *event,
		      struct mw_alert *alert)
{
	char key[MW_STORE_KEY_BYTES];
	size_t bytes = mw_rule_key_make(&rule->threshold.by, event, key, sizeof(key));
	int64_t now = event->time_ns;
	struct mw_store_entry *entry = mw_store_get(rules->store, MW_STORE_THRESHOLD, rule->owner, key, bytes, now,
						    now + rule->threshold.within_ns);
	if (!entry)
		return true; /* no memory: better one too many */
	unsigned old = 0;
	while (old < entry->count && entry->moments[old].time_ns <= now - rule->threshold.within_ns)
		old++;
	mw_store_forget(entry, old);
	struct mw_moment moment = {.time_ns = now};
	if (rule->threshold.distinct[0]) {
		struct mw_value value = {.type = MW_NONE};
		int64_t number[2];
		size_t n;
		mw_filter_value(rule->threshold.distinct, event, &value);
		const char *text = bytes_of(&value, number, &n);
		if (value.type == MW_NONE)
			return false;
		moment.what = hash_of(text, n);
		for (unsigned i = 0; i < entry->count; i++)
			if (entry->moments[i].what == moment.what) {
				memmove(&entry->moments[i], &entry->moments[i + 1],
					(--entry->count - i) * sizeof(moment));
				break;
			}
	}
	(void)mw_store_note(entry, moment);
	entry->until_ns = now + rule->threshold.within_ns;
	if (entry->count < rule->threshold.count)
		return false;
	alert->count = entry->count;
	mw_store_remove(rules->store, entry);
	return true;
}

static void mark(struct mw_rules *rules, const struct mw_rule *rule, const struct mw_event *event)
{
	const struct mw_process *process = event->process;
	if (process && rule->mark.is_on_parent && process->parent)
		process = process->parent;
	if (!process)
		return;
	char key[MW_STORE_KEY_BYTES];
	size_t bytes = mw_mark_key(rule->mark.name, strlen(rule->mark.name), process, key, sizeof(key));
	int64_t until = event->time_ns + rule->mark.ttl_ns;
	struct mw_store_entry *entry = mw_store_get(rules->store, MW_STORE_MARK, 0, key, bytes, event->time_ns, until);
	if (entry)
		entry->until_ns = until;
}

/* True when the alert is to be told. */
static bool throttle(struct mw_rules *rules, struct mw_rule *rule, const struct mw_event *event, struct mw_alert *alert)
{
	const struct mw_rule_throttle *limit = &rule->now.throttle;
	char key[MW_STORE_KEY_BYTES];
	size_t bytes = mw_rule_key_make(&limit->by, event, key, sizeof(key));
	int64_t now = event->time_ns;
	struct mw_store_entry *entry = mw_store_get(rules->store, MW_STORE_THROTTLE, rule->owner, key, bytes, now, now);
	if (!entry)
		return true;
	/* A clock that was set back ends the period, too. */
	if (now < entry->until_ns && now >= entry->since_ns) {
		entry->folded++;
		rule->counts.folded++;
		return false;
	}
	alert->folded = entry->folded;
	entry->folded = 0;
	entry->since_ns = now;
	entry->until_ns = now + limit->period_ns;
	return true;
}

bool mw_rule_matched(struct mw_question *question, struct mw_alert *alert)
{
	struct mw_rules *rules = question->rules;
	struct mw_rule *rule = question->asked;
	const struct mw_event *event = question->subject.event;
	rule->counts.matched++;
	if (rule->within_ns && !sequence(rules, rule, question->step, event, alert))
		return false;
	if (rule->threshold.count && !threshold(rules, rule, event, alert))
		return false;
	if (rule->mark.name[0])
		mark(rules, rule, event);
	if (rule->is_silent)
		return false;
	return !rule->now.throttle.period_ns || throttle(rules, rule, event, alert);
}

struct ended {
	struct mw_rules *rules;
	uint64_t folded;
};

static void tell_folded(void *data, const struct mw_store_entry *entry)
{
	struct mw_rules *rules = ((struct ended *)data)->rules;
	if (entry->use != MW_STORE_THROTTLE || !entry->folded)
		return;
	for (size_t i = 0; i < rules->count; i++)
		if (rules->list[i].owner == entry->owner) {
			mw_rules_report(rules,
					"rule %s: %llu more alerts like one told before were left out within %lld s",
					rules->list[i].info.id, (unsigned long long)entry->folded,
					(long long)((entry->until_ns - entry->since_ns) / 1000000000));
			return;
		}
}

void mw_rules_tick(struct mw_rules *rules, int64_t now_ns)
{
	struct ended ended = {.rules = rules};
	mw_store_sweep(rules->store, now_ns, tell_folded, &ended);
}

/* memory.get(name), memory.set(name, value): of the rule that is being asked, for the process, for it and its descendants, or
 * for all. */

enum {
	/* Longer names, of files say, are cut, with a hash of the whole at their end. */
	NAME_BYTES = 128,
};

static struct mw_question *asking(lua_State *L)
{
	struct mw_rules *rules = lua_touserdata(L, lua_upvalueindex(1));
	if (!rules->question || !rules->question->asked || rules->question->asked->scope == MW_SCOPE_NONE) {
		luaL_error(L, "memory used outside of the call it was handed to, or by a rule without `memory`");
		return NULL; /* not reached */
	}
	return rules->question;
}

static size_t value_key(enum mw_rule_scope scope, const struct mw_process *process, const char *name, size_t bytes,
			char *ret_key)
{
	static const struct mw_process nobody;
	char cut[NAME_BYTES + sizeof(uint64_t)];
	if (bytes > NAME_BYTES) {
		uint64_t hash = hash_of(name, bytes);
		memcpy(cut, name, NAME_BYTES);
		memcpy(cut + NAME_BYTES, &hash, sizeof(hash));
		name = cut;
		bytes = sizeof(cut);
	}
	return mw_mark_key(name, bytes, scope == MW_SCOPE_RULE || !process ? &nobody : process, ret_key,
			   MW_STORE_KEY_BYTES);
}

static int memory_get(lua_State *L)
{
	struct mw_question *question = asking(L);
	size_t bytes;
	const char *name = luaL_checklstring(L, 1, &bytes);
	const struct mw_rule *rule = question->asked;
	const struct mw_event *event = question->subject.event;
	const struct mw_process *process = event->process;
	char key[MW_STORE_KEY_BYTES];
	const struct mw_store_entry *entry = NULL;
	for (unsigned n = 0; !entry && n <= MW_ANCESTORS; n++) {
		size_t k = value_key(rule->scope, process, name, bytes, key);
		entry = mw_store_find(question->rules->store, MW_STORE_VALUE, rule->owner, key, k, event->time_ns);
		process = process ? process->parent : NULL;
		if (rule->scope != MW_SCOPE_TREE || !process)
			break;
	}
	if (!entry || !entry->value)
		lua_pushnil(L);
	else if (entry->value[0] == 's')
		lua_pushlstring(L, entry->value + 1, entry->value_bytes - 1u);
	else if (entry->value[0] == 'b')
		lua_pushboolean(L, entry->value[1] == '1');
	else
		lua_pushinteger(L, strtoll(entry->value + 1, NULL, 10));
	return 1;
}

static int memory_set(lua_State *L)
{
	struct mw_question *question = asking(L);
	size_t bytes;
	const char *name = luaL_checklstring(L, 1, &bytes);
	const struct mw_rule *rule = question->asked;
	const struct mw_event *event = question->subject.event;
	char value[MW_STORE_VALUE_BYTES];
	size_t n = 0;
	int type = lua_type(L, 2);
	if (type == LUA_TSTRING) {
		size_t length;
		const char *text = lua_tolstring(L, 2, &length);
		luaL_argcheck(L, length < sizeof(value), 2, "longer than 511 bytes");
		value[0] = 's';
		memcpy(value + 1, text, length);
		n = length + 1;
	} else if (type == LUA_TBOOLEAN) {
		n = (size_t)snprintf(value, sizeof(value), "b%d", lua_toboolean(L, 2));
	} else if (lua_isinteger(L, 2)) {
		n = (size_t)snprintf(value, sizeof(value), "i%lld", (long long)lua_tointeger(L, 2));
	} else {
		luaL_argcheck(L, type == LUA_TNIL, 2, "must be a text, a whole number, true, false or nil");
	}
	char key[MW_STORE_KEY_BYTES];
	size_t k = value_key(rule->scope, event->process, name, bytes, key);
	struct mw_store *store = question->rules->store;
	int64_t until = event->time_ns + rule->memory_ns;
	struct mw_store_entry *entry =
		n ? mw_store_get(store, MW_STORE_VALUE, rule->owner, key, k, event->time_ns, until)
		  : mw_store_find(store, MW_STORE_VALUE, rule->owner, key, k, event->time_ns);
	if (!n && entry)
		mw_store_remove(store, entry);
	else if (n && (!entry || mw_store_set_value(entry, value, n) < 0))
		return luaL_error(L, "no memory for a value");
	else if (n)
		entry->until_ns = until;
	return 0;
}

void mw_rule_push_memory(lua_State *L, struct mw_rules *rules)
{
	static const luaL_Reg functions[] = {{"get", memory_get}, {"set", memory_set}, {NULL, NULL}};
	lua_createtable(L, 0, 2);
	lua_pushlightuserdata(L, rules);
	luaL_setfuncs(L, functions, 1);
}

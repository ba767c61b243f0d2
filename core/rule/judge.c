/* Judging events.
 *
 * All rules live in one state, each called by itself under its own budget; whatever a rule does, the next one is asked just
 * the same.  Who may want an event is found by the index, filters are tried in C, and only what is left is asked in Lua.  The
 * view of an event is made once and handed to all. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "rule/message.h"
#include "rule/rules.h"
#include "rule/watchdog.h"
#include "script/bind.h"
#include "script/sandbox.h"

/* Their addresses are keys in the registry. */
static const char view_key, memory_key;

/* What the rule asked last has allocated less what was collected while it ran. */
static void account(const struct mw_question *question)
{
	size_t now = mw_script_memory(question->rules->script);
	question->asked->held_bytes += (int64_t)now - (int64_t)question->memory;
}

static void push_view(lua_State *L, struct mw_question *question)
{
	/* What judged an event of its own in between has ended the view. */
	uint64_t generation = mw_script_generation(question->rules->script);
	if (!question->has_view || question->generation != generation) {
		mw_lua_push_object(L, &mw_event_shape, question->subject.event);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &view_key);
		question->has_view = true;
		question->generation = generation;
	}
	lua_rawgetp(L, LUA_REGISTRYINDEX, &view_key);
}

static void push_memory(lua_State *L, struct mw_rules *rules)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &memory_key) == LUA_TTABLE)
		return;
	lua_pop(L, 1);
	mw_rule_push_memory(L, rules);
	mw_sandbox_lock(L);
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &memory_key);
}

static bool passes(struct mw_question *question, struct mw_rule *rule, unsigned n, unsigned filter)
{
	const struct mw_rule_step *step = &rule->steps[n];
	if (rule->is_off || question->passed == step || mw_rule_waits(question->rules, rule, n) ||
	    !mw_filter_holds(&step->filters[filter], &question->subject))
		return false;
	question->asked = rule;
	question->step = n;
	question->passed = step;
	question->is_pending = true;
	return true;
}

/* Steps of the only rule, later ones first. */
static bool next_step(struct mw_question *question)
{
	struct mw_rule *rule = question->only;
	while (question->next < rule->steps_count) {
		unsigned step = rule->steps_count - 1 - question->next++;
		bool is_heard = rule->steps[step].kinds >> question->subject.event->kind & 1;
		for (unsigned i = 0; is_heard && i < rule->steps[step].filters_count; i++)
			if (passes(question, rule, step, i))
				return true;
	}
	return false;
}

/* The next one that natively matches; false when none is left. */
static bool next(struct mw_question *question)
{
	if (question->is_pending)
		return true;
	if (question->only)
		return next_step(question);
	struct mw_rules *rules = question->rules;
	while (question->next < question->words) {
		uint64_t *word = &question->pending[question->next];
		if (!*word) {
			question->next++;
			continue;
		}
		unsigned n = 64 * question->next + (unsigned)__builtin_ctzll(*word);
		*word &= *word - 1;
		const struct mw_listening *listening = &rules->listening[n];
		if (passes(question, &rules->list[listening->rule], listening->step, listening->filter))
			return true;
	}
	return false;
}

static bool needs_lua(const struct mw_question *question)
{
	return question->asked->needs_lua || question->asked->steps[question->step].match != LUA_NOREF;
}

/* L: NULL when no exception has a function. */
static bool is_excepted(lua_State *L, struct mw_question *question)
{
	struct mw_rule *rule = question->asked;
	for (unsigned i = 0; i < rule->exceptions_count; i++) {
		const struct mw_rule_exception *exception = &rule->exceptions[i];
		if (!mw_filter_holds(&exception->filter, &question->subject))
			continue;
		bool holds = true;
		if (exception->match != LUA_NOREF) {
			lua_rawgeti(L, LUA_REGISTRYINDEX, exception->match);
			push_view(L, question);
			lua_call(L, 1, 1);
			holds = lua_toboolean(L, -1);
			lua_pop(L, 1);
		}
		if (holds) {
			rule->counts.excepted++;
			return true;
		}
	}
	return false;
}

static bool is_match(lua_State *L, struct mw_question *question)
{
	struct mw_rule *rule = question->asked;
	const struct mw_rule_step *step = &rule->steps[question->step];
	if (step->match != LUA_NOREF) {
		lua_rawgeti(L, LUA_REGISTRYINDEX, step->match);
		push_view(L, question);
		if (rule->scope)
			push_memory(L, question->rules);
		lua_call(L, rule->scope ? 2 : 1, 1);
		bool holds = lua_toboolean(L, -1);
		lua_pop(L, 1);
		if (!holds)
			return false;
	}
	return !is_excepted(L, question);
}

/* Ask one rule after the other, until one matches, needs no script, or none is left; each has the whole budget. */
static int ask(lua_State *L)
{
	struct mw_question *question = lua_touserdata(L, 1);
	struct mw_rules *rules = question->rules;
	while (next(question) && needs_lua(question)) {
		struct mw_rule *rule = question->asked;
		question->is_pending = false;
		question->memory = mw_script_memory(rules->script);
		mw_script_renew_budget(rules->script);
		mw_watchdog_step(rules->watchdog);
		int64_t start_ns = rules->options.is_timed ? mw_clock_mono_ns() : 0;
		rule->counts.asked++;
		question->is_match = is_match(L, question);
		account(question);
		if (rules->options.is_timed)
			rule->counts.ns += (uint64_t)(mw_clock_mono_ns() - start_ns);
		if (question->is_match)
			return 0;
	}
	return 0;
}

static void switch_off(struct mw_rules *rules, struct mw_rule *rule)
{
	lua_State *L = mw_script_lua(rules->script);
	rule->is_off = true;
	for (unsigned i = 0; i < rule->steps_count; i++) {
		luaL_unref(L, LUA_REGISTRYINDEX, rule->steps[i].match);
		rule->steps[i].match = LUA_NOREF;
	}
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
	mw_message_render(&rules->message, rule->now.message, event);
	/* What did not fit is left out. */
	return rules->message.size ? rules->message.data : rule->info.summary;
}

static void take_match(struct mw_question *question)
{
	struct mw_rules *rules = question->rules;
	struct mw_rule *rule = question->asked;
	struct mw_alert alert = {.event = question->subject.event, .rule = &rule->info};
	if (!mw_rule_matched(question, &alert))
		return;
	rule->counts.alerts++;
	question->alerts++;
	if (!question->on_alert)
		return;
	alert.message = render(rules, rule, alert.event);
	question->on_alert(question->data, &alert);
}

/* One call into Lua. */
static int ask_protected(struct mw_question *question, struct mw_err *err)
{
	struct mw_rules *rules = question->rules;
	lua_State *L = mw_script_lua(rules->script);
	struct mw_question *outer = rules->question;
	rules->question = question;
	question->is_match = false;
	lua_pushcfunction(L, ask);
	lua_pushlightuserdata(L, question);
	mw_watchdog_begin(rules->watchdog);
	int r = mw_script_call(rules->script, 1, 0, rules->options.event_instructions, err);
	mw_watchdog_end(rules->watchdog);
	rules->question = outer;
	if (r < 0)
		account(question);
	return r;
}

/* All containers of a task see the sockets of each other: one that was found by looking, and whose owner was not, says nothing of
 * this container. */
static bool is_perhaps_anothers(const struct mw_event *event)
{
	return event->socket && event->is_sampled && !event->process;
}

void mw_rules_judge(struct mw_rules *rules, const struct mw_event *event,
		    void (*on_alert)(void *data, const struct mw_alert *alert), void *data)
{
	/* A report of a fault may be an event, too. */
	if (!(rules->kinds >> event->kind & 1) || rules->depth == MW_RULE_DEPTH_JUDGED || is_perhaps_anothers(event))
		return;
	struct mw_question question = {.rules = rules, .on_alert = on_alert, .data = data};
	mw_subject_begin(&question.subject, event, rules->store);
	unsigned words;
	const uint64_t *pending = mw_index_ask(rules->index, &question.subject, &words);
	if (!pending)
		return;
	question.pending = rules->pending[rules->depth++];
	question.words = words;
	memcpy(question.pending, pending, words * sizeof(*pending));
	while (next(&question)) {
		struct mw_err err;
		if (!needs_lua(&question)) {
			question.is_pending = false;
			if (!is_excepted(NULL, &question))
				take_match(&question);
			continue;
		}
		int r = ask_protected(&question, &err);
		/* Again at most once for each rule: each time one is switched off. */
		if (r < 0)
			question.is_pending = count_fault(rules, question.asked, r, &err);
		else if (question.is_match)
			take_match(&question);
	}
	rules->depth--;
	if (question.has_view)
		mw_script_expire_views(rules->script);
}

int mw_rules_judge_one(struct mw_rules *rules, struct mw_rule *rule, const struct mw_event *event, bool *ret_alert,
		       struct mw_err *err)
{
	struct mw_question question = {.rules = rules, .only = rule};
	mw_subject_begin(&question.subject, event, rules->store);
	int r = 0;
	while (r == 0 && next(&question)) {
		if (!needs_lua(&question)) {
			question.is_pending = false;
			if (!is_excepted(NULL, &question))
				take_match(&question);
			continue;
		}
		r = ask_protected(&question, err);
		if (r == 0 && question.is_match)
			take_match(&question);
	}
	mw_script_expire_views(rules->script);
	*ret_alert = question.alerts > 0;
	return r;
}

#include "script/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/secret.h"
#include "crypto/redact.h"
#include "flag/enroll.h"
#include "loop/loop.h"
#include "net/http.h"
#include "script/agent_private.h"
#include "script/bind.h"
#include "script/lua_query.h"
#include "script/lua_secret.h"
#include "sql/worker.h"

enum {
	/* A document of some MiB takes several times as much as tables, and so does a batch of results. */
	MEMORY_BYTES = 96 << 20,
	STATE_BYTES = 1024,
	/* Statuses between two turns of the loop; more are not passed on. */
	STATUSES = 64,
};

struct mw_agent {
	struct mw_agent_options own;
	struct mw_agent_host host;
	struct mw_agent_bundles bundles;
	struct mw_sql_worker_options queries;
	struct mw_script *script; /* NULL until it is needed */
	bool is_started;
	char secret_state[STATE_BYTES];
	/* Statuses on their way to it. */
	struct mw_timer status_timer;
	struct {
		enum mw_status severity;
		char *text;
	} statuses[STATUSES];
	unsigned status_count;
	/* A flush that goes on. */
	struct mw_timer flush_timer;
	void (*flushed)(void *data);
	void *flushed_data;
};

/* Its address is the key of the agent in the registry. */
static char agent_key;

struct mw_agent *mw_agent_of(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &agent_key);
	struct mw_agent *agent = lua_touserdata(L, -1);
	lua_pop(L, 1);
	if (!agent)
		luaL_error(L, "only the sensor's agent can do that");
	return agent;
}

const struct mw_agent_options *mw_agent_options_of(lua_State *L)
{
	return &mw_agent_of(L)->own;
}

const struct mw_agent_host *mw_agent_host_of(lua_State *L)
{
	const struct mw_agent *agent = mw_agent_of(L);
	if (!agent->host.watch)
		luaL_error(L, "there is nothing to be configured");
	return &agent->host;
}

const struct mw_agent_bundles *mw_agent_bundles_of(lua_State *L)
{
	const struct mw_agent *agent = mw_agent_of(L);
	if (!agent->bundles.apply)
		luaL_error(L, "nobody here takes bundles");
	return &agent->bundles;
}

enum mw_flag_source mw_agent_source(lua_State *L, int index)
{
	static const char *const names[] = {"config", "backend", NULL};
	static const enum mw_flag_source sources[] = {MW_FROM_CONFIG, MW_FROM_BACKEND};
	return sources[luaL_checkoption(L, index, NULL, names)];
}

/* report(line) */
static int agent_report(lua_State *L)
{
	const struct mw_agent *agent = lua_touserdata(L, lua_upvalueindex(1));
	agent->own.report(agent->own.data, luaL_checkstring(L, 1));
	return 0;
}

/* say(state) */
static int agent_say(lua_State *L)
{
	struct mw_agent *agent = lua_touserdata(L, lua_upvalueindex(1));
	(void)snprintf(agent->secret_state, sizeof(agent->secret_state), "%s", luaL_checkstring(L, 1));
	return 0;
}

/* remember(secret): it is blotted out from now on wherever it shows.  Kept until the process ends. */
static int agent_remember(lua_State *L)
{
	size_t n;
	const char *bytes = mw_lua_test_bytes(L, 1, &n);
	luaL_argcheck(L, bytes, 1, "a secret");
	struct mw_secret *secret;
	if (mw_secret_copy(bytes, n, &secret) < 0)
		return luaL_error(L, "out of memory for a secret");
	if (mw_redact_register(mw_secret_bytes(secret), n) < 0)
		mw_secret_free(secret);
	return 0;
}

/* identify(column, text or nil) */
static int agent_identify(lua_State *L)
{
	const struct mw_agent *agent = lua_touserdata(L, lua_upvalueindex(1));
	agent->own.identify(agent->own.data, luaL_checkstring(L, 1), luaL_optstring(L, 2, NULL));
	return 0;
}

/* keep(name, json) */
static int agent_keep(lua_State *L)
{
	const struct mw_agent *agent = lua_touserdata(L, lua_upvalueindex(1));
	size_t bytes;
	const char *json = luaL_checklstring(L, 2, &bytes);
	agent->own.keep(agent->own.data, luaL_checkstring(L, 1), json, bytes);
	return 0;
}

/* applied(): flags and the like may have changed */
static int agent_applied(lua_State *L)
{
	const struct mw_agent *agent = lua_touserdata(L, lua_upvalueindex(1));
	if (agent->host.applied)
		agent->host.applied(agent->host.data);
	return 0;
}

static void set_function(lua_State *L, const char *name, lua_CFunction function, struct mw_agent *agent)
{
	lua_pushlightuserdata(L, agent);
	lua_pushcclosure(L, function, 1);
	lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text);
	lua_setfield(L, -2, name);
}

/* start(module, agent): moonwatch.agent's start{reference, secret, …} */
static int start(lua_State *L)
{
	struct mw_agent *agent = lua_touserdata(L, 2);
	const struct mw_agent_options *options = &agent->own;
	(void)luaopen_moonwatch_secret(L); /* the class */
	lua_settop(L, 2);
	lua_getfield(L, 1, "start");
	lua_createtable(L, 0, 12);
	set_text(L, "reference", options->reference);
	set_text(L, "state_dir", options->state_dir);
	set_text(L, "run", options->run);
	set_text(L, "version", MOONWATCH_VERSION);
	set_function(L, "report", agent_report, agent);
	set_function(L, "say", agent_say, agent);
	set_function(L, "remember", agent_remember, agent);
	set_function(L, "identify", agent_identify, agent);
	set_function(L, "keep", agent_keep, agent);
	set_function(L, "applied", agent_applied, agent);
	lua_newtable(L);
	for (unsigned i = 0; i < options->taken_count; i++) {
		const struct mw_secret *taken = options->taken[i].secret;
		if (mw_secret_copy(mw_secret_bytes(taken), mw_secret_size(taken), mw_lua_new_secret(L)) < 0)
			luaL_error(L, "out of memory for a secret");
		lua_setfield(L, -2, options->taken[i].name);
	}
	lua_setfield(L, -2, "environment");
	if (options->secret) {
		if (mw_secret_copy(mw_secret_bytes(options->secret), mw_secret_size(options->secret),
				   mw_lua_new_secret(L)) < 0)
			luaL_error(L, "out of memory for a secret");
		lua_setfield(L, -2, "secret");
	}
	lua_call(L, 1, 0);
	return 0;
}

static int set_agent(lua_State *L)
{
	lua_rawsetp(L, LUA_REGISTRYINDEX, &agent_key);
	return 0;
}

static const char *module_of(const struct mw_agent *agent)
{
	return agent->own.module ? agent->own.module : "moonwatch.agent";
}

/* Push what module `name` returns, in the state, which is made when there is none yet. */
static int require(struct mw_agent *agent, const char *name, struct mw_err *err)
{
	if (agent->script)
		return mw_script_require(agent->script, name, err);
	mw_http_set_tree(agent->own.tree);
	const struct mw_script_options options = {
		.kind = MW_SCRIPT_AGENT,
		.tree = agent->own.tree,
		.memory_bytes = MEMORY_BYTES,
		.loop = agent->own.loop,
	};
	struct mw_script *script;
	int r = mw_script_new(&options, &script, err);
	if (r < 0)
		return r;
	lua_pushcfunction(mw_script_lua(script), set_agent);
	lua_pushlightuserdata(mw_script_lua(script), agent);
	r = mw_script_call(script, 1, 0, 0, err);
	mw_lua_query_set_options(script, &agent->queries);
	if (r == 0)
		r = mw_script_require(script, name, err);
	if (r < 0)
		mw_script_free(script);
	else
		agent->script = script;
	return r;
}

static void pass_statuses(void *data);
static void end_flush(void *data);

int mw_agent_new(const struct mw_agent_options *options, struct mw_agent **ret_agent)
{
	struct mw_agent *agent = calloc(1, sizeof(*agent));
	if (!agent)
		return -ENOMEM;
	agent->own = *options;
	agent->status_timer = (struct mw_timer){.fire = pass_statuses, .data = agent};
	agent->flush_timer = (struct mw_timer){.fire = end_flush, .data = agent};
	agent->queries = (struct mw_sql_worker_options){.state_dir = options->state_dir, .flags = options->flags};
	if (*options->reference)
		(void)snprintf(agent->secret_state, sizeof(agent->secret_state), "waiting");
	*ret_agent = agent;
	return 0;
}

/* stop(module) */
static int stop(lua_State *L)
{
	lua_getfield(L, 1, "stop");
	lua_call(L, 0, 0);
	return 0;
}

/* So that what is cut off by the end is known for that at the next start. */
static void end_tasks(struct mw_agent *agent)
{
	struct mw_err err;
	if (require(agent, "moonwatch.agent", &err) < 0)
		return;
	lua_State *L = mw_script_lua(agent->script);
	lua_pushcfunction(L, stop);
	lua_insert(L, -2);
	(void)mw_script_call(agent->script, 1, 0, 0, &err);
}

void mw_agent_free(struct mw_agent *agent)
{
	if (!agent)
		return;
	mw_timer_clear(agent->own.loop, &agent->flush_timer);
	mw_timer_clear(agent->own.loop, &agent->status_timer);
	while (agent->status_count)
		free(agent->statuses[--agent->status_count].text);
	if (agent->is_started)
		end_tasks(agent);
	if (agent->script)
		mw_script_free(agent->script);
	free(agent);
}

void mw_agent_set_host(struct mw_agent *agent, const struct mw_agent_host *host)
{
	agent->host = *host;
}

bool mw_agent_is_started(const struct mw_agent *agent)
{
	return agent->is_started;
}

void mw_agent_set_bundles(struct mw_agent *agent, const struct mw_agent_bundles *bundles)
{
	agent->bundles = *bundles;
}

int mw_agent_start(struct mw_agent *agent, struct mw_err *err)
{
	int r = require(agent, module_of(agent), err);
	if (r < 0)
		return r;
	lua_State *L = mw_script_lua(agent->script);
	lua_pushcfunction(L, start);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, agent);
	r = mw_script_call(agent->script, 2, 0, 0, err);
	agent->is_started = r == 0;
	if (r == 0)
		mw_timer_set(agent->own.loop, &agent->status_timer, 0);
	return r;
}

struct document {
	const char *text;
	size_t bytes;
	enum mw_flag_source source;
	const char *origin;
	const struct mw_agent_host *host;
	int code;
	struct mw_err *err;
};

/* (module, document) -> nothing: module.apply(text, source, origin) -> warnings | nil, message */
static int apply(lua_State *L)
{
	struct document *document = lua_touserdata(L, 2);
	lua_getfield(L, 1, "apply");
	lua_pushlstring(L, document->text, document->bytes);
	lua_pushstring(L, document->source == MW_FROM_CONFIG ? "config" : "backend");
	lua_pushstring(L, document->origin);
	lua_call(L, 3, 2);
	document->code = 0;
	if (!lua_istable(L, -2)) {
		const char *message = lua_tostring(L, -1);
		document->code =
			mw_err_set(document->err, -EINVAL, "%s", message ? message : "refused without a reason");
		return 0;
	}
	for (lua_Integer i = 1; lua_rawgeti(L, -2, i) == LUA_TSTRING; i++, lua_pop(L, 1))
		document->host->warn(document->host->data, lua_tostring(L, -1));
	return 0;
}

int mw_agent_apply(struct mw_agent *agent, const char *text, size_t bytes, enum mw_flag_source source,
		   const char *origin, struct mw_err *err)
{
	struct document document = {
		.text = text, .bytes = bytes, .source = source, .origin = origin, .host = &agent->host, .err = err};
	int r = require(agent, "moonwatch.osquery.config", err);
	if (r < 0)
		return r;
	lua_State *L = mw_script_lua(agent->script);
	lua_pushcfunction(L, apply);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, &document);
	r = mw_script_call(agent->script, 2, 0, 0, err);
	mw_script_collect(agent->script);
	if (agent->host.applied)
		agent->host.applied(agent->host.data);
	return r < 0 ? r : document.code;
}

/* status(module, severity, text) */
static int status(lua_State *L)
{
	lua_getfield(L, 1, "status");
	lua_replace(L, 1);
	lua_call(L, 2, 0);
	return 0;
}

static void pass_statuses(void *data)
{
	struct mw_agent *agent = data;
	for (unsigned i = 0; i < agent->status_count; i++) {
		struct mw_err err;
		char *text = agent->statuses[i].text;
		if (mw_script_require(agent->script, module_of(agent), &err) == 0) {
			lua_State *L = mw_script_lua(agent->script);
			lua_pushcfunction(L, status);
			lua_insert(L, -2);
			lua_pushinteger(L, agent->statuses[i].severity);
			lua_pushstring(L, text);
			if (mw_script_call(agent->script, 3, 0, 0, &err) < 0)
				mw_log("%s", err.text);
		}
		free(text);
	}
	agent->status_count = 0;
}

void mw_agent_status(struct mw_agent *agent, enum mw_status severity, const char *line)
{
	if (agent->status_count == STATUSES)
		return;
	char *text = strdup(line);
	if (!text)
		return;
	agent->statuses[agent->status_count].severity = severity;
	agent->statuses[agent->status_count++].text = text;
	/* Those of the start wait for it. */
	if (agent->is_started && !agent->status_timer.is_set)
		mw_timer_set(agent->own.loop, &agent->status_timer, 0);
}

static void end_flush(void *data)
{
	struct mw_agent *agent = data;
	void (*flushed)(void *) = agent->flushed;
	agent->flushed = NULL;
	mw_timer_clear(agent->own.loop, &agent->flush_timer);
	if (flushed)
		flushed(agent->flushed_data);
}

/* done() */
static int agent_flushed(lua_State *L)
{
	end_flush(lua_touserdata(L, lua_upvalueindex(1)));
	return 0;
}

/* flush(module, agent, deadline_ms): moonwatch.agent's flush(deadline_ms, done), which begins a task */
static int flush(lua_State *L)
{
	struct mw_agent *agent = lua_touserdata(L, 2);
	lua_getfield(L, 1, "flush");
	lua_pushvalue(L, 3);
	lua_pushlightuserdata(L, agent);
	lua_pushcclosure(L, agent_flushed, 1);
	lua_call(L, 2, 0);
	return 0;
}

void mw_agent_flush(struct mw_agent *agent, int64_t deadline_ms, void (*done)(void *data), void *data)
{
	struct mw_err err;
	if (!agent->is_started || agent->flushed) {
		done(data);
		return;
	}
	agent->flushed = done;
	agent->flushed_data = data;
	mw_timer_set(agent->own.loop, &agent->flush_timer, deadline_ms);
	int r = mw_script_require(agent->script, module_of(agent), &err);
	if (r == 0) {
		lua_State *L = mw_script_lua(agent->script);
		lua_pushcfunction(L, flush);
		lua_insert(L, -2);
		lua_pushlightuserdata(L, agent);
		lua_pushinteger(L, (lua_Integer)deadline_ms);
		r = mw_script_call(agent->script, 3, 0, 0, &err);
	}
	if (r < 0) {
		mw_log("%s", err.text);
		end_flush(agent);
	}
}

const char *mw_agent_secret_state(const struct mw_agent *agent)
{
	return agent->secret_state;
}

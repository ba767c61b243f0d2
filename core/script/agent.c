#include "script/agent.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "crypto/redact.h"
#include "net/http.h"
#include "script/bind.h"
#include "script/lua_secret.h"

enum {
	MEMORY_BYTES = 64 << 20,
	STATE_BYTES = 1024,
};

struct mw_agent {
	struct mw_agent_options own;
	struct mw_script *script;
	char secret_state[STATE_BYTES];
};

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

static void set_function(lua_State *L, const char *name, lua_CFunction function, struct mw_agent *agent)
{
	lua_pushlightuserdata(L, agent);
	lua_pushcclosure(L, function, 1);
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
	lua_createtable(L, 0, 9);
	lua_pushstring(L, options->reference);
	lua_setfield(L, -2, "reference");
	lua_pushboolean(L, options->uses_environment_keys);
	lua_setfield(L, -2, "uses_environment_keys");
	set_function(L, "report", agent_report, agent);
	set_function(L, "say", agent_say, agent);
	set_function(L, "remember", agent_remember, agent);
	set_function(L, "identify", agent_identify, agent);
	set_function(L, "keep", agent_keep, agent);
	if (options->secret) {
		if (mw_secret_copy(mw_secret_bytes(options->secret), mw_secret_size(options->secret),
				   mw_lua_new_secret(L)) < 0)
			luaL_error(L, "out of memory for a secret");
		lua_setfield(L, -2, "secret");
	}
	lua_call(L, 1, 0);
	return 0;
}

int mw_agent_new(const struct mw_agent_options *options, struct mw_agent **ret_agent, struct mw_err *err)
{
	struct mw_agent *agent = calloc(1, sizeof(*agent));
	if (!agent)
		return mw_err_set(err, -ENOMEM, "out of memory for the agent");
	agent->own = *options;
	(void)snprintf(agent->secret_state, sizeof(agent->secret_state), "waiting");
	mw_http_set_tree(options->tree);
	const struct mw_script_options script_options = {
		.kind = MW_SCRIPT_AGENT,
		.tree = options->tree,
		.memory_bytes = MEMORY_BYTES,
		.loop = options->loop,
	};
	int r = mw_script_new(&script_options, &agent->script, err);
	if (r == 0)
		r = mw_script_require(agent->script, "moonwatch.agent", err);
	if (r == 0) {
		lua_State *L = mw_script_lua(agent->script);
		lua_pushcfunction(L, start);
		lua_insert(L, -2);
		lua_pushlightuserdata(L, agent);
		r = mw_script_call(agent->script, 2, 0, 0, err);
	}
	if (r < 0)
		mw_agent_free(agent);
	else
		*ret_agent = agent;
	return r;
}

void mw_agent_free(struct mw_agent *agent)
{
	if (!agent)
		return;
	mw_script_free(agent->script);
	free(agent);
}

const char *mw_agent_secret_state(const struct mw_agent *agent)
{
	return agent->secret_state;
}

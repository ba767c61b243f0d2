/* moonwatch.flags: what flags there are, and setting those that may change while the sensor runs; for the agent. */
#include "base/err.h"
#include "flag/flag.h"
#include "script/agent_private.h"
#include "script/bind.h"

int luaopen_moonwatch_flags(lua_State *L);

/* set(name, value, source, origin) -> true | nil, message, code, errno */
static int set(lua_State *L)
{
	const struct mw_agent_host *host = mw_agent_host_of(L);
	const char *name = luaL_checkstring(L, 1);
	const char *value = luaL_checkstring(L, 2);
	enum mw_flag_source source = mw_agent_source(L, 3);
	const char *origin = luaL_optstring(L, 4, NULL);
	struct mw_err err = {""};
	int r = host->set_flag(host->data, name, value, source, origin, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

/* check(name, value, source) -> true | nil, message, code, errno */
static int check(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	const char *value = luaL_checkstring(L, 2);
	struct mw_err err = {""};
	int r = mw_flags_check(name, value, mw_agent_source(L, 3), &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

/* find(name) -> {name=, live=} | nil */
static int find(lua_State *L)
{
	const struct mw_flag *flag = mw_flag_find(luaL_checkstring(L, 1));
	if (!flag)
		return 0;
	lua_createtable(L, 0, 2);
	lua_pushstring(L, flag->name);
	lua_setfield(L, -2, "name");
	lua_pushboolean(L, flag->is_live);
	lua_setfield(L, -2, "live");
	return 1;
}

/* get(name) -> its value now: a boolean, integer or string */
static int get(lua_State *L)
{
	const struct mw_flags *flags = mw_agent_options_of(L)->flags;
	const struct mw_flag *flag = mw_flag_find(luaL_checkstring(L, 1));
	luaL_argcheck(L, flag, 1, "no such flag");
	enum mw_flag_id id = (enum mw_flag_id)(flag - mw_flag_list);
	if (flag->type == MW_FLAG_BOOL)
		lua_pushboolean(L, mw_flag_bool(flags, id));
	else if (flag->type == MW_FLAG_INT)
		lua_pushinteger(L, mw_flag_int(flags, id));
	else
		lua_pushstring(L, mw_flag_text(flags, id));
	return 1;
}

/* source(name) -> where its value is from: "default", "command line", … */
static int source(lua_State *L)
{
	const struct mw_flags *flags = mw_agent_options_of(L)->flags;
	const struct mw_flag *flag = mw_flag_find(luaL_checkstring(L, 1));
	luaL_argcheck(L, flag, 1, "no such flag");
	lua_pushstring(L, mw_flag_source_name(mw_flag_source(flags, (enum mw_flag_id)(flag - mw_flag_list))));
	return 1;
}

int luaopen_moonwatch_flags(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"set", set}, {"check", check}, {"find", find}, {"get", get}, {"source", source}, {NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

#include "script/tool.h"

#include <stdio.h>

#include "base/err.h"
#include "base/log.h"
#include "script/bind.h"

struct run {
	const char *program;
	int argc;
	char **argv;
};

static int with_traceback(lua_State *L)
{
	luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
	return 1;
}

static void set_arguments(lua_State *L, const struct run *run)
{
	lua_createtable(L, run->argc, 2);
	lua_pushstring(L, run->program);
	lua_rawseti(L, -2, -1);
	for (int i = 0; i < run->argc; i++) {
		lua_pushstring(L, run->argv[i]);
		lua_rawseti(L, -2, i);
	}
	lua_setglobal(L, "arg");
}

/* Leaves whether it went well.  The message is printed here, whole: a struct mw_err has no room for a traceback. */
static int run_script(lua_State *L)
{
	struct run *run = lua_touserdata(L, 1);
	set_arguments(L, run);
	lua_settop(L, 0);
	lua_pushcfunction(L, with_traceback);
	int status = luaL_loadfilex(L, run->argv[0], "t"); /* skips a first line that begins with # */
	if (status == LUA_OK) {
		luaL_checkstack(L, run->argc, "too many arguments");
		for (int i = 1; i < run->argc; i++)
			lua_pushstring(L, run->argv[i]);
		status = lua_pcall(L, run->argc - 1, 0, 1);
	}
	if (status != LUA_OK)
		(void)fprintf(stderr, "moonwatch: %s\n", lua_tostring(L, -1));
	lua_pushboolean(L, status == LUA_OK);
	return 1;
}

int mw_tool_run(const char *tree, const char *program, int argc, char **argv)
{
	struct mw_script_options options = {.kind = MW_SCRIPT_TOOL, .tree = tree};
	struct mw_script *script;
	struct mw_err err;
	if (mw_script_new(&options, &script, &err) < 0) {
		mw_log("%s", err.text);
		return 1;
	}
	lua_State *L = mw_script_lua(script);
	struct run run = {.program = program, .argc = argc, .argv = argv};
	lua_pushcfunction(L, run_script);
	lua_pushlightuserdata(L, &run);
	bool is_well = false;
	if (mw_script_call(script, 1, 1, 0, &err) < 0)
		mw_log("%s", err.text);
	else
		is_well = lua_toboolean(L, -1);
	mw_script_free(script);
	return is_well ? 0 : 1;
}

/* Leaves the exit status. */
static int run_module(lua_State *L)
{
	struct run *run = lua_touserdata(L, 1);
	lua_settop(L, 0);
	lua_pushcfunction(L, with_traceback);
	lua_getglobal(L, "require");
	lua_pushstring(L, run->program);
	int status = lua_pcall(L, 1, 1, 1);
	if (status == LUA_OK) {
		lua_getfield(L, -1, "main");
		lua_createtable(L, run->argc, 0);
		for (int i = 0; i < run->argc; i++) {
			lua_pushstring(L, run->argv[i]);
			lua_rawseti(L, -2, i + 1);
		}
		status = lua_pcall(L, 1, 1, 1);
	}
	if (status != LUA_OK)
		(void)fprintf(stderr, "moonwatch: %s\n", lua_tostring(L, -1));
	lua_pushinteger(L, status == LUA_OK ? lua_tointeger(L, -1) : 1);
	return 1;
}

int mw_script_run_module(const char *tree, const char *module, int argc, char **argv)
{
	struct mw_script_options options = {.kind = MW_SCRIPT_TOOL, .tree = tree};
	struct mw_script *script;
	struct mw_err err;
	if (mw_script_new(&options, &script, &err) < 0) {
		mw_log("%s", err.text);
		return 1;
	}
	lua_State *L = mw_script_lua(script);
	struct run run = {.program = module, .argc = argc, .argv = argv};
	lua_pushcfunction(L, run_module);
	lua_pushlightuserdata(L, &run);
	int exit_status = 1;
	if (mw_script_call(script, 1, 1, 0, &err) < 0)
		mw_log("%s", err.text);
	else
		exit_status = (int)lua_tointeger(L, -1);
	mw_script_free(script);
	return exit_status;
}

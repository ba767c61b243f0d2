/* moonwatch.watch: which files are watched; for the agent. */
#include "base/err.h"
#include "flag/file_paths.h"
#include "script/agent_private.h"
#include "script/bind.h"
#include "script/file_paths.h"

int luaopen_moonwatch_watch(lua_State *L);

/* Also __gc: the list is freed whatever is raised. */
static int release_paths(lua_State *L)
{
	mw_file_paths_release(lua_touserdata(L, 1));
	return 0;
}

static struct mw_file_paths *push_paths(lua_State *L)
{
	struct mw_file_paths *paths = lua_newuserdatauv(L, sizeof(*paths), 0);
	*paths = (struct mw_file_paths){0};
	if (luaL_newmetatable(L, "moonwatch.FilePaths")) {
		lua_pushcfunction(L, release_paths);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return paths;
}

/* configure(source, files) -> true | nil, message, code, errno */
static int configure(lua_State *L)
{
	const struct mw_agent_host *host = mw_agent_host_of(L);
	enum mw_flag_source source = mw_agent_source(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	struct mw_file_paths *paths = push_paths(L);
	struct mw_err err = {""};
	lua_pushvalue(L, 2);
	int r = mw_file_paths_read(L, paths, &err);
	if (r == 0)
		r = host->watch(host->data, source, paths, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

int luaopen_moonwatch_watch(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"configure", configure},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

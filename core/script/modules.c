/* The list of C modules, and a `require` that finds nothing but ours. */
#include "script/modules.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>
#include <lua-cjson.h>

#include "base/err.h"
#include "base/limits.h"
#include "script/bind.h"
#include "script/lua_secret.h"

int luaopen_moonwatch_archive(lua_State *L);
int luaopen_moonwatch_bundles(lua_State *L);
int luaopen_moonwatch_crypto(lua_State *L);
int luaopen_moonwatch_environment(lua_State *L);
int luaopen_moonwatch_event(lua_State *L);
int luaopen_moonwatch_files(lua_State *L);
int luaopen_moonwatch_flags(lua_State *L);
int luaopen_moonwatch_loop(lua_State *L);
int luaopen_moonwatch_notes(lua_State *L);
int luaopen_moonwatch_query(lua_State *L);
int luaopen_moonwatch_sigv4(lua_State *L);
int luaopen_moonwatch_spool(lua_State *L);
int luaopen_moonwatch_sql(lua_State *L);
int luaopen_moonwatch_state(lua_State *L);
int luaopen_moonwatch_stream(lua_State *L);
int luaopen_moonwatch_terminal(lua_State *L);
int luaopen_moonwatch_text(lua_State *L);
int luaopen_moonwatch_tls(lua_State *L);
int luaopen_moonwatch_watch(lua_State *L);
int luaopen_moonwatch_whole_file(lua_State *L);
int luaopen_moonwatch_writer(lua_State *L);
int luaopen_moonwatch_yaml(lua_State *L);

#define OURS (MW_SEEN_BY(MW_SCRIPT_AGENT) | MW_SEEN_BY(MW_SCRIPT_TOOL))

const struct mw_script_module mw_script_modules[] = {
	{"moonwatch.archive", luaopen_moonwatch_archive, MW_SEEN_BY(MW_SCRIPT_AGENT)},
	{"moonwatch.bundles", luaopen_moonwatch_bundles, MW_SEEN_BY(MW_SCRIPT_AGENT)},
	{"moonwatch.crypto", luaopen_moonwatch_crypto, OURS},
	{"moonwatch.environment", luaopen_moonwatch_environment, OURS},
	{"moonwatch.event", luaopen_moonwatch_event, (unsigned)MW_SEEN_BY_ALL},
	{"moonwatch.files", luaopen_moonwatch_files, OURS},
	{"moonwatch.flags", luaopen_moonwatch_flags, MW_SEEN_BY(MW_SCRIPT_AGENT)},
	{"moonwatch.loop", luaopen_moonwatch_loop, OURS},
	{"moonwatch.notes", luaopen_moonwatch_notes, OURS},
	{"moonwatch.query", luaopen_moonwatch_query, OURS},
	{"moonwatch.secret", luaopen_moonwatch_secret, OURS},
	{"moonwatch.sigv4", luaopen_moonwatch_sigv4, OURS},
	{"moonwatch.spool", luaopen_moonwatch_spool, OURS},
	{"moonwatch.sql", luaopen_moonwatch_sql, MW_SEEN_BY(MW_SCRIPT_TOOL)},
	{"moonwatch.state", luaopen_moonwatch_state, MW_SEEN_BY(MW_SCRIPT_AGENT)},
	{"moonwatch.stream", luaopen_moonwatch_stream, OURS},
	{"moonwatch.terminal", luaopen_moonwatch_terminal, MW_SEEN_BY(MW_SCRIPT_TOOL)},
	{"moonwatch.text", luaopen_moonwatch_text, (unsigned)MW_SEEN_BY_ALL},
	{"moonwatch.tls", luaopen_moonwatch_tls, OURS},
	{"moonwatch.watch", luaopen_moonwatch_watch, MW_SEEN_BY(MW_SCRIPT_AGENT)},
	{"moonwatch.whole_file", luaopen_moonwatch_whole_file, MW_SEEN_BY(MW_SCRIPT_TOOL)},
	{"moonwatch.writer", luaopen_moonwatch_writer, OURS},
	{"moonwatch.yaml", luaopen_moonwatch_yaml, MW_SEEN_BY(MW_SCRIPT_TOOL)},
	{"cjson", luaopen_cjson, OURS},
	{0},
};

enum {
	NAME_BYTES = 128
};

void mw_modules_preload(lua_State *L, enum mw_script_kind kind)
{
	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
	for (const struct mw_script_module *module = mw_script_modules; module->name; module++) {
		if (!(module->kinds & MW_SEEN_BY(kind)))
			continue;
		lua_pushcfunction(L, module->open);
		lua_setfield(L, -2, module->name);
	}
	lua_pop(L, 1);
}

static lua_CFunction find_in_c(const char *name, enum mw_script_kind kind)
{
	for (const struct mw_script_module *module = mw_script_modules; module->name; module++)
		if ((module->kinds & MW_SEEN_BY(kind)) && strcmp(module->name, name) == 0)
			return module->open;
	return NULL;
}

/* Push the chunk of the Lua file of a module. */
static void load_from_tree(lua_State *L, const char *name)
{
	struct mw_script *script = mw_script_of(L);
	char relative[NAME_BYTES];
	(void)snprintf(relative, sizeof(relative), "%s", name);
	for (char *dot = relative; (dot = strchr(dot, '.')); dot++)
		*dot = '/';

	const char *const endings[] = {".lua", "/init.lua"};
	for (size_t i = 0; i < sizeof(endings) / sizeof(*endings); i++) {
		char path[MW_PATH_BYTES];
		int n = snprintf(path, sizeof(path), "%s/lua/%s%s", mw_script_tree(script), relative, endings[i]);
		if (n < 0 || (size_t)n >= sizeof(path))
			luaL_error(L, "module '%s': path too long", name);
		struct mw_err err;
		int r = mw_script_load_own(script, path, path + strlen(mw_script_tree(script)) + 1, &err);
		if (r == 0 && mw_script_lua(script) != L)
			lua_xmove(mw_script_lua(script), L, 1); /* a task requires it */
		if (r == 0)
			return;
		if (r != -ENOENT)
			luaL_error(L, "module '%s': %s", name, err.text);
	}
	luaL_error(L, "module '%s' not found: neither built in nor in %s/lua", name, mw_script_tree(script));
}

int mw_modules_require(lua_State *L)
{
	size_t length;
	const char *name = luaL_checklstring(L, 1, &length);
	/* So that no name leads out of the tree. */
	luaL_argcheck(L,
		      length && length < NAME_BYTES && name[0] != '.' && !strstr(name, "..") &&
			      strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == length,
		      1, "not the name of a module");

	luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
	int loaded = lua_gettop(L);
	if (lua_getfield(L, loaded, name) != LUA_TNIL)
		return 1;
	lua_pop(L, 1);

	lua_CFunction open = find_in_c(name, mw_script_kind(mw_script_of(L)));
	if (open)
		lua_pushcfunction(L, open);
	else
		load_from_tree(L, name);
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
	if (lua_isnil(L, -1))
		luaL_error(L, "module '%s' returns nothing", name);
	lua_pushvalue(L, -1);
	lua_setfield(L, loaded, name);
	return 1;
}

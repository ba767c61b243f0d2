/* Environments of scripts.
 *
 * Our own scripts (agent, and the trusted part of the rules state) get the libraries less what reads files, prints or
 * compiles.  Files of others get a read-only environment with the functions allow-listed below: each takes a time that is
 * bounded by its arguments, which MW_SCRIPT_STRING_BYTES and TABLE_ITEMS bound in turn.  Left out on purpose: patterns
 * (find, match, gmatch, gsub: exponential), rep, table.move (a range needs no items), table.sort, math.random, all that
 * sets metatables or compiles code.  What a table of ours holds cannot be changed: a rule sees a proxy. */
#include "script/sandbox.h"

#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/limits.h"
#include "script/bind.h"
#include "script/modules.h"

enum {
	/* Items of a list that a function of `table` works on in one step. */
	TABLE_ITEMS = 1024,
	/* Tables in tables that are locked. */
	LOCK_DEPTH = 8,
};

/* Its address is the key of the files' environment in the registry. */
static const char environment_key;

static const char *const globals[] = {"assert", "error",  "ipairs",   "next",     "pairs", "pcall", "rawequal",
				      "rawlen", "select", "tonumber", "tostring", "type",  NULL};
static const char *const strings[] = {"byte", "char", "format", "len", "lower", "reverse", "sub", "upper", NULL};
static const char *const maths[] = {"abs",        "ceil", "floor", "fmod",      "huge", "max", "maxinteger", "min",
				    "mininteger", "modf", "pi",    "tointeger", "type", "ult", NULL};
static const char *const utf8s[] = {"char", "codepoint", "len", "offset", NULL};
static const char *const tables[] = {"concat", "insert", "pack", "remove", "unpack", NULL};

/* What rules may require. */
static const char *const modules[] = {"moonwatch.exceptions", "moonwatch.lists", "moonwatch.match", "moonwatch.text",
				      NULL};

static int refuse_write(lua_State *L)
{
	return luaL_error(L, "'%s' cannot be set: this table is read-only", luaL_tolstring(L, 2, NULL));
}

static int refuse_global(lua_State *L)
{
	return luaL_error(L, "global '%s' cannot be set: scripts share no globals, declare it local",
			  luaL_tolstring(L, 2, NULL));
}

static int proxy_next(lua_State *L)
{
	lua_settop(L, 2);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_replace(L, 1);
	return lua_next(L, 1) ? 2 : 0;
}

static int proxy_pairs(lua_State *L)
{
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_pushcclosure(L, proxy_next, 1);
	lua_pushvalue(L, 1);
	lua_pushnil(L);
	return 3;
}

static int proxy_len(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)lua_rawlen(L, lua_upvalueindex(1)));
	return 1;
}

/* Replace the table on top by a proxy whose writes go to `refuse`. */
static void push_proxy(lua_State *L, lua_CFunction refuse)
{
	int real = lua_gettop(L);
	lua_newtable(L);
	lua_createtable(L, 0, 5);
	lua_pushvalue(L, real);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, refuse);
	lua_setfield(L, -2, "__newindex");
	lua_pushvalue(L, real);
	lua_pushcclosure(L, proxy_pairs, 1);
	lua_setfield(L, -2, "__pairs");
	lua_pushvalue(L, real);
	lua_pushcclosure(L, proxy_len, 1);
	lua_setfield(L, -2, "__len");
	lua_pushliteral(L, "locked");
	lua_setfield(L, -2, "__metatable");
	lua_setmetatable(L, -2);
	lua_replace(L, real);
}

static void lock(lua_State *L, unsigned depth)
{
	luaL_checkstack(L, 12, "locking");
	if (depth > LOCK_DEPTH)
		luaL_error(L, "tables nested deeper than %d cannot be locked", LOCK_DEPTH);
	int original = lua_gettop(L);
	lua_newtable(L);
	lua_pushnil(L);
	while (lua_next(L, original)) {
		if (lua_istable(L, -1))
			lock(L, depth + 1);
		lua_pushvalue(L, -2);
		lua_insert(L, -2);
		lua_rawset(L, original + 1);
	}
	push_proxy(L, refuse_write);
	lua_replace(L, original);
}

void mw_sandbox_lock(lua_State *L)
{
	lock(L, 1);
}

/* Calls upvalue 1, a function of `table`, when its first argument is of a bounded size. */
static int bounded_table(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (lua_rawlen(L, 1) > TABLE_ITEMS)
		return luaL_error(L, "a list of more than %d items is too long for this function", TABLE_ITEMS);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
	return lua_gettop(L);
}

/* unpack(list, i, j): here the range counts, not the list. */
static int bounded_unpack(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_Integer first = luaL_optinteger(L, 2, 1);
	lua_Integer last = lua_isnoneornil(L, 3) ? luaL_len(L, 1) : luaL_checkinteger(L, 3);
	if (first <= last && (lua_Unsigned)last - (lua_Unsigned)first >= TABLE_ITEMS)
		return luaL_error(L, "more than %d items cannot be unpacked", TABLE_ITEMS);
	lua_settop(L, 1);
	lua_pushinteger(L, first);
	lua_pushinteger(L, last);
	lua_pushvalue(L, lua_upvalueindex(1));
	lua_insert(L, 1);
	lua_call(L, 3, LUA_MULTRET);
	return lua_gettop(L);
}

/* require() of rules: few modules, locked. */
static int sandbox_require(lua_State *L)
{
	const char *name = luaL_checkstring(L, 1);
	bool is_known = false;
	for (const char *const *module = modules; *module; module++)
		is_known |= strcmp(*module, name) == 0;
	if (!is_known)
		return luaL_error(L,
				  "module '%s' is not for rules; they may require moonwatch.exceptions, "
				  "moonwatch.lists, moonwatch.match and moonwatch.text",
				  name);

	if (lua_getfield(L, lua_upvalueindex(1), name) != LUA_TNIL)
		return 1;
	lua_pop(L, 1);
	lua_pushcfunction(L, mw_modules_require);
	lua_pushvalue(L, 1);
	lua_call(L, 1, 1);
	if (lua_istable(L, -1))
		mw_sandbox_lock(L);
	lua_pushvalue(L, -1);
	lua_setfield(L, lua_upvalueindex(1), name);
	return 1;
}

/* Add the `names` of the table at index `from` to the table on top. */
static void copy_names(lua_State *L, int from, const char *const *names)
{
	for (; *names; names++) {
		lua_getfield(L, from, *names);
		lua_setfield(L, -2, *names);
	}
}

/* Push a table of the `names` of a library. */
static void push_library(lua_State *L, const char *library, const char *const *names)
{
	lua_getglobal(L, library);
	lua_newtable(L);
	copy_names(L, lua_gettop(L) - 1, names);
	lua_remove(L, -2);
}

/* Make `"text":name()` find in what is on top, which is popped. */
static void set_string_methods(lua_State *L)
{
	lua_pushliteral(L, "");
	if (!lua_getmetatable(L, -1)) {
		lua_pop(L, 2);
		return;
	}
	lua_pushvalue(L, -3);
	lua_setfield(L, -2, "__index");
	lua_pushliteral(L, "locked");
	lua_setfield(L, -2, "__metatable");
	lua_pop(L, 3);
}

/* Push the globals of rules, not yet locked. */
static void push_rule_globals(lua_State *L)
{
	lua_newtable(L);
	lua_pushglobaltable(L);
	lua_insert(L, -2);
	copy_names(L, lua_gettop(L) - 1, globals);
	lua_remove(L, -2);

	push_library(L, "string", strings);
	lua_pushvalue(L, -1);
	set_string_methods(L);
	mw_sandbox_lock(L);
	lua_setfield(L, -2, "string");

	push_library(L, "math", maths);
	mw_sandbox_lock(L);
	lua_setfield(L, -2, "math");

	push_library(L, "utf8", utf8s);
	mw_sandbox_lock(L);
	lua_setfield(L, -2, "utf8");

	push_library(L, "table", tables);
	for (const char *const *name = tables; *name; name++) {
		if (strcmp(*name, "pack") == 0)
			continue;
		lua_getfield(L, -1, *name);
		lua_pushcclosure(L, strcmp(*name, "unpack") == 0 ? bounded_unpack : bounded_table, 1);
		lua_setfield(L, -2, *name);
	}
	mw_sandbox_lock(L);
	lua_setfield(L, -2, "table");

	lua_newtable(L);
	lua_pushcclosure(L, sandbox_require, 1);
	lua_setfield(L, -2, "require");
}

static void open_library(lua_State *L, const char *name, lua_CFunction open)
{
	luaL_requiref(L, name, open, 1);
	lua_pop(L, 1);
}

static void remove_global(lua_State *L, const char *name)
{
	lua_pushnil(L);
	lua_setglobal(L, name);
}

void mw_sandbox_open(lua_State *L, enum mw_script_kind kind)
{
	open_library(L, "_G", luaopen_base);
	open_library(L, LUA_STRLIBNAME, luaopen_string);
	open_library(L, LUA_TABLIBNAME, luaopen_table);
	open_library(L, LUA_MATHLIBNAME, luaopen_math);
	open_library(L, LUA_UTF8LIBNAME, luaopen_utf8);
	if (kind == MW_SCRIPT_AGENT)
		open_library(L, LUA_COLIBNAME, luaopen_coroutine);
	/* Standard output is the application's. */
	remove_global(L, "print");
	remove_global(L, "warn");
	remove_global(L, "dofile");
	remove_global(L, "loadfile");
	remove_global(L, "load");
	lua_pushcfunction(L, mw_modules_require);
	lua_setglobal(L, "require");

	switch (kind) {
	case MW_SCRIPT_RULES:
		push_rule_globals(L);
		push_proxy(L, refuse_global);
		break;
	case MW_SCRIPT_PROFILE:
		lua_newtable(L); /* a profile holds values, it calls nothing */
		lua_newtable(L);
		set_string_methods(L);
		push_proxy(L, refuse_global);
		break;
	default:
		lua_pushglobaltable(L);
		break;
	}
	lua_rawsetp(L, LUA_REGISTRYINDEX, &environment_key);
}

void mw_sandbox_push_environment(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &environment_key);
}

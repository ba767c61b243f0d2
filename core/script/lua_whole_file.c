/* moonwatch.whole_file: a file that a command writes, whole or not at all.  For tools alone. */
#include "base/err.h"
#include "base/replace.h"
#include "script/bind.h"

int luaopen_moonwatch_whole_file(lua_State *L);

/* write(path, text) -> true | nil, message, code */
static int whole_file_write(lua_State *L)
{
	size_t n;
	const char *path = luaL_checkstring(L, 1);
	const char *text = luaL_checklstring(L, 2, &n);
	struct mw_err err = {""};
	int r = mw_file_replace(path, text, n, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

int luaopen_moonwatch_whole_file(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"write", whole_file_write},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

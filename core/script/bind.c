#include "script/bind.h"

#include "base/err.h"

int mw_lua_fail(lua_State *L, int code, const char *text)
{
	lua_pushnil(L);
	lua_pushstring(L, text);
	lua_pushstring(L, mw_err_name(code));
	lua_pushinteger(L, -code);
	return 4;
}

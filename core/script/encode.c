#include "script/encode.h"

#include <lauxlib.h>

#include "base/buf.h"
#include "base/json.h"

static void encode(lua_State *L, struct mw_buf *out, unsigned depth);

static void encode_list(lua_State *L, struct mw_buf *out, unsigned depth)
{
	mw_buf_char(out, '[');
	lua_Unsigned count = lua_rawlen(L, -1);
	for (lua_Unsigned i = 1; i <= count; i++) {
		if (i > 1)
			mw_buf_char(out, ',');
		lua_rawgeti(L, -1, (lua_Integer)i);
		encode(L, out, depth + 1);
		lua_pop(L, 1);
	}
	mw_buf_char(out, ']');
}

static void encode_object(lua_State *L, struct mw_buf *out, unsigned depth)
{
	bool is_first = true;
	mw_buf_char(out, '{');
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		if (lua_type(L, -2) != LUA_TSTRING)
			luaL_error(L, "a key that is no text");
		size_t bytes;
		const char *key = lua_tolstring(L, -2, &bytes);
		if (!is_first)
			mw_buf_char(out, ',');
		is_first = false;
		mw_json_string(out, key, bytes);
		mw_buf_char(out, ':');
		encode(L, out, depth + 1);
	}
	mw_buf_char(out, '}');
}

static void encode(lua_State *L, struct mw_buf *out, unsigned depth)
{
	if (depth > MW_ENCODE_DEPTH)
		luaL_error(L, "nested deeper than %d", MW_ENCODE_DEPTH);
	luaL_checkstack(L, 6, "nesting");
	size_t bytes;
	const char *text;
	switch (lua_type(L, -1)) {
	case LUA_TTABLE:
		if (lua_rawlen(L, -1))
			encode_list(L, out, depth);
		else
			encode_object(L, out, depth);
		break;
	case LUA_TSTRING:
		text = lua_tolstring(L, -1, &bytes);
		mw_json_string(out, text, bytes);
		break;
	case LUA_TBOOLEAN:
		mw_buf_str(out, lua_toboolean(L, -1) ? "true" : "false");
		break;
	case LUA_TNUMBER:
		if (lua_isinteger(L, -1)) {
			mw_buf_int(out, lua_tointeger(L, -1));
			break;
		}
		/* fall through */
	default:
		luaL_error(L, "a %s has no place here", luaL_typename(L, -1));
	}
}

void mw_encode_json(lua_State *L, struct mw_buf *out)
{
	encode(L, out, 0);
}

/* moonwatch.bundles: signed bundles of rules put in force; for the agent. */
#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "script/agent_private.h"
#include "script/bind.h"

int luaopen_moonwatch_bundles(lua_State *L);

enum {
	/* Of a bundle: MW_BUNDLE_BYTES, and enough to see that one is larger. */
	BUNDLE_BYTES = (4 << 20) + 1,
};

/* apply(bytes, origin) -> true | nil, message, code, errno */
static int apply(lua_State *L)
{
	const struct mw_agent_bundles *bundles = mw_agent_bundles_of(L);
	size_t n;
	const char *bytes = luaL_checklstring(L, 1, &n);
	const char *origin = luaL_checkstring(L, 2);
	struct mw_err err = {""};
	int r = bundles->apply(bundles->data, bytes, n, origin, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

/* override(json) -> true | nil, message, code, errno */
static int override(lua_State *L)
{
	const struct mw_agent_bundles *bundles = mw_agent_bundles_of(L);
	struct mw_err err = {""};
	int r = bundles->override(bundles->data, luaL_checkstring(L, 1), &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

/* version() -> of the bundle in force, "" without one */
static int version(lua_State *L)
{
	const struct mw_agent_bundles *bundles = mw_agent_bundles_of(L);
	lua_pushstring(L, bundles->version(bundles->data));
	return 1;
}

static int buf_gc(lua_State *L)
{
	mw_buf_release(lua_touserdata(L, 1));
	return 0;
}

/* decode(base64) -> bytes | nil when it is none, or too long */
static int decode(lua_State *L)
{
	size_t n;
	const char *text = luaL_checklstring(L, 1, &n);
	struct mw_buf *out = lua_newuserdatauv(L, sizeof(*out), 0);
	*out = (struct mw_buf)MW_BUF(BUNDLE_BYTES);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, buf_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	if (mw_base64_decode(text, n, out) < 0 || mw_buf_status(out) < 0) {
		lua_pushnil(L);
		return 1;
	}
	lua_pushlstring(L, out->data ? out->data : "", out->size);
	mw_buf_release(out);
	*out = (struct mw_buf)MW_BUF(0);
	return 1;
}

int luaopen_moonwatch_bundles(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"apply", apply}, {"decode", decode}, {"override", override}, {"version", version}, {NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

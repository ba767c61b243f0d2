/* moonwatch.notes: texts that are found again after a restart; see spool/notes.h.
 *
 * In the sensor they are in its state folder.  A command opens a folder of its own. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "script/agent_private.h"
#include "script/bind.h"
#include "spool/notes.h"

int luaopen_moonwatch_notes(lua_State *L);

enum {
	NAMES_BYTES = 4 << 20,
};

/* Its address is the key of the holder in the registry. */
static const char holder_key;

struct holder {
	struct mw_notes *notes; /* NULL until it is needed */
	struct mw_buf text;     /* here, so that it is released though Lua raises */
};

static struct holder *find_holder(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &holder_key);
	struct holder *holder = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return holder;
}

static int holder_gc(lua_State *L)
{
	struct holder *holder = lua_touserdata(L, 1);
	mw_notes_close(holder->notes);
	holder->notes = NULL;
	mw_buf_release(&holder->text);
	return 0;
}

/* NULL with err when there are none. */
static struct holder *holder_of(lua_State *L, struct mw_err *err)
{
	struct holder *holder = find_holder(L);
	mw_buf_release(&holder->text);
	if (holder->notes)
		return holder;
	if (mw_script_kind(mw_script_of(L)) != MW_SCRIPT_AGENT)
		luaL_error(L, "no notes are open: call notes.open{dir=}");
	return mw_notes_open(mw_agent_options_of(L)->state_dir, &holder->notes, err) < 0 ? NULL : holder;
}

static const char *check_name(lua_State *L)
{
	size_t n;
	const char *name = luaL_checklstring(L, 1, &n);
	luaL_argcheck(L, n && n < MW_NOTES_NAME_BYTES && strlen(name) == n, 1, "not the name of a note");
	return name;
}

/* get(name) -> text | nil, message, code */
static int notes_get(lua_State *L)
{
	const char *name = check_name(L);
	struct mw_err err = {""};
	struct holder *holder = holder_of(L, &err);
	if (!holder)
		return mw_lua_fail(L, -EIO, err.text);
	holder->text = (struct mw_buf)MW_BUF(MW_NOTES_TEXT_BYTES);
	int r = mw_notes_get(holder->notes, name, &holder->text, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushlstring(L, holder->text.data ? holder->text.data : "", holder->text.size);
	mw_buf_release(&holder->text);
	return 1;
}

/* put(name, text) -> true | nil, message, code */
static int notes_put(lua_State *L)
{
	const char *name = check_name(L);
	size_t n;
	const char *text = luaL_checklstring(L, 2, &n);
	struct mw_err err = {""};
	struct holder *holder = holder_of(L, &err);
	int r = holder ? mw_notes_put(holder->notes, name, text, n, &err) : -EIO;
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

/* remove(name) -> true | nil, message, code */
static int notes_remove(lua_State *L)
{
	const char *name = check_name(L);
	struct mw_err err = {""};
	struct holder *holder = holder_of(L, &err);
	int r = holder ? mw_notes_remove(holder->notes, name, &err) : -EIO;
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

/* names(prefix) -> list | nil, message, code */
static int notes_names(lua_State *L)
{
	const char *prefix = luaL_optstring(L, 1, "");
	struct mw_err err = {""};
	struct holder *holder = holder_of(L, &err);
	if (!holder)
		return mw_lua_fail(L, -EIO, err.text);
	holder->text = (struct mw_buf)MW_BUF(NAMES_BYTES);
	int r = mw_notes_names(holder->notes, prefix, &holder->text, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_newtable(L);
	lua_Integer count = 0;
	const char *end = holder->text.data + holder->text.size;
	for (const char *at = holder->text.data; at && at < end; at += strlen(at) + 1) {
		lua_pushstring(L, at);
		lua_rawseti(L, -2, ++count);
	}
	mw_buf_release(&holder->text);
	return 1;
}

/* open{dir=} -> true | nil, message, code: for commands */
static int notes_open(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (mw_script_kind(mw_script_of(L)) == MW_SCRIPT_AGENT)
		return luaL_error(L, "the sensor's notes are open already");
	lua_getfield(L, 1, "dir");
	const char *dir = luaL_checkstring(L, -1);
	struct holder *holder = find_holder(L);
	mw_notes_close(holder->notes);
	holder->notes = NULL;
	struct mw_err err = {""};
	int r = mw_notes_open(dir, &holder->notes, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

int luaopen_moonwatch_notes(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"get", notes_get}, {"names", notes_names},   {"open", notes_open},
		{"put", notes_put}, {"remove", notes_remove}, {NULL, NULL},
	};
	struct holder *holder = lua_newuserdatauv(L, sizeof(*holder), 0);
	*holder = (struct holder){.notes = NULL};
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, holder_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &holder_key);
	luaL_newlib(L, functions);
	return 1;
}

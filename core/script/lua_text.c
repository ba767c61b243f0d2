/* moonwatch.text: what rules do with strings instead of patterns.  Time is bounded by the product of the lengths, and the
 * lengths are bounded. */
#include <stdbool.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/cidr.h"
#include "base/glob.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "script/bind.h"
#include "script/lua_regex.h"
#include "script/text.h"

int luaopen_moonwatch_text(lua_State *L);

enum {
	/* What is searched in: the longest text of an event. */
	SUBJECT_BYTES = MW_ARGV_BYTES > MW_PATH_BYTES ? MW_ARGV_BYTES : MW_PATH_BYTES,
	/* What is searched for, and a glob. */
	NEEDLE_BYTES = 256,
	/* How many are searched for in one call. */
	NEEDLES = 32,
	PRINTABLE_BYTES = 64 << 10,
	/* A text as JSON: each byte may take six. */
	JSON_BYTES = 1 << 20,
	/* Names tried for the nearest one. */
	NEAREST_NAMES = 1024,
};

/* nil is the empty text: a field that is absent starts with nothing and holds nothing. */
static const char *subject(lua_State *L, size_t *ret_length)
{
	*ret_length = 0;
	if (lua_isnil(L, 1))
		return "";
	const char *text = luaL_checklstring(L, 1, ret_length);
	luaL_argcheck(L, *ret_length <= SUBJECT_BYTES, 1, "text too long");
	return text;
}

static const char *needle(lua_State *L, size_t *ret_length)
{
	const char *text = luaL_checklstring(L, 2, ret_length);
	luaL_argcheck(L, *ret_length <= NEEDLE_BYTES, 2, "longer than 256 bytes");
	return text;
}

/* starts(text, prefix) */
static int text_starts(lua_State *L)
{
	size_t n, k;
	const char *text = subject(L, &n);
	const char *prefix = needle(L, &k);
	lua_pushboolean(L, k <= n && memcmp(text, prefix, k) == 0);
	return 1;
}

/* ends(text, suffix) */
static int text_ends(lua_State *L)
{
	size_t n, k;
	const char *text = subject(L, &n);
	const char *suffix = needle(L, &k);
	lua_pushboolean(L, k <= n && memcmp(text + n - k, suffix, k) == 0);
	return 1;
}

/* contains(text, part) */
static int text_contains(lua_State *L)
{
	size_t n, k;
	const char *text = subject(L, &n);
	const char *part = needle(L, &k);
	lua_pushboolean(L, memmem(text, n, part, k) != NULL);
	return 1;
}

/* contains_any(text, parts) */
static int text_contains_any(lua_State *L)
{
	size_t n;
	const char *text = subject(L, &n);
	luaL_checktype(L, 2, LUA_TTABLE);
	for (int i = 1; lua_geti(L, 2, i) != LUA_TNIL; i++) {
		size_t k;
		const char *part = lua_tolstring(L, -1, &k);
		luaL_argcheck(L, part && k <= NEEDLE_BYTES, 2, "not a list of texts of at most 256 bytes");
		luaL_argcheck(L, i <= NEEDLES, 2, "more than 32 texts");
		if (memmem(text, n, part, k)) {
			lua_pushboolean(L, 1);
			return 1;
		}
		lua_pop(L, 1);
	}
	lua_pushboolean(L, 0);
	return 1;
}

/* has_any(text, characters) */
static int text_has_any(lua_State *L)
{
	size_t n, k;
	const char *text = subject(L, &n);
	const char *characters = needle(L, &k);
	bool has = false;
	for (size_t i = 0; i < n && !has; i++)
		has = memchr(characters, text[i], k) != NULL;
	lua_pushboolean(L, has);
	return 1;
}

/* glob(text, pattern) */
static int text_glob(lua_State *L)
{
	size_t n, k;
	const char *text = subject(L, &n);
	const char *glob = needle(L, &k);
	lua_pushboolean(L, mw_glob_match(text, n, glob, k));
	return 1;
}

/* base(path): what follows the last slash. */
static int text_base(lua_State *L)
{
	size_t n;
	const char *path = subject(L, &n);
	const char *slash = memrchr(path, '/', n);
	if (slash)
		lua_pushlstring(L, slash + 1, n - (size_t)(slash + 1 - path));
	else
		lua_pushlstring(L, path, n);
	return 1;
}

/* program(path): its base, without what the kernel adds when the file is gone. */
static int text_program(lua_State *L)
{
	static const char deleted[] = " (deleted)";
	size_t n;
	const char *path = subject(L, &n);
	const char *slash = memrchr(path, '/', n);
	size_t start = slash ? (size_t)(slash + 1 - path) : 0;
	size_t k = sizeof(deleted) - 1;
	if (n - start > k && memcmp(path + n - k, deleted, k) == 0)
		n -= k;
	lua_pushlstring(L, path + start, n - start);
	return 1;
}

/* in_network(address, network) */
static int text_in_network(lua_State *L)
{
	struct mw_cidr address, network;
	if (mw_cidr_parse(luaL_checkstring(L, 2), &network) < 0)
		return luaL_argerror(L, 2, "no network such as 10.0.0.0/8");
	bool is_address = !lua_isnil(L, 1) && mw_cidr_parse(luaL_checkstring(L, 1), &address) == 0;
	lua_pushboolean(L, is_address && mw_cidr_holds(&network, &address));
	return 1;
}

static int buf_gc(lua_State *L)
{
	mw_buf_release(lua_touserdata(L, 1));
	return 0;
}

/* printable(text, max_bytes): upvalue 1 is a buffer, kept so that nothing leaks when pushing raises. */
static int text_printable(lua_State *L)
{
	size_t n;
	const char *text = luaL_optlstring(L, 1, "", &n);
	lua_Integer max = luaL_optinteger(L, 2, PRINTABLE_BYTES);
	luaL_argcheck(L, max >= 0 && max <= PRINTABLE_BYTES, 2, "out of range");
	struct mw_buf *out = lua_touserdata(L, lua_upvalueindex(1));
	mw_buf_clear(out);
	mw_text_printable(out, text, n, (size_t)max);
	if (mw_buf_status(out) < 0)
		return luaL_error(L, "out of memory");
	lua_pushlstring(L, out->data ? out->data : "", out->size);
	return 1;
}

/* json(text): quoted, RFC 8259; what is not UTF-8 becomes U+FFFD.  Upvalue 1 as above. */
static int text_json(lua_State *L)
{
	size_t n;
	const char *text = luaL_checklstring(L, 1, &n);
	struct mw_buf *out = lua_touserdata(L, lua_upvalueindex(1));
	mw_buf_clear(out);
	mw_json_string(out, text, n);
	if (mw_buf_status(out) < 0)
		return luaL_error(L, "takes more than %d bytes of JSON", JSON_BYTES);
	lua_pushlstring(L, out->data, out->size);
	return 1;
}

/* base64(bytes) -> text */
static int text_base64(lua_State *L)
{
	size_t n;
	const char *bytes = luaL_checklstring(L, 1, &n);
	luaL_Buffer out;
	char *room = luaL_buffinitsize(L, &out, (n + 2) / 3 * 4 + 1);
	struct mw_buf buf = {.data = room, .capacity = (n + 2) / 3 * 4 + 1, .max = (n + 2) / 3 * 4};
	mw_base64_encode(bytes, n, &buf);
	luaL_pushresultsize(&out, buf.size);
	return 1;
}

/* nearest(word, names): the one meant, or nil. */
static int text_nearest(lua_State *L)
{
	struct mw_nearest near = {.word = luaL_checkstring(L, 1)};
	luaL_checktype(L, 2, LUA_TTABLE);
	for (int i = 1; i <= NEAREST_NAMES && lua_rawgeti(L, 2, i) == LUA_TSTRING; i++) {
		mw_nearest_try(&near, lua_tostring(L, -1));
		lua_pop(L, 1); /* the list keeps it */
	}
	lua_pushstring(L, near.name);
	return 1;
}

static void add_with_buffer(lua_State *L, const char *name, lua_CFunction function, size_t max_bytes)
{
	struct mw_buf *out = lua_newuserdatauv(L, sizeof(*out), 0);
	*out = (struct mw_buf)MW_BUF(max_bytes);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, buf_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	lua_pushcclosure(L, function, 1);
	lua_setfield(L, -2, name);
}

int luaopen_moonwatch_text(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"starts", text_starts},
		{"ends", text_ends},
		{"contains", text_contains},
		{"contains_any", text_contains_any},
		{"has_any", text_has_any},
		{"glob", text_glob},
		{"base", text_base},
		{"program", text_program},
		{"nearest", text_nearest},
		{"base64", text_base64},
		{"regex", mw_lua_regex},
		{"in_network", text_in_network},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);

	add_with_buffer(L, "printable", text_printable, PRINTABLE_BYTES + 8);
	add_with_buffer(L, "json", text_json, JSON_BYTES);
	return 1;
}

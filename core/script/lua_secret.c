/* moonwatch.secret: what is to be kept from logs, events and Lua's own memory.  A script can join, cut and send secrets; it
 * cannot print them. */
#include "script/lua_secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/file.h"
#include "base/json_find.h"
#include "base/secret.h"
#include "script/bind.h"

#define SECRET "moonwatch.Secret"

enum {
	FILE_BYTES = 64 << 10,
	JOINED_BYTES = 4 << 20,
};

struct handle {
	struct mw_secret *secret;
};

const struct mw_secret *mw_lua_test_secret(lua_State *L, int index)
{
	const struct handle *handle = luaL_testudata(L, index, SECRET);
	return handle ? handle->secret : NULL;
}

static const struct mw_secret *check(lua_State *L)
{
	const struct handle *handle = luaL_checkudata(L, 1, SECRET);
	luaL_argcheck(L, handle->secret, 1, "closed secret");
	return handle->secret;
}

struct mw_secret **mw_lua_new_secret(lua_State *L)
{
	struct handle *handle = lua_newuserdatauv(L, sizeof(*handle), 0);
	handle->secret = NULL; /* safe for __gc before anything can fail */
	luaL_setmetatable(L, SECRET);
	return &handle->secret;
}

const char *mw_lua_test_bytes(lua_State *L, int index, size_t *ret_size)
{
	const struct mw_secret *secret = mw_lua_test_secret(L, index);
	if (!secret)
		return lua_type(L, index) == LUA_TSTRING ? lua_tolstring(L, index, ret_size) : NULL;
	*ret_size = mw_secret_size(secret);
	return mw_secret_bytes(secret);
}

/* Push a new one with this room. */
static struct mw_secret *push_room(lua_State *L, size_t room)
{
	struct mw_secret **slot = mw_lua_new_secret(L);
	if (mw_secret_new(room, slot) < 0)
		luaL_error(L, "out of memory for a secret");
	return *slot;
}

static int push_copy(lua_State *L, const char *bytes, size_t n)
{
	(void)mw_secret_add(push_room(L, n), bytes, n);
	return 1;
}

/* new(string): of what was no secret to begin with. */
static int secret_new(lua_State *L)
{
	size_t n;
	const char *bytes = luaL_checklstring(L, 1, &n);
	return push_copy(L, bytes, n);
}

/* env(name) -> secret, or nil when it is not set or empty */
static int secret_env(lua_State *L)
{
	const char *value = getenv(luaL_checkstring(L, 1));
	if (value && *value)
		return push_copy(L, value, strlen(value));
	lua_pushnil(L);
	return 1;
}

static int read_into(int fd, struct mw_secret *secret)
{
	char chunk[512];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		int r = n > 0 ? mw_secret_add(secret, chunk, (size_t)n) : n < 0 ? -errno : 0;
		if (n <= 0 || r < 0) {
			explicit_bzero(chunk, sizeof(chunk));
			return r == -ENOBUFS ? -EFBIG : r;
		}
	}
}

/* file(path) -> secret | nil, message, code.  As root, nobody else may own it or write to it. */
static int secret_file(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	struct mw_secret *secret = push_room(L, FILE_BYTES);
	struct mw_err err;
	/* O_NONBLOCK: a FIFO must not hold us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int r = fd < 0 ? mw_err_set(&err, -errno, "%s: %s", path, strerror(errno)) : mw_file_trusted(fd, path, &err);
	if (r == 0 && (r = read_into(fd, secret)) == -EFBIG)
		(void)mw_err_set(&err, r, "%s: longer than %d bytes", path, FILE_BYTES);
	else if (r < 0 && fd >= 0 && !err.text[0])
		(void)mw_err_set(&err, r, "%s: %s", path, strerror(-r));
	if (fd >= 0)
		(void)close(fd);
	return r < 0 ? mw_lua_fail(L, r, err.text) : 1;
}

/* join{string or secret, …} -> secret */
static int secret_join(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	size_t total = 0;
	lua_Integer count = luaL_len(L, 1);
	for (lua_Integer i = 1; i <= count; i++) {
		size_t n = 0;
		lua_rawgeti(L, 1, i);
		luaL_argcheck(L, mw_lua_test_bytes(L, -1, &n), 1, "strings and secrets only");
		total += n;
		luaL_argcheck(L, total <= JOINED_BYTES, 1, "too long");
		lua_pop(L, 1);
	}
	struct mw_secret *joined = push_room(L, total);
	for (lua_Integer i = 1; i <= count; i++) {
		size_t n = 0;
		lua_rawgeti(L, 1, i);
		const char *bytes = mw_lua_test_bytes(L, -1, &n);
		(void)mw_secret_add(joined, bytes, n);
		lua_pop(L, 1);
	}
	return 1;
}

static int no_json(lua_State *L, int r, const char *name)
{
	lua_pushnil(L);
	if (r == -ENOENT)
		lua_pushfstring(L, "has no member \"%s\"", name);
	else
		lua_pushstring(L, r == -ENOTDIR ? "is no JSON object" : "is not JSON");
	lua_pushstring(L, r == -ENOENT ? "ENOENT" : "EPROTO");
	return 3;
}

/* secret:member(name) -> secret | nil, message, code.  Of a JSON object; what is no string, as it is written. */
static int secret_member(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	const char *name = luaL_checkstring(L, 2);
	struct mw_json_value value;
	int r = mw_json_member(mw_secret_bytes(secret), mw_secret_size(secret), name, &value);
	if (r < 0)
		return no_json(L, r, name);
	if (value.type != MW_JSON_STRING)
		return push_copy(L, value.start, value.size);
	struct mw_secret *decoded = push_room(L, value.size);
	char *bytes = malloc(value.size + 1);
	if (!bytes)
		return luaL_error(L, "out of memory for a secret");
	size_t n = mw_json_unescape(&value, bytes);
	(void)mw_secret_add(decoded, bytes, n);
	explicit_bzero(bytes, value.size);
	free(bytes);
	return 1;
}

/* secret:get(name) -> string, number or boolean; nil for null, objects, lists and what is not there | nil, message, code when it
 * is no JSON object.  For members that are no secret. */
static int secret_get(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	const char *name = luaL_checkstring(L, 2);
	struct mw_json_value value;
	int r = mw_json_member(mw_secret_bytes(secret), mw_secret_size(secret), name, &value);
	if (r < 0 && r != -ENOENT)
		return no_json(L, r, name);
	char *room;
	luaL_Buffer buffer;
	switch (r == 0 ? value.type : MW_JSON_NULL) {
	case MW_JSON_STRING:
		room = luaL_buffinitsize(L, &buffer, value.size + 1);
		luaL_pushresultsize(&buffer, mw_json_unescape(&value, room));
		break;
	case MW_JSON_NUMBER:
		lua_pushlstring(L, value.start, value.size);
		lua_pushnumber(L, lua_tonumber(L, -1));
		break;
	case MW_JSON_TRUE:
	case MW_JSON_FALSE:
		lua_pushboolean(L, value.type == MW_JSON_TRUE);
		break;
	default:
		lua_pushnil(L);
		break;
	}
	return 1;
}

/* secret:type(name) -> "null", "boolean", "number", "string", "array" or "object"; nil when it is not there */
static int secret_type(lua_State *L)
{
	static const char *const types[] = {"null", "boolean", "boolean", "number", "string", "array", "object"};
	const struct mw_secret *secret = check(L);
	struct mw_json_value value;
	int r = mw_json_member(mw_secret_bytes(secret), mw_secret_size(secret), luaL_checkstring(L, 2), &value);
	lua_pushstring(L, r == 0 ? types[value.type] : NULL);
	return 1;
}

/* secret:xml(name) -> secret, or nil: what is between the first <name> and </name>.  Entities are not decoded: what is read so,
 * base64 and dates, has none. */
static int secret_xml(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	size_t n;
	const char *name = luaL_checklstring(L, 2, &n);
	const char *open = lua_pushfstring(L, "<%s>", name);
	const char *close_tag = lua_pushfstring(L, "</%s>", name);
	const char *bytes = mw_secret_bytes(secret);
	size_t size = mw_secret_size(secret);
	const char *start = memmem(bytes, size, open, n + 2);
	const char *end = start ? memmem(start, (size_t)(bytes + size - start), close_tag, n + 3) : NULL;
	if (end)
		return push_copy(L, start + n + 2, (size_t)(end - start) - n - 2);
	lua_pushnil(L);
	return 1;
}

static int base64_digit(char c)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *digit = c ? strchr(digits, c) : NULL;
	return digit ? (int)(digit - digits) : -1;
}

/* secret:base64() -> what it encodes, or nil when it is no base64 (RFC 4648) */
static int secret_base64(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	const char *bytes = mw_secret_bytes(secret);
	size_t n = mw_secret_size(secret);
	struct mw_secret *out = push_room(L, n / 4 * 3 + 3);
	unsigned value = 0;
	unsigned bits = 0;
	while (n && bytes[n - 1] == '=')
		n--;
	for (size_t i = 0; i < n; i++) {
		int digit = base64_digit(bytes[i]);
		if (digit < 0) {
			lua_pushnil(L);
			return 1;
		}
		value = value << 6 | (unsigned)digit;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			char c = (char)(value >> bits & 0xFF);
			(void)mw_secret_add(out, &c, 1);
		}
	}
	return 1;
}

/* secret:to_base64() -> secret */
static int secret_to_base64(lua_State *L)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const struct mw_secret *secret = check(L);
	const unsigned char *bytes = (const unsigned char *)mw_secret_bytes(secret);
	size_t n = mw_secret_size(secret);
	struct mw_secret *out = push_room(L, (n + 2) / 3 * 4);
	for (size_t i = 0; i < n; i += 3) {
		unsigned value = (unsigned)bytes[i] << 16 | (i + 1 < n ? (unsigned)bytes[i + 1] << 8 : 0) |
				 (i + 2 < n ? bytes[i + 2] : 0u);
		char text[4];
		for (unsigned j = 0; j < 4; j++)
			text[j] = i + j > n ? '=' : digits[value >> (18 - 6 * j) & 63];
		(void)mw_secret_add(out, text, sizeof(text));
		explicit_bzero(text, sizeof(text));
	}
	return 1;
}

/* secret:trim() -> the same without blanks at its end */
static int secret_trim(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	const char *bytes = mw_secret_bytes(secret);
	size_t n = mw_secret_size(secret);
	while (n && isspace((unsigned char)bytes[n - 1]))
		n--;
	return push_copy(L, bytes, n);
}

/* secret:is_printable() -> boolean: no control characters; what may stand in a header */
static int secret_is_printable(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	const char *bytes = mw_secret_bytes(secret);
	bool is = true;
	for (size_t i = 0; i < mw_secret_size(secret); i++)
		is &= (unsigned char)bytes[i] >= 0x20 && bytes[i] != 0x7F;
	lua_pushboolean(L, is);
	return 1;
}

/* secret:starts(text) -> boolean */
static int secret_starts(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	size_t n;
	const char *text = luaL_checklstring(L, 2, &n);
	lua_pushboolean(L, n <= mw_secret_size(secret) && memcmp(mw_secret_bytes(secret), text, n) == 0);
	return 1;
}

/* secret:quote() -> as a string of JSON, quotes included */
static int secret_quote(lua_State *L)
{
	static const char digits[] = "0123456789abcdef";
	const struct mw_secret *secret = check(L);
	const char *bytes = mw_secret_bytes(secret);
	size_t n = mw_secret_size(secret);
	struct mw_secret *out = push_room(L, 6 * n + 2);
	(void)mw_secret_add(out, "\"", 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		const char code[] = {'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]};
		const char pair[] = {'\\', (char)c};
		if (c < 0x20 || c == 0x7F)
			(void)mw_secret_add(out, code, sizeof(code));
		else if (c == '"' || c == '\\')
			(void)mw_secret_add(out, pair, sizeof(pair));
		else
			(void)mw_secret_add(out, bytes + i, 1);
	}
	(void)mw_secret_add(out, "\"", 1);
	return 1;
}

/* secret:encode() -> as in an address or a form: all but RFC 3986's unreserved characters as %XX */
static int secret_encode(lua_State *L)
{
	static const char digits[] = "0123456789ABCDEF";
	const struct mw_secret *secret = check(L);
	const char *bytes = mw_secret_bytes(secret);
	size_t n = mw_secret_size(secret);
	struct mw_secret *out = push_room(L, 3 * n);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)bytes[i];
		const char code[] = {'%', digits[c >> 4], digits[c & 15]};
		bool is_kept = (c < 0x80 && isalnum(c)) || (c && strchr("-_.~", c));
		(void)mw_secret_add(out, is_kept ? bytes + i : code, is_kept ? 1 : sizeof(code));
	}
	return 1;
}

/* secret:reveal() -> string.  In commands alone: what is in Lua's memory is not wiped. */
static int secret_reveal(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	if (mw_script_kind(mw_script_of(L)) != MW_SCRIPT_TOOL)
		return luaL_error(L, "secrets are not revealed here");
	lua_pushlstring(L, mw_secret_bytes(secret), mw_secret_size(secret));
	return 1;
}

/* secret:save(path) -> true | nil, message, code: into a file of mode 0600 that is there whole or not at all */
static int secret_save(lua_State *L)
{
	const struct mw_secret *secret = check(L);
	const char *path = luaL_checkstring(L, 2);
	const char *next = lua_pushfstring(L, "%s.new", path);
	(void)unlink(next); /* of one who was killed */
	int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return mw_lua_fail(L, -errno, strerror(errno));
	size_t n = mw_secret_size(secret);
	bool is_whole = write(fd, mw_secret_bytes(secret), n) == (ssize_t)n && fsync(fd) == 0;
	int code = is_whole ? 0 : errno ? -errno : -EIO;
	(void)close(fd);
	if (code == 0 && rename(next, path) < 0)
		code = -errno;
	if (code < 0) {
		(void)unlink(next);
		return mw_lua_fail(L, code, strerror(-code));
	}
	lua_pushboolean(L, true);
	return 1;
}

static int secret_len(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)mw_secret_size(check(L)));
	return 1;
}

static int secret_tostring(lua_State *L)
{
	lua_pushliteral(L, "***");
	return 1;
}

/* Also __gc and __close, so it may run twice. */
static int secret_close(lua_State *L)
{
	struct handle *handle = luaL_checkudata(L, 1, SECRET);
	mw_secret_free(handle->secret);
	handle->secret = NULL;
	return 0;
}

int luaopen_moonwatch_secret(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"new", secret_new}, {"env", secret_env}, {"file", secret_file}, {"join", secret_join}, {NULL, NULL},
	};
	static const luaL_Reg methods[] = {
		{"member", secret_member},
		{"get", secret_get},
		{"type", secret_type},
		{"xml", secret_xml},
		{"base64", secret_base64},
		{"to_base64", secret_to_base64},
		{"trim", secret_trim},
		{"is_printable", secret_is_printable},
		{"starts", secret_starts},
		{"quote", secret_quote},
		{"encode", secret_encode},
		{"reveal", secret_reveal},
		{"save", secret_save},
		{"close", secret_close},
		{NULL, NULL},
	};
	static const luaL_Reg metamethods[] = {
		{"__gc", secret_close}, {"__close", secret_close},
		{"__len", secret_len},  {"__tostring", secret_tostring},
		{NULL, NULL},
	};
	luaL_newmetatable(L, SECRET);
	luaL_setfuncs(L, metamethods, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);

	luaL_newlib(L, functions);
	return 1;
}

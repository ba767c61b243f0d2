/* moonwatch.sigv4: signing, and the times that AWS writes; see aws/sigv4.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "aws/sigv4.h"
#include "base/err.h"
#include "base/secret.h"
#include "script/bind.h"
#include "script/lua_secret.h"

int luaopen_moonwatch_sigv4(lua_State *L);

static const char *text_of(lua_State *L, const char *name, const char *otherwise)
{
	lua_getfield(L, 1, name);
	if (lua_isnil(L, -1) && otherwise)
		return otherwise;
	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "%s is not a string", name);
	return lua_tostring(L, -1);
}

static const char *bytes_of(lua_State *L, const char *name, size_t *ret_size)
{
	lua_getfield(L, 1, name);
	if (lua_isnil(L, -1))
		return "";
	const char *bytes = mw_lua_test_bytes(L, -1, ret_size);
	if (!bytes)
		luaL_error(L, "%s is neither string nor secret", name);
	return bytes;
}

/* headers: {{name, value}, …} */
static size_t headers_of(lua_State *L, struct mw_sigv4_header headers[MW_SIGV4_HEADERS_MAX])
{
	size_t count = 0;
	lua_getfield(L, 1, "headers");
	luaL_argcheck(L, lua_istable(L, -1), 1, "headers is a list of {name, value}");
	int list = lua_gettop(L);
	for (lua_Integer i = 1; lua_rawgeti(L, list, i) == LUA_TTABLE; i++) {
		luaL_argcheck(L, count < MW_SIGV4_HEADERS_MAX, 1, "too many headers");
		luaL_checkstack(L, 4, "headers");
		struct mw_sigv4_header *header = &headers[count++];
		lua_rawgeti(L, -1, 1);
		lua_rawgeti(L, -2, 2);
		luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 1, "the name of a header is a string");
		header->name = lua_tostring(L, -2);
		header->value = mw_lua_test_bytes(L, -1, &header->value_bytes);
		luaL_argcheck(L, header->value, 1, "the value of a header is a string or a secret");
	}
	return count;
}

static struct mw_sigv4 check_request(lua_State *L, struct mw_sigv4_header headers[MW_SIGV4_HEADERS_MAX])
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	luaL_checkstack(L, 4 * MW_SIGV4_HEADERS_MAX, "headers");
	struct mw_sigv4 request = {
		.method = text_of(L, "method", "POST"),
		.path = text_of(L, "path", "/"),
		.query = text_of(L, "query", ""),
		.date = text_of(L, "date", NULL),
		.region = text_of(L, "region", NULL),
		.service = text_of(L, "service", NULL),
		.key_id = text_of(L, "key_id", NULL),
		.headers = headers,
	};
	request.key = bytes_of(L, "key", &request.key_bytes);
	request.body = bytes_of(L, "body", &request.body_bytes);
	lua_getfield(L, 1, "keeps_path");
	request.keeps_path = lua_toboolean(L, -1);
	request.header_count = headers_of(L, headers);
	return request;
}

static int refuse(lua_State *L, int r)
{
	return mw_lua_fail(L, r, r == -EINVAL ? "cannot be signed: bad date" : "cannot be signed: too large");
}

/* authorization(request) -> string | nil, message, code */
static int sigv4_authorization(lua_State *L)
{
	struct mw_sigv4_header headers[MW_SIGV4_HEADERS_MAX];
	char value[MW_SIGV4_AUTHORIZATION_BYTES];
	struct mw_sigv4 request = check_request(L, headers);
	int r = mw_sigv4_authorization(&request, value);
	if (r < 0)
		return refuse(L, r);
	lua_pushstring(L, value);
	return 1;
}

/* signature(request) -> hex digits */
static int sigv4_signature(lua_State *L)
{
	struct mw_sigv4_header headers[MW_SIGV4_HEADERS_MAX];
	char value[MW_SIGV4_SIGNATURE_BYTES];
	struct mw_sigv4 request = check_request(L, headers);
	int r = mw_sigv4_signature(&request, value);
	if (r < 0)
		return refuse(L, r);
	lua_pushstring(L, value);
	return 1;
}

static int step(lua_State *L, int (*make)(const struct mw_sigv4 *, struct mw_secret **))
{
	struct mw_sigv4_header headers[MW_SIGV4_HEADERS_MAX];
	struct mw_sigv4 request = check_request(L, headers);
	int r = make(&request, mw_lua_new_secret(L));
	return r < 0 ? refuse(L, r) : 1;
}

/* canonical(request) -> secret */
static int sigv4_canonical(lua_State *L)
{
	return step(L, mw_sigv4_canonical);
}

/* to_sign(request) -> secret */
static int sigv4_to_sign(lua_State *L)
{
	return step(L, mw_sigv4_to_sign);
}

/* date(seconds) -> "20150830T123600Z" */
static int sigv4_date(lua_State *L)
{
	char date[MW_SIGV4_DATE_BYTES];
	struct tm parts;
	time_t seconds = (time_t)luaL_checknumber(L, 1);
	luaL_argcheck(L, seconds >= 0 && seconds < (time_t)253402300800 && gmtime_r(&seconds, &parts), 1,
		      "out of range");
	(void)strftime(date, sizeof(date), "%Y%m%dT%H%M%SZ", &parts);
	lua_pushstring(L, date);
	return 1;
}

/* time(text) -> seconds since 1970, or nil: "2026-01-02T03:04:05Z", with a fraction or without, or "Tue, 24 Nov 2026 10:00:00 GMT" */
static int sigv4_time(lua_State *L)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%S", "%a, %d %b %Y %H:%M:%S GMT"};
	const char *text = luaL_checkstring(L, 1);
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		struct tm parts = {0};
		const char *rest = strptime(text, forms[i], &parts);
		bool is_whole = rest && (i || *rest == 'Z' || *rest == '.' || strcmp(rest, "+00:00") == 0);
		if (!is_whole)
			continue;
		lua_pushnumber(L, (lua_Number)timegm(&parts));
		return 1;
	}
	lua_pushnil(L);
	return 1;
}

int luaopen_moonwatch_sigv4(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"authorization", sigv4_authorization},
		{"signature", sigv4_signature},
		{"canonical", sigv4_canonical},
		{"to_sign", sigv4_to_sign},
		{"date", sigv4_date},
		{"time", sigv4_time},
		{NULL, NULL},
	};
	luaL_requiref(L, "moonwatch.secret", luaopen_moonwatch_secret, 0);
	luaL_newlib(L, functions);
	return 1;
}

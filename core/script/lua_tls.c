/* moonwatch.tls: one request, which lets its task wait for the answer; see net/http.h. */
#include <errno.h>
#include <string.h>

#include "aws/address.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "net/http.h"
#include "script/bind.h"
#include "script/lua_loop.h"
#include "script/lua_secret.h"

#define LINES "moonwatch.tls lines"
#define CLIENT "moonwatch.tls client"

int luaopen_moonwatch_tls(lua_State *L);

enum {
	HEADERS_MAX = 64,
	LINE_BYTES = 32 << 10,
	TOTAL_MAX_MS = 3600 * 1000,
	ANSWER_MAX_BYTES = 256 << 20,
};

/* Headers, in memory that is wiped. */
struct lines {
	struct mw_secret *list[HEADERS_MAX];
	const char *texts[HEADERS_MAX + 1];
	size_t count;
};

static int lines_gc(lua_State *L)
{
	struct lines *lines = lua_touserdata(L, 1);
	while (lines->count)
		mw_secret_free(lines->list[--lines->count]);
	return 0;
}

static bool is_line(const char *bytes, size_t n)
{
	return !memchr(bytes, '\r', n) && !memchr(bytes, '\n', n) && !memchr(bytes, '\0', n);
}

/* Push {lines} of the table of headers at 1. */
static const char *const *push_lines(lua_State *L)
{
	struct lines *lines = lua_newuserdatauv(L, sizeof(*lines), 0);
	*lines = (struct lines){.count = 0};
	if (luaL_newmetatable(L, LINES)) {
		lua_pushcfunction(L, lines_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	if (lua_getfield(L, 1, "headers") == LUA_TNIL) {
		lua_pop(L, 1);
		return lines->texts;
	}
	luaL_argcheck(L, lua_istable(L, -1), 1, "headers is a table, name = value");
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		size_t name_bytes;
		size_t n = 0;
		luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, 1, "names of headers are strings");
		const char *name = lua_tolstring(L, -2, &name_bytes);
		const char *value = mw_lua_test_bytes(L, -1, &n);
		luaL_argcheck(L, value, 1, "values of headers are strings or secrets");
		luaL_argcheck(L, is_line(name, name_bytes) && is_line(value, n) && name_bytes + n < LINE_BYTES, 1,
			      "a header holds a line's end, or is too long");
		luaL_argcheck(L, lines->count < HEADERS_MAX, 1, "too many headers");
		struct mw_secret *line;
		if (mw_secret_new(name_bytes + n + 2, &line) < 0)
			luaL_error(L, "out of memory");
		lines->list[lines->count] = line;
		lines->texts[lines->count++] = mw_secret_bytes(line);
		(void)mw_secret_add(line, name, name_bytes);
		(void)mw_secret_add(line, ": ", 2);
		(void)mw_secret_add(line, value, n);
	}
	lua_pop(L, 1);
	return lines->texts;
}

/* Members of the table at 1; what they point to stays on the stack. */
static const char *text_of(lua_State *L, const char *name)
{
	if (lua_getfield(L, 1, name) == LUA_TNIL) {
		lua_pop(L, 1);
		return NULL;
	}
	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "request: %s is not a string", name);
	return lua_tostring(L, -1);
}

static bool flag_of(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	bool is = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return is;
}

static int64_t number_of(lua_State *L, const char *name, int64_t max)
{
	lua_getfield(L, 1, name);
	lua_Number value = luaL_optnumber(L, -1, 0);
	lua_pop(L, 1);
	if (value < 0 || value > (lua_Number)max)
		luaL_error(L, "request: %s goes from 1 to %d", name, (int)max);
	return (int64_t)value;
}

struct answered {
	int code;
	const struct mw_http_answer *answer;
	const struct mw_err *err;
	bool is_secret;
};

static void push_headers(lua_State *L, const struct mw_http_answer *answer)
{
	lua_newtable(L);
	for (const char *line = mw_http_headers(answer); *line;) {
		size_t length = strcspn(line, "\r\n");
		const char *colon = memchr(line, ':', length);
		if (colon && colon > line) {
			luaL_Buffer name;
			luaL_buffinit(L, &name);
			for (const char *c = line; c < colon; c++)
				luaL_addchar(&name, *c >= 'A' && *c <= 'Z' ? (char)(*c | 0x20) : *c);
			luaL_pushresult(&name);
			const char *value = colon + 1;
			while (value < line + length && (*value == ' ' || *value == '\t'))
				value++;
			lua_pushlstring(L, value, (size_t)(line + length - value));
			lua_rawset(L, -3);
		}
		line += length;
		line += strspn(line, "\r\n");
	}
}

/* {{subject, issuer, expires}, …} */
static void push_chain(lua_State *L, const struct mw_buf *chain)
{
	static const struct {
		const char *line, *name;
	} members[] = {{"Subject:", "subject"}, {"Issuer:", "issuer"}, {"Expire date:", "expires"}};
	lua_newtable(L);
	bool is_new = true;
	for (const char *line = chain->data; line && *line; line += strcspn(line, "\n") + 1) {
		if (*line == '\n') {
			is_new = true;
			continue;
		}
		if (is_new) {
			lua_newtable(L);
			lua_pushvalue(L, -1);
			lua_rawseti(L, -3, (lua_Integer)lua_rawlen(L, -3) + 1);
		} else {
			lua_rawgeti(L, -1, (lua_Integer)lua_rawlen(L, -1));
		}
		is_new = false;
		for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
			size_t n = strlen(members[i].line);
			if (strncmp(line, members[i].line, n) != 0)
				continue;
			lua_pushlstring(L, line + n, strcspn(line + n, "\n"));
			lua_setfield(L, -2, members[i].name);
		}
		lua_pop(L, 1);
	}
}

static int push_answer(lua_State *L, void *data)
{
	const struct answered *answered = data;
	if (answered->code < 0)
		return mw_lua_fail(L, answered->code, answered->err->text);
	const struct mw_secret *body = answered->answer->body;
	lua_createtable(L, 0, 4);
	lua_pushinteger(L, answered->answer->status);
	lua_setfield(L, -2, "status");
	if (answered->answer->chain->size) {
		push_chain(L, answered->answer->chain);
		lua_setfield(L, -2, "certificates");
	}
	push_headers(L, answered->answer);
	lua_setfield(L, -2, "headers");
	if (!answered->is_secret)
		lua_pushlstring(L, mw_secret_bytes(body), mw_secret_size(body));
	else if (mw_secret_copy(mw_secret_bytes(body), mw_secret_size(body), mw_lua_new_secret(L)) < 0)
		luaL_error(L, "out of memory for a secret");
	lua_setfield(L, -2, "body");
	return 1;
}

static void wake(void *data, int code, const struct mw_http_answer *answer, const struct mw_err *err, bool is_secret)
{
	struct answered answered = {code, answer, err, is_secret};
	mw_lua_wake(data, push_answer, &answered);
}

static void on_answer(void *data, int code, const struct mw_http_answer *answer, const struct mw_err *err)
{
	wake(data, code, answer, err, false);
}

static void on_secret(void *data, int code, const struct mw_http_answer *answer, const struct mw_err *err)
{
	wake(data, code, answer, err, true);
}

/* request{url = …, …} -> {status, headers, body} | nil, message, code */
static int tls_request(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	luaL_checkstack(L, 32, "request");
	struct mw_http_request request = {
		.url = text_of(L, "url"),
		.method = text_of(L, "method"),
		.ca_file = text_of(L, "ca_file"),
		.ca_dir = text_of(L, "ca_dir"),
		.cert_file = text_of(L, "cert_file"),
		.key_file = text_of(L, "key_file"),
		.pinned_key = text_of(L, "pinned_key"),
		.resolve = text_of(L, "resolve"),
		.proxy = text_of(L, "proxy"),
		.total_ms = number_of(L, "total_ms", TOTAL_MAX_MS),
		.connect_ms = number_of(L, "connect_ms", TOTAL_MAX_MS),
		.answer_bytes = (size_t)number_of(L, "answer_bytes", ANSWER_MAX_BYTES),
		.packs_body = flag_of(L, "gzip"),
		.takes_packed = !flag_of(L, "secret"),
		.allows_plain = flag_of(L, "plain"),
		.follows = flag_of(L, "follow"),
		.is_alone = flag_of(L, "alone"),
		.wants_chain = flag_of(L, "certificates"),
		.may_connect = flag_of(L, "container_only") ? mw_aws_is_container_address : NULL,
	};
	luaL_argcheck(L, request.url, 1, "names no url");
	if (lua_getfield(L, 1, "body") != LUA_TNIL) {
		request.body = mw_lua_test_bytes(L, -1, &request.body_bytes);
		luaL_argcheck(L, request.body, 1, "body is a string or a secret");
	}
	lua_getfield(L, 1, "client");
	struct mw_http *const *client = lua_isnil(L, -1) ? NULL : luaL_checkudata(L, -1, CLIENT);
	request.headers = push_lines(L);
	struct lines *lines = lua_touserdata(L, -1);

	struct mw_err err = {0};
	struct mw_lua_wait *wait = mw_lua_wait_new(L);
	struct mw_http *http = client ? *client : mw_lua_tasks_http(wait->tasks, &err);
	int r = http ? mw_http_begin(http, &request, flag_of(L, "secret") ? on_secret : on_answer, wait, &wait->call,
				     &err)
		     : -ENOSYS;
	while (lines->count)
		mw_secret_free(lines->list[--lines->count]);
	if (r < 0) {
		mw_lua_wait_free(wait);
		return mw_lua_fail(L, r, err.text);
	}
	return lua_yield(L, 0);
}

/* client() -> client | nil, message, code */
static int tls_client(lua_State *L)
{
	struct mw_err err = {0};
	struct mw_http **client = lua_newuserdatauv(L, sizeof(struct mw_http *), 0);
	luaL_newmetatable(L, CLIENT);
	lua_setmetatable(L, -2);
	*client = mw_lua_tasks_new_http(mw_lua_tasks(L), &err);
	return *client ? 1 : mw_lua_fail(L, -ENOMEM, err.text);
}

int luaopen_moonwatch_tls(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"client", tls_client},
		{"request", tls_request},
		{NULL, NULL},
	};
	luaL_requiref(L, "moonwatch.secret", luaopen_moonwatch_secret, 0); /* the class of answers */
	luaL_newlib(L, functions);
	return 1;
}

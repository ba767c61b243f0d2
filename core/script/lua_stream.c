/* moonwatch.stream: connections of bytes; see net/stream.h.  What waits lets its task wait. */
#include "net/stream.h"

#include <errno.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "script/bind.h"
#include "script/lua_loop.h"
#include "script/lua_secret.h"

#define STREAM "moonwatch.Stream"

int luaopen_moonwatch_stream(lua_State *L);

enum {
	READ_BYTES = 64 << 10,
	WAIT_MAX_MS = 3600 * 1000,
};

struct handle {
	struct mw_stream *stream; /* NULL until open, and once closed */
	struct mw_lua_wait *wait; /* NULL: nobody waits */
	int self;                 /* in the registry, while somebody waits */
	/* Of who waits. */
	const char *bytes; /* to be sent; kept by the task's stack */
	size_t left;
	size_t max;
	bool is_read;
	char *room;
};

struct result {
	struct handle *handle;
	int code;
	size_t n;
	const struct mw_err *err;
};

static int push_result(lua_State *task, void *data)
{
	const struct result *result = data;
	if (result->code < 0)
		return mw_lua_fail(task, result->code, result->err->text);
	if (result->handle->is_read)
		lua_pushlstring(task, result->handle->room, result->n);
	else
		lua_pushboolean(task, true);
	return 1;
}

static void end_wait(struct handle *handle, int code, size_t n, const struct mw_err *err)
{
	struct result result = {.handle = handle, .code = code, .n = n, .err = err};
	struct mw_lua_wait *wait = handle->wait;
	handle->wait = NULL;
	mw_lua_wake(wait, push_result, &result);
}

static void on_timeout(void *data)
{
	struct handle *handle = data;
	struct mw_err err;
	int r = mw_err_set(&err, -ETIMEDOUT, "it takes too long");
	mw_stream_forget(handle->stream);
	end_wait(handle, r, 0, &err);
}

/* Go on with it as far as that goes; -EAGAIN: it is waited for. */
static int go_on(struct handle *handle, size_t *ret_n, struct mw_err *err);

static void on_ready(void *data)
{
	struct handle *handle = data;
	struct mw_err err = {""};
	size_t n = 0;
	int r = go_on(handle, &n, &err);
	if (r != -EAGAIN)
		end_wait(handle, r, n, &err);
}

static int go_on(struct handle *handle, size_t *ret_n, struct mw_err *err)
{
	int r = 0;
	if (handle->is_read) {
		r = mw_stream_recv(handle->stream, handle->room, handle->max, ret_n, err);
	} else {
		while (handle->left && r == 0) {
			r = mw_stream_send(handle->stream, handle->bytes, handle->left, ret_n, err);
			handle->bytes += *ret_n;
			handle->left -= *ret_n;
		}
	}
	if (r != -EAGAIN)
		return r;
	int why = mw_stream_await(handle->stream, !handle->is_read, on_ready, handle);
	return why < 0 ? mw_err_set(err, why == -EAGAIN ? -EIO : why, "it cannot be waited for") : -EAGAIN;
}

static struct handle *check(lua_State *L)
{
	struct handle *handle = luaL_checkudata(L, 1, STREAM);
	luaL_argcheck(L, handle->stream, 1, "it is closed");
	luaL_argcheck(L, !handle->wait, 1, "another task waits for it");
	return handle;
}

static int64_t time_at(lua_State *L, int index)
{
	lua_Number ms = luaL_optnumber(L, index, 30000);
	return ms < 0 ? 0 : ms > WAIT_MAX_MS ? WAIT_MAX_MS : (int64_t)ms;
}

/* The operation that the handle holds: its results, now or later. */
static int begin(lua_State *L, struct handle *handle, int64_t ms)
{
	struct mw_err err = {""};
	size_t n = 0;
	int r = go_on(handle, &n, &err);
	if (r != -EAGAIN) {
		struct result result = {.handle = handle, .code = r, .n = n, .err = &err};
		return push_result(L, &result);
	}
	handle->wait = mw_lua_wait_new(L);
	handle->wait->timer = (struct mw_timer){.fire = on_timeout, .data = handle};
	mw_timer_set(mw_lua_tasks_loop(handle->wait->tasks), &handle->wait->timer, ms);
	return lua_yield(L, 0);
}

/* stream:read(max, ms) -> bytes | nil, message, code */
static int stream_read(lua_State *L)
{
	struct handle *handle = check(L);
	lua_Integer max = luaL_optinteger(L, 2, READ_BYTES);
	luaL_argcheck(L, max > 0, 2, "from 1 on");
	handle->is_read = true;
	handle->max = max > READ_BYTES ? READ_BYTES : (size_t)max;
	if (!handle->room && !(handle->room = malloc(READ_BYTES)))
		return luaL_error(L, "out of memory");
	return begin(L, handle, time_at(L, 3));
}

/* stream:write(bytes, ms) -> true | nil, message, code: all of it */
static int stream_write(lua_State *L)
{
	struct handle *handle = check(L);
	handle->is_read = false;
	handle->bytes = mw_lua_test_bytes(L, 2, &handle->left);
	luaL_argcheck(L, handle->bytes, 2, "a string or a secret");
	int64_t ms = time_at(L, 3);
	lua_settop(L, 2); /* it stays there while it is sent */
	return begin(L, handle, ms);
}

/* stream:unconfirmed() -> integer | nil */
static int stream_unconfirmed(lua_State *L)
{
	struct handle *handle = luaL_checkudata(L, 1, STREAM);
	int64_t bytes = handle->stream ? mw_stream_unconfirmed(handle->stream) : -1;
	if (bytes < 0)
		lua_pushnil(L);
	else
		lua_pushinteger(L, bytes);
	return 1;
}

/* Also __gc and __close, so it may run twice. */
static int stream_close(lua_State *L)
{
	struct handle *handle = luaL_checkudata(L, 1, STREAM);
	mw_stream_free(handle->stream);
	free(handle->room);
	handle->stream = NULL;
	handle->room = NULL;
	return 0;
}

static int push_connected(lua_State *task, void *data)
{
	const struct result *result = data;
	lua_rawgeti(task, LUA_REGISTRYINDEX, result->handle->self);
	luaL_unref(task, LUA_REGISTRYINDEX, result->handle->self);
	if (result->code == 0)
		return 1;
	lua_pop(task, 1);
	return mw_lua_fail(task, result->code, result->err->text);
}

static void on_connected(void *data, int code, const struct mw_err *err)
{
	struct handle *handle = data;
	struct result result = {.handle = handle, .code = code, .err = err};
	struct mw_lua_wait *wait = handle->wait;
	handle->wait = NULL;
	mw_lua_wake(wait, push_connected, &result);
}

static const char *text_of(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	return luaL_optstring(L, -1, NULL); /* the table keeps it */
}

/* connect{host=, port=, …} -> stream | nil, message, code */
static int connect_stream(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	luaL_checkstack(L, 20, "stream");
	struct mw_stream_options options = {
		.host = text_of(L, "host"),
		.unix_path = text_of(L, "unix"),
		.ca_file = text_of(L, "ca_file"),
		.cert_file = text_of(L, "cert_file"),
		.key_file = text_of(L, "key_file"),
		.pinned_key = text_of(L, "pinned_key"),
	};
	lua_getfield(L, 1, "port");
	options.port = (int)luaL_optinteger(L, -1, 0);
	lua_getfield(L, 1, "tls");
	options.is_tls = lua_toboolean(L, -1);
	lua_getfield(L, 1, "connect_ms");
	options.connect_ms = luaL_optinteger(L, -1, 0);
	luaL_argcheck(L, options.unix_path || (options.host && options.port > 0 && options.port < 65536), 1,
		      "host and port, or unix");

	struct handle *handle = lua_newuserdatauv(L, sizeof(*handle), 0);
	*handle = (struct handle){.stream = NULL};
	luaL_setmetatable(L, STREAM);
	struct mw_err err = {""};
	handle->wait = mw_lua_wait_new(L);
	int r = mw_stream_open(mw_lua_tasks_loop(handle->wait->tasks), &options, on_connected, handle, &handle->stream,
			       &err);
	if (r < 0) {
		mw_lua_wait_free(handle->wait);
		handle->wait = NULL;
		return mw_lua_fail(L, r, err.text);
	}
	handle->self = luaL_ref(L, LUA_REGISTRYINDEX);
	return lua_yield(L, 0);
}

int luaopen_moonwatch_stream(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"connect", connect_stream},
		{NULL, NULL},
	};
	static const luaL_Reg methods[] = {
		{"read", stream_read},
		{"write", stream_write},
		{"unconfirmed", stream_unconfirmed},
		{"close", stream_close},
		{NULL, NULL},
	};
	static const luaL_Reg metamethods[] = {
		{"__gc", stream_close},
		{"__close", stream_close},
		{NULL, NULL},
	};
	luaL_requiref(L, "moonwatch.secret", luaopen_moonwatch_secret, 0); /* what may be sent */
	luaL_newmetatable(L, STREAM);
	luaL_setfuncs(L, metamethods, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
	luaL_newlib(L, functions);
	return 1;
}

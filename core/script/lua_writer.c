/* moonwatch.writer: descriptors for sinks; see loop/writer.h. */
#include "script/lua_writer.h"

#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "loop/writer.h"
#include "script/bind.h"

#define WRITER "moonwatch.Writer"

int luaopen_moonwatch_writer(lua_State *L);

struct handle {
	struct mw_writer *writer; /* NULL until open, and once closed */
};

struct mw_writer *mw_lua_writer(lua_State *L, int index)
{
	struct handle *handle = luaL_testudata(L, index, WRITER);
	return handle ? handle->writer : NULL;
}

static struct handle *push_handle(lua_State *L)
{
	struct handle *handle = lua_newuserdatauv(L, sizeof(*handle), 0);
	handle->writer = NULL; /* safe for __gc before anything can fail */
	luaL_setmetatable(L, WRITER);
	return handle;
}

static int open_fd(lua_State *L, int fd)
{
	struct handle *handle = push_handle(L);
	struct mw_err err;
	int r = mw_writer_open_fd(fd, &handle->writer, &err);
	return r < 0 ? mw_lua_fail(L, r, err.text) : 1;
}

/* stderr() -> writer | nil, message, code */
static int writer_stderr(lua_State *L)
{
	return open_fd(L, STDERR_FILENO);
}

/* stdout() -> writer | nil, message, code */
static int writer_stdout(lua_State *L)
{
	return open_fd(L, STDOUT_FILENO);
}

/* file(path, bytes, count) -> writer | nil, message, code */
static int writer_file(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	lua_Integer bytes = luaL_optinteger(L, 2, 0);
	lua_Integer count = luaL_optinteger(L, 3, 1);
	luaL_argcheck(L, bytes >= 0, 2, "a size below 0");
	luaL_argcheck(L, count > 0 && count <= 1000, 3, "from 1 to 1000");
	struct handle *handle = push_handle(L);
	struct mw_err err;
	int r = mw_writer_open_file(path, &handle->writer, &err);
	if (r == 0 && bytes)
		r = mw_writer_rotate(handle->writer, path, (uint64_t)bytes, (unsigned)count, &err);
	return r < 0 ? mw_lua_fail(L, r, err.text) : 1;
}

static struct mw_writer *check_open(lua_State *L)
{
	struct handle *handle = luaL_checkudata(L, 1, WRITER);
	luaL_argcheck(L, handle->writer, 1, "closed writer");
	return handle->writer;
}

/* writer:line(text) */
static int writer_line(lua_State *L)
{
	size_t n;
	const char *text = luaL_checklstring(L, 2, &n);
	mw_writer_line(check_open(L), text, n);
	return 0;
}

/* writer:pump() -> boolean */
static int writer_pump(lua_State *L)
{
	lua_pushboolean(L, mw_writer_pump(check_open(L)));
	return 1;
}

/* writer:dropped() -> integer */
static int writer_dropped(lua_State *L)
{
	lua_pushinteger(L, (lua_Integer)mw_writer_dropped(check_open(L)));
	return 1;
}

/* Also __gc and __close, so it may run twice. */
static int writer_close(lua_State *L)
{
	struct handle *handle = luaL_checkudata(L, 1, WRITER);
	mw_writer_free(handle->writer);
	handle->writer = NULL;
	return 0;
}

int luaopen_moonwatch_writer(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"stderr", writer_stderr},
		{"stdout", writer_stdout},
		{"file", writer_file},
		{NULL, NULL},
	};
	static const luaL_Reg methods[] = {
		{"line", writer_line},   {"pump", writer_pump}, {"dropped", writer_dropped},
		{"close", writer_close}, {NULL, NULL},
	};
	static const luaL_Reg metamethods[] = {
		{"__gc", writer_close},
		{"__close", writer_close},
		{NULL, NULL},
	};
	luaL_newmetatable(L, WRITER);
	luaL_setfuncs(L, metamethods, 0);
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);

	luaL_newlib(L, functions);
	return 1;
}

/* moonwatch.state: small files of the agent's own in the state folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "script/agent_private.h"
#include "script/bind.h"

int luaopen_moonwatch_state(lua_State *L);

enum {
	FILE_BYTES = 16 << 20,
	NAME_BYTES = 64,
};

/* The path of a file of ours, checked; NULL when there is no state folder. */
static const char *path_of(lua_State *L, char path[MW_PATH_BYTES])
{
	size_t n;
	const char *name = luaL_checklstring(L, 1, &n);
	luaL_argcheck(
		L, n && n < NAME_BYTES && *name != '.' && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == n,
		1, "not the name of a file of ours");
	const char *dir = mw_agent_options_of(L)->state_dir;
	int length = snprintf(path, MW_PATH_BYTES, "%s/%s", dir, name);
	return *dir && length > 0 && length < MW_PATH_BYTES ? path : NULL;
}

static int fail(lua_State *L, int code)
{
	return mw_lua_fail(L, code, strerror(-code));
}

static int buf_gc(lua_State *L)
{
	mw_buf_release(lua_touserdata(L, 1));
	return 0;
}

/* read(name) -> text | nil, message, code */
static int state_read(lua_State *L)
{
	char path[MW_PATH_BYTES];
	if (!path_of(L, path))
		return fail(L, -ENOENT);
	struct mw_buf *text = lua_newuserdatauv(L, sizeof(*text), 0);
	*text = (struct mw_buf)MW_BUF(FILE_BYTES);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, buf_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return fail(L, -errno);
	int r = mw_file_trusted(fd, path, NULL);
	if (r == 0)
		r = mw_file_read_fd(fd, text);
	(void)close(fd);
	if (r == 0)
		lua_pushlstring(L, text->data ? text->data : "", text->size);
	mw_buf_release(text);
	return r < 0 ? fail(L, r) : 1;
}

static int write_all(int fd, const char *bytes, size_t n)
{
	while (n) {
		ssize_t written = write(fd, bytes, n);
		if (written < 0 && errno != EINTR)
			return -errno;
		if (written > 0) {
			bytes += written;
			n -= (size_t)written;
		}
	}
	return 0;
}

/* write(name, text) -> true | nil, message, code: mode 0600, and there whole or not at all */
static int state_write(lua_State *L)
{
	char path[MW_PATH_BYTES];
	char next[MW_PATH_BYTES + 4];
	size_t n;
	const char *text = luaL_checklstring(L, 2, &n);
	if (!path_of(L, path))
		return fail(L, -ENOENT);
	if (n > FILE_BYTES)
		return fail(L, -EFBIG);
	(void)snprintf(next, sizeof(next), "%s.new", path);
	(void)unlink(next); /* of one who was killed */
	int fd = open(next, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return fail(L, -errno);
	int r = write_all(fd, text, n);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (close(fd) < 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(next, path) < 0)
		r = -errno;
	if (r < 0) {
		(void)unlink(next);
		return fail(L, r);
	}
	lua_pushboolean(L, true);
	return 1;
}

/* remove(name) */
static int state_remove(lua_State *L)
{
	char path[MW_PATH_BYTES];
	if (path_of(L, path))
		(void)unlink(path);
	return 0;
}

/* path(name) -> where it is, or nil without a state folder */
static int state_path(lua_State *L)
{
	char path[MW_PATH_BYTES];
	lua_pushstring(L, path_of(L, path));
	return 1;
}

int luaopen_moonwatch_state(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"read", state_read}, {"write", state_write}, {"remove", state_remove},
		{"path", state_path}, {NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

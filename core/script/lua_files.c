/* moonwatch.files: reading a file that a configuration names. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"
#include "script/bind.h"

int luaopen_moonwatch_files(lua_State *L);

enum {
	FILE_BYTES = 4 << 20,
};

static int buf_gc(lua_State *L)
{
	mw_buf_release(lua_touserdata(L, 1));
	return 0;
}

static int read_file(const char *path, struct mw_buf *text, struct mw_err *err)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return mw_err_set(err, -errno, "%.300s: %s", path, strerror(errno));
	int r = mw_file_trusted(fd, path, err);
	if (r == 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)))
		r = mw_err_set(err, -EINVAL, "%.300s: not a file", path);
	if (r == 0) {
		r = mw_file_read_fd(fd, text);
		if (r < 0)
			(void)mw_err_set(err, r, "%.300s: %s", path, strerror(-r));
	}
	(void)close(fd);
	return r;
}

/* read(path) -> text | nil, message, code: a file that those may write to whom this process trusts, up to 4 MiB */
static int files_read(lua_State *L)
{
	const char *path = luaL_checkstring(L, 1);
	luaL_argcheck(L, path[0] == '/', 1, "not an absolute path");
	struct mw_buf *text = lua_newuserdatauv(L, sizeof(*text), 0);
	*text = (struct mw_buf)MW_BUF(FILE_BYTES);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, buf_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	struct mw_err err = {""};
	int r = read_file(path, text, &err);
	if (r == 0)
		lua_pushlstring(L, text->data ? text->data : "", text->size);
	mw_buf_release(text);
	return r < 0 ? mw_lua_fail(L, r, err.text) : 1;
}

int luaopen_moonwatch_files(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"read", files_read},
		{NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

#include "script/values.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <lua.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "script/encode.h"
#include "script/state.h"

enum {
	MEMORY_BYTES = 8 << 20,
	INSTRUCTIONS = 1000000,
};

static int encode(lua_State *L)
{
	struct mw_buf *out = lua_touserdata(L, 2);
	lua_settop(L, 1);
	mw_encode_json(L, out);
	return 0;
}

static int read_json(const char *path, struct mw_buf *out, struct mw_err *err)
{
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return mw_err_set(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
	int r = mw_file_trusted(fd, path, err);
	if (r == 0 && (r = mw_file_read_fd(fd, out)) < 0)
		(void)mw_err_set(err, r, "%s: cannot be read: %s", path, strerror(-r));
	return r;
}

int mw_values_read(const char *tree, const char *path, struct mw_buf *out, struct mw_err *err)
{
	size_t length = strlen(path);
	if (length > 5 && strcmp(path + length - 5, ".json") == 0)
		return read_json(path, out, err);
	const struct mw_script_options options = {
		.kind = MW_SCRIPT_PROFILE, .tree = tree, .memory_bytes = MEMORY_BYTES};
	struct mw_script *script;
	int r = mw_script_new(&options, &script, err);
	if (r < 0)
		return r;
	r = mw_script_load_file(script, path, NULL, err);
	if (r == 0)
		r = mw_script_call(script, 0, 1, INSTRUCTIONS, err);
	if (r == 0) {
		lua_State *L = mw_script_lua(script);
		lua_pushcfunction(L, encode);
		lua_insert(L, -2);
		lua_pushlightuserdata(L, out);
		r = mw_script_call(script, 2, 0, 0, err);
	}
	if (r < 0 && !strstr(err->text, path))
		mw_err_prefix(err, "%s", path);
	mw_script_free(script);
	return r;
}

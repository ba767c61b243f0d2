#include "script/live.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "script/live_private.h"
#include "script/bind.h"

enum {
	/* A document of some MiB takes several times as much as tables. */
	MEMORY_BYTES = 64 << 20,
};

struct mw_live {
	struct mw_script *script;
	struct mw_live_host host;
};

/* Its address is the key of the host in the registry. */
static char host_key;

const struct mw_live_host *mw_live_host_of(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &host_key);
	const struct mw_live_host *host = lua_touserdata(L, -1);
	lua_pop(L, 1);
	if (!host)
		luaL_error(L, "only the sensor's agent can do that");
	return host;
}

enum mw_flag_source mw_live_source(lua_State *L, int index)
{
	static const char *const names[] = {"config", "backend", NULL};
	static const enum mw_flag_source sources[] = {MW_FROM_CONFIG, MW_FROM_BACKEND};
	return sources[luaL_checkoption(L, index, NULL, names)];
}

static int set_host(lua_State *L)
{
	lua_rawsetp(L, LUA_REGISTRYINDEX, &host_key);
	return 0;
}

int mw_live_new(const char *tree, const struct mw_live_host *host, struct mw_live **ret_live, struct mw_err *err)
{
	struct mw_live *live = calloc(1, sizeof(*live));
	if (!live)
		return mw_err_set(err, -ENOMEM, "out of memory");
	live->host = *host;
	const struct mw_script_options options = {.kind = MW_SCRIPT_AGENT, .tree = tree, .memory_bytes = MEMORY_BYTES};
	int r = mw_script_new(&options, &live->script, err);
	if (r == 0) {
		lua_State *L = mw_script_lua(live->script);
		lua_pushcfunction(L, set_host);
		lua_pushlightuserdata(L, &live->host);
		r = mw_script_call(live->script, 1, 0, 0, err);
	}
	if (r < 0) {
		mw_live_free(live);
		return r;
	}
	*ret_live = live;
	return 0;
}

void mw_live_free(struct mw_live *live)
{
	if (!live)
		return;
	mw_script_free(live->script);
	free(live);
}

struct document {
	const char *text;
	size_t bytes;
	enum mw_flag_source source;
	const char *origin;
	const struct mw_live_host *host;
	int code;
	struct mw_err *err;
};

/* (document, module) -> nothing: module.apply(text, source, origin) -> warnings | nil, message */
static int apply(lua_State *L)
{
	struct document *document = lua_touserdata(L, 1);
	lua_getfield(L, 2, "apply");
	lua_pushlstring(L, document->text, document->bytes);
	lua_pushstring(L, document->source == MW_FROM_CONFIG ? "config" : "backend");
	lua_pushstring(L, document->origin);
	lua_call(L, 3, 2);
	document->code = 0;
	if (!lua_istable(L, -2)) {
		const char *message = lua_tostring(L, -1);
		document->code =
			mw_err_set(document->err, -EINVAL, "%s", message ? message : "refused without a reason");
		return 0;
	}
	for (lua_Integer i = 1; lua_rawgeti(L, -2, i) == LUA_TSTRING; i++, lua_pop(L, 1))
		document->host->warn(document->host->data, lua_tostring(L, -1));
	return 0;
}

int mw_live_apply(struct mw_live *live, const char *text, size_t bytes, enum mw_flag_source source,
		   const char *origin, struct mw_err *err)
{
	struct document document = {
		.text = text, .bytes = bytes, .source = source, .origin = origin, .host = &live->host, .err = err};
	int r = mw_script_require(live->script, "moonwatch.osquery.config", err);
	if (r < 0)
		return r;
	lua_State *L = mw_script_lua(live->script);
	lua_pushcfunction(L, apply);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, &document);
	lua_insert(L, -2);
	r = mw_script_call(live->script, 2, 0, 0, err);
	mw_script_collect(live->script);
	return r < 0 ? r : document.code;
}

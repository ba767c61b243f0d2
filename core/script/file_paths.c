/* Nothing of the table is trusted: metamethods are not asked, and texts may hold NUL bytes. */
#include "script/file_paths.h"

#include <errno.h>
#include <string.h>

#include <lauxlib.h>

#include "base/err.h"
#include "flag/file_paths.h"

/* The text on top; NULL when it is none, or has a NUL. */
static const char *text_on_top(lua_State *L)
{
	size_t bytes;
	const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &bytes) : NULL;
	return text && strlen(text) == bytes ? text : NULL;
}

/* The list on top, of texts of one category; or of categories, when that is NULL. */
static int read_list(lua_State *L, enum mw_file_section section, const char *category, struct mw_file_paths *paths,
		     struct mw_err *err)
{
	const char *key = mw_file_section_names[section];
	const char *of = category ? category : "";
	lua_Integer count = 0;
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1), count++)
		if (!lua_isinteger(L, -2))
			return mw_err_set(err, -EINVAL, "%s%s%.64s: a list has no key like that (a %s)", key,
					  *of ? ": " : "", of, luaL_typename(L, -2));
	for (lua_Integer i = 1; i <= count; i++) {
		lua_rawgeti(L, -1, i);
		const char *text = text_on_top(L);
		int r = text ? 0
			     : mw_err_set(err, -EINVAL, "%s%s%.64s: item %lld is a %s; it takes texts", key,
					  *of ? ": " : "", of, (long long)i, luaL_typename(L, -1));
		if (r == 0 && category)
			r = mw_file_paths_add(paths, section, category, text, err);
		else if (r == 0 && !mw_file_paths_accesses(paths, text))
			r = mw_file_paths_add(paths, section, text, "", err);
		lua_pop(L, 1);
		if (r < 0)
			return r;
	}
	/* A category without anything is told, since it takes away what others put there. */
	return count == 0 && category ? mw_file_paths_add(paths, section, category, NULL, err) : 0;
}

static int read_section(lua_State *L, enum mw_file_section section, struct mw_file_paths *paths, struct mw_err *err)
{
	const char *key = mw_file_section_names[section];
	bool is_list = section == MW_SECTION_FILE_ACCESSES;
	if (lua_type(L, -1) != LUA_TTABLE)
		return mw_err_set(err, -EINVAL, "%s is a %s; write %s", key, luaL_typename(L, -1),
				  is_list ? "{ \"category\", … }" : "{ category = { \"…\" } }");
	if (is_list)
		return read_list(L, section, NULL, paths, err);
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		lua_pushvalue(L, -2);
		const char *category = text_on_top(L);
		if (!category)
			return mw_err_set(err, -EINVAL, "%s: a category of type %s; write { category = { \"…\" } }",
					  key, luaL_typename(L, -1));
		lua_pop(L, 1);
		if (lua_type(L, -1) != LUA_TTABLE)
			return mw_err_set(err, -EINVAL, "%s: %.64s is a %s; it takes a list of texts", key, category,
					  luaL_typename(L, -1));
		int r = read_list(L, section, category, paths, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Tables have no order of their own: that of the names, so that the same text always means the same. */
static int read_all(lua_State *L, struct mw_file_paths *paths, struct mw_err *err)
{
	luaL_checkstack(L, 16, NULL);
	for (unsigned section = 0; section < MW_SECTIONS; section++) {
		int r = 0;
		lua_pushstring(L, mw_file_section_names[section]);
		if (lua_rawget(L, -2) != LUA_TNIL)
			r = read_section(L, (enum mw_file_section)section, paths, err);
		if (r < 0)
			return r;
		lua_pop(L, 1);
	}
	return 0;
}

int mw_file_paths_read(lua_State *L, struct mw_file_paths *paths, struct mw_err *err)
{
	int top = lua_gettop(L);
	int r = read_all(L, paths, err);
	lua_settop(L, top);
	mw_file_paths_sort(paths);
	return r;
}

/* Applies a profile.  The file runs in a state of its own, with little memory and few instructions; what it returned is
 * then read inside a protected call, since reading, too, may run out of memory.  A profile is applied after the one it
 * extends, so that its values win. */
#include "script/profile.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <lua5.4/lauxlib.h>
#include <lua5.4/lua.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/nearest.h"
#include "flag/file_paths.h"
#include "flag/flag.h"
#include "script/attention.h"
#include "script/encode.h"
#include "script/file_paths.h"
#include "script/state.h"

enum {
	/* A table of some dozen values takes a few KiB; an empty state some 20. */
	MEMORY_BYTES = 1 << 20,
	INSTRUCTIONS = 100000,
	/* What a message lists of policies/. */
	KNOWN_BYTES = 256,
};

/* One profile of the chain. */
struct profile {
	const char *tree;
	struct mw_flags *flags;
	struct mw_attention *attention;
	struct mw_file_paths *files;
	struct mw_file_paths own_files;
	const struct profile *extended_by; /* NULL for the one asked for */
	unsigned depth;
	char path[MW_PATH_BYTES];
	char extends[MW_PATH_BYTES]; /* "" for none */
	int result;                  /* of the reading functions below */
	struct mw_err *err;
};

/* Setting these in a profile would come too late. */
static bool is_late(const struct mw_flag *flag)
{
	return flag == &mw_flag_list[MW_FLAG_PROFILE] || flag == &mw_flag_list[MW_FLAG_FLAGFILE];
}

/* The value on top of the stack as text; what is wrong with it otherwise. */
static const char *value_text(lua_State *L, const struct mw_flag *flag, char *digits, size_t digits_bytes,
			      const char **ret_wrong)
{
	int type = lua_type(L, -1);
	*ret_wrong = NULL;
	if (flag->type == MW_FLAG_BOOL) {
		if (type == LUA_TBOOLEAN)
			return lua_toboolean(L, -1) ? "true" : "false";
		*ret_wrong = "takes true or false";
	} else if (flag->type == MW_FLAG_INT) {
		int is_integer;
		lua_Integer value = type == LUA_TNUMBER ? lua_tointegerx(L, -1, &is_integer) : 0;
		if (type == LUA_TNUMBER && is_integer) {
			(void)snprintf(digits, digits_bytes, "%lld", (long long)value);
			return digits;
		}
		*ret_wrong = "takes a whole number";
	} else {
		size_t n;
		const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
		if (text && strlen(text) == n)
			return text;
		*ret_wrong = text ? "takes no NUL byte" : "takes a string";
	}
	return NULL;
}

static int set_flag(lua_State *L, struct profile *profile)
{
	struct mw_err *err = profile->err;
	if (lua_type(L, -2) != LUA_TSTRING)
		return mw_err_set(err, -EINVAL, "%s: flags has a key that is no name (a %s); write name = value",
				  profile->path, luaL_typename(L, -2));
	const char *name = lua_tostring(L, -2);
	const struct mw_flag *flag = mw_flag_find(name);
	if (!flag) {
		const char *nearest = mw_flag_nearest(name);
		return mw_err_set(err, -EINVAL, "%s: unknown flag \"%.60s\"%s%s%s", profile->path, name,
				  nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
	}
	if (is_late(flag))
		return mw_err_set(err, -EINVAL, "%s: a profile cannot set \"%s\"; use `extends`", profile->path, name);

	char digits[24];
	const char *wrong;
	const char *text = value_text(L, flag, digits, sizeof(digits), &wrong);
	if (!text)
		return mw_err_set(err, -EINVAL, "%s: flag \"%s\" %s (here: %s)", profile->path, name, wrong,
				  luaL_typename(L, -1));
	int r = mw_flags_set_at(profile->flags, name, text, MW_FROM_PROFILE, profile->path, err);
	if (r < 0)
		mw_err_prefix(err, "%s", profile->path);
	return r;
}

/* (table, profile) -> nothing.  Called protected; its verdict is profile->result. */
static int read_flags(lua_State *L)
{
	struct profile *profile = lua_touserdata(L, 2);
	profile->result = 0;
	lua_pushliteral(L, "flags");
	if (lua_rawget(L, 1) == LUA_TNIL)
		return 0;
	if (lua_type(L, -1) != LUA_TTABLE) {
		profile->result = mw_err_set(profile->err, -EINVAL, "%s: flags is a %s; write flags = { name = value }",
					     profile->path, luaL_typename(L, -1));
		return 0;
	}
	for (lua_pushnil(L); lua_next(L, -2); lua_pop(L, 1)) {
		profile->result = set_flag(L, profile);
		if (profile->result < 0)
			return 0;
	}
	return 0;
}

/* (table, profile) -> nothing.  As read_flags(). */
static int read_attention(lua_State *L)
{
	struct profile *profile = lua_touserdata(L, 2);
	profile->result = 0;
	lua_pushliteral(L, "attention");
	if (lua_rawget(L, 1) != LUA_TNIL)
		profile->result = mw_attention_read(L, profile->path, profile->attention, profile->err);
	return 0;
}

/* (table, profile) -> nothing.  As read_flags(). */
static int read_files(lua_State *L)
{
	struct profile *profile = lua_touserdata(L, 2);
	lua_settop(L, 1);
	profile->result = mw_file_paths_read(L, &profile->own_files, profile->err);
	if (profile->result == 0)
		profile->result = mw_file_paths_lay(profile->files, &profile->own_files, profile->err);
	if (profile->result < 0)
		mw_err_prefix(profile->err, "%s", profile->path);
	return 0;
}

static int encode_rules(lua_State *L)
{
	struct mw_buf *out = lua_touserdata(L, 2);
	lua_settop(L, 1);
	mw_encode_json(L, out);
	return 0;
}

/* What the profile says of rules takes the place of what an extended one says.  Checked where the rules are loaded. */
static int read_rules(struct mw_script *script, struct profile *profile)
{
	lua_State *L = mw_script_lua(script);
	lua_pushliteral(L, "rules");
	if (lua_rawget(L, -2) == LUA_TNIL) {
		lua_pop(L, 1);
		return 0;
	}
	MW_AUTO(mw_buf) json = MW_BUF(MW_SCRIPT_BYTES);
	lua_pushcfunction(L, encode_rules);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, &json);
	int r = mw_script_call(script, 2, 0, 0, profile->err);
	if (r == 0)
		r = mw_flags_set_rules(profile->flags, json.data ? json.data : "");
	if (r < 0)
		mw_err_prefix(profile->err, "%s: rules", profile->path);
	return r;
}

static int check_key(lua_State *L, const struct profile *profile)
{
	static const char known[] =
		"extends, flags, attention, rules, file_paths, file_paths_query, exclude_paths and file_accesses";
	if (lua_type(L, -2) != LUA_TSTRING)
		return mw_err_set(profile->err, -EINVAL, "%s: a key of type %s; a profile has %s", profile->path,
				  luaL_typename(L, -2), known);
	const char *key = lua_tostring(L, -2);
	static const char *const keys[] = {"extends",          "flags",         "attention",    "rules", "file_paths",
					   "file_paths_query", "exclude_paths", "file_accesses"};
	struct mw_nearest nearest = {.word = key};
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
		if (strcmp(key, keys[i]) == 0)
			return 0;
		mw_nearest_try(&nearest, keys[i]);
	}
	if (mw_flag_find(key))
		return mw_err_set(profile->err, -EINVAL, "%s: unknown key \"%s\"; flags go into flags = { %s = … }",
				  profile->path, key, key);
	return mw_err_set(profile->err, -EINVAL, "%s: unknown key \"%.60s\"; a profile has %s%s%s%s", profile->path,
			  key, known, nearest.name ? ", did you mean \"" : "", nearest.name ? nearest.name : "",
			  nearest.name ? "\"?" : "");
}

/* (table, profile) -> nothing.  Checks the keys and copies `extends`.  As read_flags(). */
static int read_frame(lua_State *L)
{
	struct profile *profile = lua_touserdata(L, 2);
	profile->result = 0;
	if (lua_type(L, 1) != LUA_TTABLE) {
		profile->result = mw_err_set(profile->err, -EINVAL,
					     "%s: returns a %s; a profile ends in return { flags = { … } }",
					     profile->path, luaL_typename(L, 1));
		return 0;
	}
	lua_pushnil(L);
	for (; lua_next(L, 1); lua_pop(L, 1)) {
		profile->result = check_key(L, profile);
		if (profile->result < 0)
			return 0;
	}
	lua_pushliteral(L, "extends");
	if (lua_rawget(L, 1) == LUA_TNIL)
		return 0;
	size_t n = 0;
	const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
	if (!name || n == 0 || n >= sizeof(profile->extends) || strlen(name) != n)
		profile->result = mw_err_set(profile->err, -EINVAL,
					     "%s: extends takes the name or absolute path of a profile", profile->path);
	else
		memcpy(profile->extends, name, n + 1);
	return 0;
}

/* Call `reader` with a copy of the table on top of the stack. */
static int read_with(struct mw_script *script, lua_CFunction reader, struct profile *profile)
{
	lua_State *L = mw_script_lua(script);
	lua_pushcfunction(L, reader);
	lua_pushvalue(L, -2);
	lua_pushlightuserdata(L, profile);
	int r = mw_script_call(script, 2, 0, 0, profile->err);
	if (r < 0) {
		mw_err_prefix(profile->err, "%s", profile->path);
		return r;
	}
	return profile->result;
}

static bool is_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
	return *text && text[strspn(text, letters)] == '\0';
}

static int find_path(struct profile *profile, const char *name_or_path)
{
	int n;
	if (name_or_path[0] == '/')
		n = snprintf(profile->path, sizeof(profile->path), "%s", name_or_path);
	else if (is_name(name_or_path))
		n = snprintf(profile->path, sizeof(profile->path), "%s/policies/%s.lua", profile->tree, name_or_path);
	else
		return mw_err_set(profile->err, -EINVAL,
				  "profile \"%.100s\": give a name (letters, digits, _ and -) or an "
				  "absolute path",
				  name_or_path);
	if (n < 0 || (size_t)n >= sizeof(profile->path))
		return mw_err_set(profile->err, -ENAMETOOLONG, "profile \"%.100s…\": path longer than %d bytes",
				  name_or_path, MW_PATH_BYTES - 1);
	for (const struct profile *user = profile->extended_by; user; user = user->extended_by)
		if (strcmp(user->path, profile->path) == 0)
			return mw_err_set(profile->err, -EINVAL, "%s: extends itself, by way of %s", profile->path,
					  profile->extended_by->path);
	if (profile->depth > MW_PROFILE_DEPTH)
		return mw_err_set(profile->err, -EINVAL, "%s: more than %d profiles extend each other", profile->path,
				  MW_PROFILE_DEPTH);
	return 0;
}

static int missing(const struct profile *profile, const char *name_or_path)
{
	if (name_or_path[0] == '/')
		return mw_err_set(profile->err, -ENOENT, "profile %s: no such file", profile->path);
	char folder[MW_PATH_BYTES + sizeof("/policies")];
	(void)snprintf(folder, sizeof(folder), "%s/policies", profile->tree);
	MW_AUTO(mw_buf) known = MW_BUF(KNOWN_BYTES);
	DIR *entries = opendir(folder);
	for (struct dirent *entry; entries && (entry = readdir(entries));) {
		const char *dot = strrchr(entry->d_name, '.');
		if (dot && strcmp(dot, ".lua") == 0)
			mw_buf_printf(&known, "%s%.*s", known.size ? ", " : "", (int)(dot - entry->d_name),
				      entry->d_name);
	}
	if (entries)
		(void)closedir(entries);
	return mw_err_set(profile->err, -ENOENT, "no profile \"%s\" in %s; there are: %s", name_or_path, folder,
			  known.size ? known.data : "none");
}

static int apply(struct profile *profile, const char *name_or_path);

static int apply_extended(struct profile *profile)
{
	struct profile base = {
		.tree = profile->tree,
		.flags = profile->flags,
		.attention = profile->attention,
		.files = profile->files,
		.extended_by = profile,
		.depth = profile->depth + 1,
		.err = profile->err,
	};
	int r = apply(&base, profile->extends);
	mw_file_paths_release(&base.own_files);
	if (r == -ENOENT)
		mw_err_prefix(profile->err, "%s: extends", profile->path);
	return r;
}

static int apply_script(struct profile *profile, const char *name_or_path, struct mw_script *script)
{
	int r = mw_script_load_file(script, profile->path, NULL, profile->err);
	if (r == -ENOENT)
		return missing(profile, name_or_path);
	if (r == 0)
		r = mw_script_call(script, 0, 1, INSTRUCTIONS, profile->err);
	/* Whatever else the file did wrong, its endless loop and its hunger included, it is no profile. */
	if (r < 0 && !strstr(profile->err->text, profile->path))
		mw_err_prefix(profile->err, "%s", profile->path);
	if (r == -ETIME || r == -ENOMEM)
		r = -EINVAL;
	if (r == 0)
		r = read_with(script, read_frame, profile);
	if (r == 0 && *profile->extends)
		r = apply_extended(profile);
	if (r == 0)
		r = read_with(script, read_flags, profile);
	if (r == 0)
		r = read_with(script, read_attention, profile);
	if (r == 0)
		r = read_rules(script, profile);
	if (r == 0)
		r = read_with(script, read_files, profile);
	return r;
}

static int apply(struct profile *profile, const char *name_or_path)
{
	int r = find_path(profile, name_or_path);
	if (r < 0)
		return r;
	struct mw_script_options options = {
		.kind = MW_SCRIPT_PROFILE,
		.tree = profile->tree,
		.memory_bytes = MEMORY_BYTES,
	};
	struct mw_script *script;
	r = mw_script_new(&options, &script, profile->err);
	if (r < 0)
		return r;
	r = apply_script(profile, name_or_path, script);
	mw_script_free(script);
	return r;
}

int mw_profile_apply(const char *tree, const char *name_or_path, struct mw_flags *flags, struct mw_attention *attention,
		     struct mw_file_paths *files, struct mw_err *err)
{
	struct mw_err own = {""};
	struct profile profile = {
		.tree = tree,
		.flags = flags,
		.attention = attention,
		.files = files,
		.depth = 1,
		.err = err ? err : &own,
	};
	int r = apply(&profile, name_or_path);
	mw_file_paths_release(&profile.own_files);
	return r;
}

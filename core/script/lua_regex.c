#include "script/lua_regex.h"

#include <stdint.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <lauxlib.h>

#include "base/limits.h"

enum {
	PATTERN_BYTES = 1024,
	PARENTHESES = 20,
	/* Of one state: they are not counted as its memory. */
	PATTERNS = 2000,
	/* What a pattern may try on one text, some milliseconds; and what it may keep in mind meanwhile. */
	MATCH_STEPS = 50000,
	HEAP_KIB = 256,
	SUBJECT_BYTES = MW_ARGV_BYTES > MW_PATH_BYTES ? MW_ARGV_BYTES : MW_PATH_BYTES,
};

static const char REGEX[] = "moonwatch.regex";
/* Its address is the key of the number of patterns in the registry. */
static const char count_key;

struct regex {
	pcre2_code *code;
	pcre2_match_data *match;
	pcre2_match_context *context;
};

static int regex_gc(lua_State *L)
{
	struct regex *regex = luaL_checkudata(L, 1, REGEX);
	pcre2_match_context_free(regex->context);
	pcre2_match_data_free(regex->match);
	pcre2_code_free(regex->code);
	*regex = (struct regex){0};
	return 0;
}

/* nil holds nothing. */
static int regex_call(lua_State *L)
{
	const struct regex *regex = luaL_checkudata(L, 1, REGEX);
	size_t n;
	luaL_argcheck(L, regex->code, 1, "was released");
	if (lua_isnoneornil(L, 2)) {
		lua_pushboolean(L, 0);
		return 1;
	}
	const char *text = luaL_checklstring(L, 2, &n);
	luaL_argcheck(L, n <= SUBJECT_BYTES, 2, "text too long");
	int r = pcre2_match(regex->code, (PCRE2_SPTR)text, n, 0, 0, regex->match, regex->context);
	if (r < 0 && r != PCRE2_ERROR_NOMATCH)
		return luaL_error(L, "the regular expression takes too long for this text; make it simpler");
	lua_pushboolean(L, r >= 0);
	return 1;
}

static int next_count(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &count_key);
	int count = (int)lua_tointeger(L, -1) + 1;
	lua_pop(L, 1);
	lua_pushinteger(L, count);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &count_key);
	return count;
}

int mw_lua_regex(lua_State *L)
{
	size_t n;
	const char *pattern = luaL_checklstring(L, 1, &n);
	luaL_argcheck(L, n <= PATTERN_BYTES, 1, "longer than 1024 bytes");
	if (next_count(L) > PATTERNS)
		return luaL_error(L, "more than %d regular expressions; make them once, outside of match", PATTERNS);

	struct regex *regex = lua_newuserdatauv(L, sizeof(*regex), 0);
	*regex = (struct regex){0};
	if (luaL_newmetatable(L, REGEX)) {
		lua_pushcfunction(L, regex_gc);
		lua_setfield(L, -2, "__gc");
		lua_pushcfunction(L, regex_call);
		lua_setfield(L, -2, "__call");
		lua_pushliteral(L, "locked");
		lua_setfield(L, -2, "__metatable");
	}
	lua_setmetatable(L, -2);

	pcre2_compile_context *limits = pcre2_compile_context_create(NULL);
	if (!limits)
		return luaL_error(L, "no memory for a regular expression");
	(void)pcre2_set_parens_nest_limit(limits, PARENTHESES);
	int error;
	PCRE2_SIZE at;
	regex->code = pcre2_compile((PCRE2_SPTR)pattern, n, PCRE2_DOTALL | PCRE2_NEVER_UTF | PCRE2_NEVER_BACKSLASH_C,
				    &error, &at, limits);
	pcre2_compile_context_free(limits);
	if (!regex->code) {
		char why[128];
		(void)pcre2_get_error_message(error, (PCRE2_UCHAR *)why, sizeof(why));
		return luaL_error(L, "regular expression, at %d: %s", (int)at + 1, why);
	}
	regex->match = pcre2_match_data_create(1, NULL);
	regex->context = pcre2_match_context_create(NULL);
	if (!regex->match || !regex->context)
		return luaL_error(L, "no memory for a regular expression");
	(void)pcre2_set_match_limit(regex->context, MATCH_STEPS);
	(void)pcre2_set_depth_limit(regex->context, MATCH_STEPS);
	(void)pcre2_set_heap_limit(regex->context, HEAP_KIB);
	return 1;
}

/* From Lua to conditions. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lua.h>

#include "base/err.h"
#include "rule/filter.h"

const char *const mw_where_names[MW_WHERES] = {
	[MW_WHERE_IS] = "is",
	[MW_WHERE_UNLESS] = "unless",
	[MW_WHERE_LINEAGE] = "lineage",
	[MW_WHERE_NOT_LINEAGE] = "not_lineage",
	[MW_WHERE_PORTS] = "ports",
	[MW_WHERE_NAMES] = "names",
	[MW_WHERE_PROGRAMS] = "programs",
	[MW_WHERE_PARENTS] = "parents",
	[MW_WHERE_CATEGORIES] = "categories",
	[MW_WHERE_CALLS] = "calls",
	[MW_WHERE_PATHS] = "paths",
	[MW_WHERE_EXES] = "exes",
	[MW_WHERE_FIELD] = "fields",
	[MW_WHERE_ARGUMENTS] = "arguments",
	[MW_WHERE_CMDLINE] = "cmdline",
	[MW_WHERE_ADDRESSES] = "addresses",
	[MW_WHERE_ANCESTORS] = "ancestors",
	[MW_WHERE_MARKED] = "marked",
};

const char *const mw_fact_names[MW_FACTS] = {
	[MW_FACT_DELETED] = "deleted",   [MW_FACT_DROPPED] = "dropped", [MW_FACT_FAILED] = "failed",
	[MW_FACT_FILELESS] = "fileless", [MW_FACT_LATE] = "late",       [MW_FACT_MEMFD] = "memfd",
	[MW_FACT_SAMPLED] = "sampled",   [MW_FACT_SCRIPT] = "script",   [MW_FACT_SECURE] = "secure",
	[MW_FACT_SETUID] = "setuid",     [MW_FACT_STARTUP] = "startup", [MW_FACT_TTY] = "tty",
	[MW_FACT_WRITE] = "write",       [MW_FACT_WRITTEN] = "written",
};

void mw_filter_release(struct mw_filter *filter)
{
	for (unsigned i = 0; i < filter->count; i++) {
		mw_patterns_release(&filter->conditions[i].patterns);
		free(filter->conditions[i].numbers);
		free(filter->conditions[i].networks);
	}
	free(filter->conditions);
	*filter = (struct mw_filter){0};
}

static int find_name(const char *const *names, unsigned count, const char *name)
{
	for (unsigned i = 0; i < count; i++)
		if (name && strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static int read_bits(lua_State *L, const char *const *names, unsigned count, uint32_t *ret_bits)
{
	for (int i = 1; lua_rawgeti(L, -1, i) == LUA_TSTRING; i++, lua_pop(L, 1)) {
		int bit = find_name(names, count, lua_tostring(L, -1));
		if (bit < 0) {
			lua_pop(L, 1);
			return -EINVAL;
		}
		*ret_bits |= 1u << bit;
	}
	lua_pop(L, 1);
	return 0;
}

/* The texts of the list on top, into patterns; what else there is, into numbers. */
static int read_values(lua_State *L, struct mw_condition *condition, bool are_names, bool are_parts)
{
	unsigned count = (unsigned)lua_rawlen(L, -1);
	const char **texts = calloc(2 * count + 1, sizeof(*texts));
	size_t *bytes = calloc(2 * count + 1, sizeof(*bytes));
	condition->numbers = calloc(count + 1, sizeof(*condition->numbers));
	unsigned n = 0;
	int r = texts && bytes && condition->numbers ? 0 : -ENOMEM;
	for (unsigned i = 1; r == 0 && i <= count; i++) {
		int type = lua_rawgeti(L, -1, (int)i);
		if (type == LUA_TSTRING) {
			texts[n] = lua_tolstring(L, -1, &bytes[n]); /* the list keeps it */
			condition->has_empty |= bytes[n] == 0;
			/* As the kernel cuts the names of processes, proc(5). */
			if (are_names && bytes[n] > 15) {
				texts[n + 1] = texts[n];
				bytes[n + 1] = 15;
				n++;
			}
			n++;
		} else {
			condition->numbers[condition->numbers_count++] =
				type == LUA_TBOOLEAN ? lua_toboolean(L, -1) : lua_tointeger(L, -1);
		}
		lua_pop(L, 1);
	}
	/* A flag that is absent is as good as false. */
	for (unsigned i = 0; r == 0 && i < condition->numbers_count && condition->path[0]; i++) {
		const struct mw_field *const *last = condition->path;
		while (last[1])
			last++;
		condition->has_empty |= (*last)->type == MW_BOOL && condition->numbers[i] == 0;
	}
	if (r == 0)
		r = mw_patterns_make(&condition->patterns, texts, bytes, n, are_parts);
	free(texts);
	free(bytes);
	return r;
}

static int read_networks(lua_State *L, struct mw_condition *condition)
{
	unsigned count = (unsigned)lua_rawlen(L, -1);
	condition->networks = calloc(count + 1, sizeof(*condition->networks));
	if (!condition->networks)
		return -ENOMEM;
	for (unsigned i = 1; i <= count; i++) {
		const char *text = lua_rawgeti(L, -1, (int)i) == LUA_TSTRING ? lua_tostring(L, -1) : "";
		int r = mw_cidr_parse(text, &condition->networks[condition->networks_count++]);
		lua_pop(L, 1);
		if (r < 0)
			return r;
	}
	return 0;
}

/* The condition whose table is on top. */
static int read_condition(lua_State *L, struct mw_condition *condition)
{
	lua_getfield(L, -1, "what");
	int what = find_name(mw_where_names, MW_WHERES, lua_tostring(L, -1));
	lua_pop(L, 1);
	if (what < 0)
		return -EINVAL;
	condition->what = (enum mw_where)what;
	int r = 0;
	if (what == MW_WHERE_FIELD) {
		lua_getfield(L, -1, "field");
		r = lua_isstring(L, -1) ? mw_filter_path(lua_tostring(L, -1), condition->path) : -EINVAL;
		lua_pop(L, 1);
	}
	lua_getfield(L, -1, "values");
	if (r < 0 || !lua_istable(L, -1))
		r = -EINVAL;
	else if (what == MW_WHERE_IS || what == MW_WHERE_UNLESS)
		r = read_bits(L, mw_fact_names, MW_FACTS, &condition->bits);
	else if (what == MW_WHERE_LINEAGE || what == MW_WHERE_NOT_LINEAGE)
		r = read_bits(L, mw_lineage_names, MW_LINEAGES, &condition->bits);
	else if (what == MW_WHERE_ADDRESSES)
		r = read_networks(L, condition);
	else
		r = read_values(L, condition,
				what == MW_WHERE_NAMES || what == MW_WHERE_PROGRAMS || what == MW_WHERE_PARENTS ||
					what == MW_WHERE_ANCESTORS,
				what == MW_WHERE_CMDLINE);
	lua_pop(L, 1);
	return r;
}

static int compare(const void *a, const void *b)
{
	return (int)((const struct mw_condition *)a)->what - (int)((const struct mw_condition *)b)->what;
}

int mw_filter_read(lua_State *L, struct mw_filter *ret_filter, struct mw_err *err)
{
	luaL_checkstack(L, 8, "conditions");
	struct mw_filter filter = {0};
	unsigned count = (unsigned)lua_rawlen(L, -1);
	filter.conditions = calloc(count + 1, sizeof(*filter.conditions));
	int r = filter.conditions ? 0 : -ENOMEM;
	for (unsigned i = 1; r == 0 && i <= count; i++) {
		r = lua_rawgeti(L, -1, (int)i) == LUA_TTABLE ? read_condition(L, &filter.conditions[filter.count++])
							     : -EINVAL;
		lua_pop(L, 1);
	}
	if (r < 0) {
		mw_filter_release(&filter);
		return mw_err_set(err, r, "where: %s", r == -ENOMEM ? "no memory" : "not understood");
	}
	qsort(filter.conditions, filter.count, sizeof(*filter.conditions), compare);
	*ret_filter = filter;
	return 0;
}

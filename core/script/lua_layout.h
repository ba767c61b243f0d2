/* Rows as texts: how they look is said in Lua, the bytes are put together here. */
#pragma once

#include <lua.h>

struct mw_sql_query;

/* sql.layout(options) -> layout */
int mw_lua_layout(lua_State *L);
void mw_lua_layout_class(lua_State *L);

/* lua_sql.c: argument `n`; raises when it is no query that is open. */
struct mw_sql_query *mw_lua_check_query(lua_State *L, int n);

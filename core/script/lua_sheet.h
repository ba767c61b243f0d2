/* Rows of a result under each other, in columns as wide as what is in them. */
#pragma once

struct lua_State;

/* sql.sheet(options) -> sheet */
int mw_lua_sheet(struct lua_State *L);
void mw_lua_sheet_class(struct lua_State *L);

/* Regular expressions for rules, within limits. */
#pragma once

#include <lua.h>

/* regex(pattern) -> object; object(text) -> boolean.  May raise: what is no pattern, and a match past its limits. */
int mw_lua_regex(lua_State *L);

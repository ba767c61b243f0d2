/* For the modules that call the agent's host. */
#pragma once

#include <lua.h>

#include "script/live.h"

/* Of the state; raises when it has none, which is any but the agent's. */
const struct mw_live_host *mw_live_host_of(lua_State *L);
/* "config" or "backend" at `index`; raises otherwise. */
enum mw_flag_source mw_live_source(lua_State *L, int index);

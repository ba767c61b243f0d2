/* For modules that are the agent's alone. */
#pragma once

#include <lua.h>

#include "script/agent.h"

/* Of the state; raises where it is none of the agent's. */
struct mw_agent *mw_agent_of(lua_State *L);
const struct mw_agent_options *mw_agent_options_of(lua_State *L);
/* Raises while it has none. */
const struct mw_agent_host *mw_agent_host_of(lua_State *L);
const struct mw_agent_bundles *mw_agent_bundles_of(lua_State *L);
/* "config" or "backend" at `index`; raises otherwise. */
enum mw_flag_source mw_agent_source(lua_State *L, int index);

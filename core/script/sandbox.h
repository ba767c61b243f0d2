/* What each kind of script may see. */
#pragma once

#include <lua.h>

#include "script/state.h"

/* Open the libraries of a kind as the state's globals, and make the environment of its files.  May raise. */
void mw_sandbox_open(lua_State *L, enum mw_script_kind kind);

/* Push the environment that a file of this state is given.  Neither raises nor allocates. */
void mw_sandbox_push_environment(lua_State *L);

/* Replace the table on top by a read-only copy, and its tables likewise.  May raise. */
void mw_sandbox_lock(lua_State *L);

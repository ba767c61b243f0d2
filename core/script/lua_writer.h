/* A sink's writer, from the userdata that moonwatch.writer made. */
#pragma once

#include <lua.h>

struct mw_writer;

/* NULL when the value at `index` is no writer. */
struct mw_writer *mw_lua_writer(lua_State *L, int index);

/* From Lua to JSON, of tables that hold texts, whole numbers, true and false, and each other. */
#pragma once

#include <lua.h>

struct mw_buf;

enum {
	MW_ENCODE_DEPTH = 40,
};

/* Append the value on top of the stack, which stays there.  Raises for what is neither, or nested deeper. */
void mw_encode_json(lua_State *L, struct mw_buf *out);

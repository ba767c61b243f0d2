/* The `attention` of a profile, from Lua to data (event/attention.h).  What it may say is in policies/default.lua and
 * lua/meta/moonwatch.profile.lua.  For core/script alone. */
#pragma once

#include <lua.h>

struct mw_attention;
struct mw_err;

/* Compile the value on top of the stack into *attention, which holds that of the profile it extends.  -EINVAL with file,
 * entry and reason in err; *attention is as it was then.  May raise (out of memory): called protected. */
int mw_attention_read(lua_State *L, const char *path, struct mw_attention *attention, struct mw_err *err);

/* The modules that scripts can require: those in C, from the list in modules.c, and those in <tree>/lua. */
#pragma once

#include <lua.h>

#include "script/state.h"

/* For the `kinds` of a module. */
#define MW_SEEN_BY(kind) (1u << (kind))

enum {
	MW_SEEN_BY_ALL = ~0,
};

struct mw_script_module {
	const char *name;
	lua_CFunction open;
	unsigned kinds;
};

/* Ended by one without a name. */
extern const struct mw_script_module mw_script_modules[];

/* Put the C modules where `require` of Lua's own package library looks first. */
void mw_modules_preload(lua_State *L, enum mw_script_kind kind);

/* require(name), for states without a package library: C modules, then <tree>/lua/NAME.lua and <tree>/lua/NAME/init.lua. */
int mw_modules_require(lua_State *L);

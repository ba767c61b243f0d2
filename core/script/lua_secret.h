/* Secrets in scripts: handles whose bytes stay in C (base/secret.h). */
#pragma once

#include <stddef.h>

#include <lua.h>

struct mw_secret;

int luaopen_moonwatch_secret(lua_State *L);

/* The secret at `index`, or NULL when there is something else. */
const struct mw_secret *mw_lua_test_secret(lua_State *L, int index);

/* Push a handle without a secret; it owns what is put there. */
struct mw_secret **mw_lua_new_secret(lua_State *L);

/* The bytes of a string or secret; NULL when it is neither. */
const char *mw_lua_test_bytes(lua_State *L, int index, size_t *ret_size);

/* The sensor's spool, for the scripts of its agent (moonwatch.spool). */
#pragma once

struct lua_State;
struct mw_spool;

/* From within a call: what moonwatch.spool of this state is; it outlives the state. */
void mw_lua_set_spool(struct lua_State *L, struct mw_spool *spool);
/* NULL when there is none. */
struct mw_spool *mw_lua_spool(struct lua_State *L);

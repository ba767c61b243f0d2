/* A clock for rules: the instruction budget does not see what happens within one step of a script.  A thread of its own looks
 * every half limit whether a call of Lua has been going on for longer than the limit, and ends that by a signal to the thread
 * that runs it, whose handler sets a hook (lua_sethook() may be called there).  While no rule runs it sleeps. */
#pragma once

struct mw_script;
struct mw_watchdog;

/* For the calling thread and this state.  NULL: cannot be had. */
struct mw_watchdog *mw_watchdog_new(struct mw_script *script, unsigned limit_ms);
void mw_watchdog_free(struct mw_watchdog *watchdog);
/* A call begins, another rule begins within it, it has ended.  All take NULL. */
void mw_watchdog_begin(struct mw_watchdog *watchdog);
void mw_watchdog_step(struct mw_watchdog *watchdog);
void mw_watchdog_end(struct mw_watchdog *watchdog);

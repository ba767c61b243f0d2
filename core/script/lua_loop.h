/* Tasks: coroutines of Lua that the event loop resumes.  What would block lets its task wait, and the script reads straight down. */
#pragma once

#include <lua.h>

#include "loop/loop.h"

struct mw_http;
struct mw_http_call;
struct mw_lua_tasks;

/* What one task waits for.  Whoever makes it sets what ends it: a timer, a call. */
struct mw_lua_wait {
	struct mw_lua_tasks *tasks;
	lua_State *task;
	struct mw_lua_wait *next;
	struct mw_timer timer;
	struct mw_http_call *call;
};

/* The tasks of this state; raises where it has no loop. */
struct mw_lua_tasks *mw_lua_tasks(lua_State *L);
/* The same; NULL where it has none. */
struct mw_lua_tasks *mw_lua_tasks_if(lua_State *L);
struct mw_loop *mw_lua_tasks_loop(struct mw_lua_tasks *tasks);
/* Whose stack calls from the loop may use. */
lua_State *mw_lua_tasks_entry(struct mw_lua_tasks *tasks);
/* The one network client of all tasks, which keeps connections; made when it is first asked for.  NULL: err. */
struct mw_http *mw_lua_tasks_http(struct mw_lua_tasks *tasks, struct mw_err *err);
/* Another one, with connections of its own, which lives as long as the tasks do. */
struct mw_http *mw_lua_tasks_new_http(struct mw_lua_tasks *tasks, struct mw_err *err);

/* Of the running task; raises when none runs.  The function of C then ends with `return lua_yield(L, 0)`; what the task is woken
 * with are its results. */
struct mw_lua_wait *mw_lua_wait_new(lua_State *L);
/* It is not to wait after all. */
void mw_lua_wait_free(struct mw_lua_wait *wait);
/* From the loop: go on.  `push` puts the results on the task's stack, and returns how many; it may raise.  Frees the wait. */
void mw_lua_wake(struct mw_lua_wait *wait, int (*push)(lua_State *task, void *data), void *data);

/* loop.bell(), see lua_bell.c */
int mw_lua_bell_new(lua_State *L);

/* loop.bell(): what a task waits for until another rings it, or its time is over. */
#include "base/err.h"
#include "script/bind.h"
#include "script/lua_loop.h"

#define BELL "moonwatch.Bell"

enum {
	WAIT_MAX_MS = 24 * 3600 * 1000,
};

/* On the stack of the task that waits. */
struct sleeper {
	struct bell *bell;
	struct mw_lua_wait *wait;
	struct sleeper *next;
	bool has_rung;
};

struct bell {
	struct sleeper *sleepers;
	bool has_rung; /* while nobody waited */
};

static int push_how(lua_State *task, void *data)
{
	const struct sleeper *sleeper = data;
	lua_pushboolean(task, sleeper->has_rung);
	return 1;
}

static void on_time(void *data)
{
	struct sleeper *sleeper = data;
	for (struct sleeper **at = &sleeper->bell->sleepers; *at; at = &(*at)->next)
		if (*at == sleeper) {
			*at = sleeper->next;
			break;
		}
	mw_lua_wake(sleeper->wait, push_how, sleeper);
}

/* bell:wait(ms) -> whether it rang */
static int bell_wait(lua_State *L)
{
	struct bell *bell = luaL_checkudata(L, 1, BELL);
	lua_Number ms = luaL_checknumber(L, 2);
	luaL_argcheck(L, ms >= 0, 2, "negative");
	if (bell->has_rung) {
		bell->has_rung = false;
		lua_pushboolean(L, true);
		return 1;
	}
	struct sleeper *sleeper = lua_newuserdatauv(L, sizeof(*sleeper), 0);
	*sleeper = (struct sleeper){.bell = bell, .wait = mw_lua_wait_new(L), .next = bell->sleepers};
	sleeper->wait->timer = (struct mw_timer){.fire = on_time, .data = sleeper};
	bell->sleepers = sleeper;
	mw_timer_set(mw_lua_tasks_loop(sleeper->wait->tasks), &sleeper->wait->timer,
		     ms < WAIT_MAX_MS ? (int64_t)ms : WAIT_MAX_MS);
	return lua_yield(L, 0);
}

/* bell:ring(): who waits goes on, from the loop; when nobody does, the next who would wait does not */
static int bell_ring(lua_State *L)
{
	struct bell *bell = luaL_checkudata(L, 1, BELL);
	bell->has_rung = !bell->sleepers;
	for (struct sleeper *sleeper = bell->sleepers; sleeper; sleeper = sleeper->next) {
		sleeper->has_rung = true;
		mw_timer_set(mw_lua_tasks_loop(sleeper->wait->tasks), &sleeper->wait->timer, 0);
	}
	return 0;
}

int mw_lua_bell_new(lua_State *L)
{
	static const luaL_Reg methods[] = {{"wait", bell_wait}, {"ring", bell_ring}, {NULL, NULL}};
	struct bell *bell = lua_newuserdatauv(L, sizeof(*bell), 0);
	*bell = (struct bell){.sleepers = NULL};
	if (luaL_newmetatable(L, BELL)) {
		luaL_newlib(L, methods);
		lua_setfield(L, -2, "__index");
	}
	lua_setmetatable(L, -2);
	return 1;
}

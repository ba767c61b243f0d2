/* moonwatch.loop: tasks, and time.
 *
 * In the sensor the loop is the sensor's; in a command loop.run() makes one.  The loop enters Lua by one protected call, which
 * resumes one task until it waits again or ends. */
#include "script/lua_loop.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "net/http.h"
#include "script/bind.h"

int luaopen_moonwatch_loop(lua_State *L);

enum {
	/* A task that sleeps longer means something else. */
	SLEEP_MAX_MS = 24 * 3600 * 1000,
	/* What entering needs on the stack. */
	STACK_SLOTS = 16,
	/* Of a sensor to one host: each costs the other side a handshake, times all sensors.  Two that wait for an answer must not
	 * keep what was seen from being sent. */
	SENSOR_CONNECTIONS = 3,
};

struct mw_lua_tasks {
	struct mw_loop *loop;
	bool owns_loop;
	struct mw_http *http;
	struct mw_http **others; /* see mw_lua_tasks_new_http() */
	size_t others_count, others_room;
	lua_State *entry; /* whose stack the loop's calls use: the state's own, or that of loop.run() */
	struct mw_lua_wait *waits;
	lua_State *main; /* of loop.run(); NULL when it has ended, or none runs */
	bool has_failed; /* the first failure is in the registry, below &failure_key */
};

/* Their addresses are keys of the registry: the tasks' userdata; the set of tasks that have not ended; a failure's text. */
static const char tasks_key;
static const char set_key;
static const char failure_key;

static int tasks_gc(lua_State *L)
{
	struct mw_lua_tasks *tasks = lua_touserdata(L, 1);
	while (tasks->waits)
		mw_lua_wait_free(tasks->waits);
	mw_http_free(tasks->http);
	tasks->http = NULL;
	while (tasks->others_count)
		mw_http_free(tasks->others[--tasks->others_count]);
	free(tasks->others);
	tasks->others = NULL;
	if (tasks->owns_loop)
		mw_loop_free(tasks->loop);
	tasks->loop = NULL;
	return 0;
}

static struct mw_lua_tasks *find_tasks(lua_State *L)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, &tasks_key) == LUA_TNIL) {
		struct mw_lua_tasks *made = lua_newuserdatauv(L, sizeof(*made), 0);
		*made = (struct mw_lua_tasks){.loop = mw_script_loop(mw_script_of(L))};
		made->entry = mw_script_lua(mw_script_of(L));
		lua_createtable(L, 0, 1);
		lua_pushcfunction(L, tasks_gc);
		lua_setfield(L, -2, "__gc");
		lua_setmetatable(L, -2);
		lua_newtable(L);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &set_key);
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &tasks_key);
	}
	struct mw_lua_tasks *tasks = lua_touserdata(L, -1);
	lua_settop(L, -2);
	return tasks;
}

struct mw_lua_tasks *mw_lua_tasks(lua_State *L)
{
	struct mw_lua_tasks *tasks = find_tasks(L);
	if (!tasks->loop)
		luaL_error(L, "no event loop runs: call this within loop.run(function)");
	return tasks;
}

struct mw_lua_tasks *mw_lua_tasks_if(lua_State *L)
{
	struct mw_lua_tasks *tasks = find_tasks(L);
	return tasks->loop ? tasks : NULL;
}

struct mw_loop *mw_lua_tasks_loop(struct mw_lua_tasks *tasks)
{
	return tasks->loop;
}

lua_State *mw_lua_tasks_entry(struct mw_lua_tasks *tasks)
{
	return tasks->entry;
}

struct mw_http *mw_lua_tasks_http(struct mw_lua_tasks *tasks, struct mw_err *err)
{
	if (!tasks->http && mw_http_new(tasks->loop, &tasks->http, err) < 0)
		tasks->http = NULL;
	else if (tasks->http && !tasks->owns_loop)
		mw_http_limit_connections(tasks->http, SENSOR_CONNECTIONS);
	return tasks->http;
}

struct mw_http *mw_lua_tasks_new_http(struct mw_lua_tasks *tasks, struct mw_err *err)
{
	if (tasks->others_count == tasks->others_room) {
		size_t room = tasks->others_room ? tasks->others_room * 2 : 16;
		struct mw_http **others = reallocarray(tasks->others, room, sizeof(struct mw_http *));
		if (!others) {
			(void)mw_err_set(err, -ENOMEM, "out of memory for a network client");
			return NULL;
		}
		tasks->others = others;
		tasks->others_room = room;
	}
	struct mw_http *http;
	if (mw_http_new(tasks->loop, &http, err) < 0)
		return NULL;
	tasks->others[tasks->others_count++] = http;
	return http;
}

static bool is_task(lua_State *L, lua_State *task)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &set_key);
	bool is = lua_rawgetp(L, -1, task) != LUA_TNIL;
	lua_pop(L, 2);
	return is;
}

/* A task is kept alive by the set, and known by its address. */
static void keep_task(lua_State *L, lua_State *task, bool keeps)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &set_key);
	if (keeps) {
		lua_pushthread(task);
		lua_xmove(task, L, 1);
	} else {
		lua_pushnil(L);
	}
	lua_rawsetp(L, -2, task);
	lua_pop(L, 1);
}

struct mw_lua_wait *mw_lua_wait_new(lua_State *L)
{
	struct mw_lua_tasks *tasks = mw_lua_tasks(L);
	if (!lua_isyieldable(L) || !is_task(L, L))
		luaL_error(
			L,
			"this waits, and only a task can: call it within loop.run(function) or loop.spawn(function)");
	struct mw_lua_wait *wait = calloc(1, sizeof(*wait));
	if (!wait)
		(void)luaL_error(L, "out of memory"); /* does not come back */
	else
		*wait = (struct mw_lua_wait){.tasks = tasks, .task = L, .next = tasks->waits};
	tasks->waits = wait;
	return wait;
}

void mw_lua_wait_free(struct mw_lua_wait *wait)
{
	struct mw_lua_tasks *tasks = wait->tasks;
	for (struct mw_lua_wait **at = &tasks->waits; *at; at = &(*at)->next)
		if (*at == wait) {
			*at = wait->next;
			break;
		}
	mw_timer_clear(tasks->loop, &wait->timer);
	mw_http_cancel(wait->call);
	free(wait);
}

/* Keep the first one for loop.run(); of the sensor's own tasks nobody asks, so it is told. */
static void fail(lua_State *L, struct mw_lua_tasks *tasks, lua_State *task)
{
	luaL_traceback(L, task, luaL_tolstring(task, -1, NULL), 0);
	if (mw_script_loop(mw_script_of(L))) {
		mw_log("%s", lua_tostring(L, -1));
	} else if (!tasks->has_failed) {
		tasks->has_failed = true;
		lua_pushvalue(L, -1);
		lua_rawsetp(L, LUA_REGISTRYINDEX, &failure_key);
		mw_loop_stop(tasks->loop);
	}
	lua_pop(L, 1);
}

static void resume(lua_State *L, struct mw_lua_tasks *tasks, lua_State *task, int arguments)
{
	int results;
	int status = lua_resume(task, L, arguments, &results);
	if (status == LUA_YIELD) {
		lua_pop(task, results);
		return;
	}
	if (status != LUA_OK)
		fail(L, tasks, task);
	keep_task(L, task, false);
	if (status != LUA_OK)
		(void)lua_resetthread(task);
	if (task == tasks->main) {
		tasks->main = NULL; /* loop.run() takes the results off its stack */
		mw_loop_stop(tasks->loop);
	}
}

struct wake {
	struct mw_lua_tasks *tasks;
	lua_State *task;
	int (*push)(lua_State *task, void *data);
	void *data;
};

static int enter(lua_State *L)
{
	const struct wake *wake = lua_touserdata(L, 1);
	luaL_checkstack(wake->task, STACK_SLOTS, "results");
	resume(L, wake->tasks, wake->task, wake->push(wake->task, wake->data));
	return 0;
}

void mw_lua_wake(struct mw_lua_wait *wait, int (*push)(lua_State *task, void *data), void *data)
{
	struct wake wake = {.tasks = wait->tasks, .task = wait->task, .push = push, .data = data};
	lua_State *L = wait->tasks->entry;
	wait->call = NULL; /* whoever tells of its end frees it */
	mw_lua_wait_free(wait);
	lua_pushcfunction(L, enter);
	lua_pushlightuserdata(L, &wake);
	if (lua_pcall(L, 1, 0, 0) == LUA_OK)
		return;
	/* Memory is exhausted: the task waits for good. */
	mw_log("a task could not go on: %s", lua_tostring(L, -1));
	lua_pop(L, 1);
	if (wake.task == wake.tasks->main)
		mw_loop_stop(wake.tasks->loop);
}

/* Of the function at 1 and its arguments; run until it waits first.  Pushes it. */
static lua_State *begin_task(lua_State *L, struct mw_lua_tasks *tasks, bool is_main)
{
	luaL_checktype(L, 1, LUA_TFUNCTION);
	int values = lua_gettop(L);
	lua_State *task = lua_newthread(L);
	luaL_checkstack(task, values + STACK_SLOTS, "arguments");
	luaL_checkstack(L, values + STACK_SLOTS, "arguments");
	keep_task(L, task, true);
	for (int i = 1; i <= values; i++)
		lua_pushvalue(L, i);
	lua_xmove(L, task, values);
	if (is_main)
		tasks->main = task;
	resume(L, tasks, task, values - 1);
	return task;
}

/* spawn(function, …): begin a task; it runs until it waits, then spawn returns. */
static int loop_spawn(lua_State *L)
{
	(void)begin_task(L, mw_lua_tasks(L), false);
	return 0;
}

static int push_nothing(lua_State *task, void *data)
{
	(void)task;
	(void)data;
	return 0;
}

static void on_slept(void *data)
{
	mw_lua_wake(data, push_nothing, NULL);
}

/* sleep(ms) */
static int loop_sleep(lua_State *L)
{
	lua_Number ms = luaL_checknumber(L, 1);
	luaL_argcheck(L, ms >= 0 && ms <= SLEEP_MAX_MS, 1, "from 0 to a day");
	struct mw_lua_wait *wait = mw_lua_wait_new(L);
	wait->timer = (struct mw_timer){.fire = on_slept, .data = wait};
	mw_timer_set(wait->tasks->loop, &wait->timer, (int64_t)ms);
	return lua_yield(L, 0);
}

/* run(function, …) -> what it returns.  For commands; other tasks run as long as it does. */
static int loop_run(lua_State *L)
{
	struct mw_lua_tasks *tasks = find_tasks(L);
	if (mw_script_loop(mw_script_of(L)) || tasks->main)
		return luaL_error(L, "the event loop runs already; use loop.spawn");
	struct mw_err err;
	if (!tasks->loop && mw_loop_new(&tasks->loop, &err) < 0)
		return luaL_error(L, "%s", err.text);
	tasks->owns_loop = true;
	tasks->has_failed = false;
	lua_State *task = begin_task(L, tasks, true);
	if (tasks->main) {
		tasks->entry = L;
		int r = mw_loop_run(tasks->loop);
		tasks->entry = mw_script_lua(mw_script_of(L));
		bool is_stuck = tasks->main != NULL && !tasks->has_failed;
		if (tasks->main)
			keep_task(L, task, false);
		tasks->main = NULL;
		if (r < 0 || is_stuck)
			return luaL_error(L, "the event loop failed");
	}
	if (tasks->has_failed) {
		lua_rawgetp(L, LUA_REGISTRYINDEX, &failure_key);
		return lua_error(L);
	}
	int results = lua_gettop(task);
	luaL_checkstack(L, results, "results");
	lua_xmove(task, L, results);
	return results;
}

/* now() -> milliseconds of a clock that is never set */
static int loop_now(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)mw_clock_mono_ns() / MW_NS_PER_MS);
	return 1;
}

/* time() -> seconds since 1970, with their fraction */
static int loop_time(lua_State *L)
{
	lua_pushnumber(L, (lua_Number)mw_clock_real_ns() / MW_NS_PER_S);
	return 1;
}

int luaopen_moonwatch_loop(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"run", loop_run},   {"spawn", loop_spawn},     {"sleep", loop_sleep}, {"now", loop_now},
		{"time", loop_time}, {"bell", mw_lua_bell_new}, {NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

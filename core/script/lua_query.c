/* moonwatch.query: queries beside the loop; the task that asks waits for the answer.  See sql/worker.h. */
#include "script/lua_query.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "flag/flag.h"
#include "script/bind.h"
#include "script/lua_loop.h"
#include "sql/worker.h"

int luaopen_moonwatch_query(lua_State *L);

enum {
	/* Between two looks at whether the thread hangs, and how long beyond its time a query may take to end. */
	LOOK_MS = 1000,
	GRACE_MS = 5000,
	/* As tables, values take several times as much. */
	VALUES_BYTES = 4 << 20,
	JSON_BYTES = 8 << 20,
	VIEWS = 256,
	STACK_SLOTS = 16,
};

/* One of a state, in its registry below &asker_key. */
struct asker {
	struct mw_lua_tasks *tasks;
	struct mw_sql_worker *worker;
	struct pending *first;
	struct mw_timer timer;
	bool is_stuck;
};

struct pending {
	struct pending *next;
	struct mw_sql_job *job;
	struct mw_lua_wait *wait;
	int (*push)(lua_State *L, const struct mw_answer *answer);
};

/* Their addresses are keys of the registry. */
static const char asker_key;
static const char options_key;

void mw_lua_query_set_options(struct mw_script *script, const struct mw_sql_worker_options *options)
{
	lua_State *L = mw_script_lua(script);
	lua_pushlightuserdata(L, (void *)(uintptr_t)options);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &options_key);
}

/* --- answers --- */

static uint32_t take_u32(const char **at)
{
	uint32_t value;
	memcpy(&value, *at, sizeof(value));
	*at += sizeof(value);
	return value;
}

/* Push a value, and go on behind it. */
static const char *push_value(lua_State *L, const char *at)
{
	char tag = *at++;
	int64_t integer;
	double real;
	switch (tag) {
	case MW_ANSWER_INTEGER:
		memcpy(&integer, at, sizeof(integer));
		lua_pushinteger(L, integer);
		return at + sizeof(integer);
	case MW_ANSWER_REAL:
		memcpy(&real, at, sizeof(real));
		lua_pushnumber(L, real);
		return at + sizeof(real);
	case MW_ANSWER_BYTES: {
		uint32_t bytes = take_u32(&at);
		lua_pushlstring(L, at, bytes);
		return at + bytes;
	}
	default:
		lua_pushnil(L);
		return at;
	}
}

/* Push {{name=, type=}, …}. */
static const char *push_columns(lua_State *L, const char *at, uint32_t *ret_count)
{
	*ret_count = take_u32(&at);
	lua_createtable(L, (int)*ret_count, 0);
	for (uint32_t i = 0; i < *ret_count; i++) {
		lua_createtable(L, 0, 2);
		lua_pushstring(L, at);
		lua_setfield(L, -2, "name");
		at += strlen(at) + 1;
		lua_pushstring(L, at);
		lua_setfield(L, -2, "type");
		at += strlen(at) + 1;
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return at;
}

/* Push rows and columns.  The names of columns of the statement are on the stack between. */
static void push_rows(lua_State *L, const struct mw_answer *answer)
{
	lua_createtable(L, answer->rows < INT32_MAX ? (int)answer->rows : 0, 0);
	int rows = lua_gettop(L);
	lua_newtable(L);
	int columns = lua_gettop(L);
	lua_Integer row = 0;
	uint32_t count = 0;
	const char *at = answer->data.data;
	const char *end = at ? at + answer->data.size : at;
	while (at < end) {
		char tag = *at++;
		if (tag == MW_ANSWER_COLUMNS) {
			at = push_columns(L, at, &count);
			lua_replace(L, columns);
		} else if (tag == MW_ANSWER_OBJECT) {
			uint32_t bytes = take_u32(&at);
			lua_pushlstring(L, at, bytes);
			lua_rawseti(L, rows, ++row);
			at += bytes;
		} else {
			lua_createtable(L, 0, (int)count);
			for (uint32_t i = 0; i < count; i++) {
				lua_rawgeti(L, columns, (lua_Integer)i + 1);
				lua_getfield(L, -1, "name");
				lua_remove(L, -2);
				at = push_value(L, at);
				lua_rawset(L, -3);
			}
			lua_rawseti(L, rows, ++row);
		}
	}
}

static void set_ms(lua_State *L, const char *name, int64_t ns)
{
	lua_pushinteger(L, (ns + MW_NS_PER_MS / 2) / MW_NS_PER_MS);
	lua_setfield(L, -2, name);
}

static void set_window(lua_State *L, const struct mw_sql_window *window, enum mw_spool_stream stream, const char *name)
{
	if (!window->is_used[stream])
		return;
	lua_createtable(L, 0, 5);
	lua_pushinteger(L, window->until[stream].seq);
	lua_setfield(L, -2, "seq");
	lua_pushstring(L, window->until[stream].id);
	lua_setfield(L, -2, "id");
	lua_pushboolean(L, window->has_more[stream]);
	lua_setfield(L, -2, "more");
	lua_pushinteger(L, (lua_Integer)window->missed[stream]);
	lua_setfield(L, -2, "missed");
	lua_pushboolean(L, window->is_anew[stream]);
	lua_setfield(L, -2, "anew");
	lua_setfield(L, -2, name);
}

static void push_tables(lua_State *L, const struct mw_answer *answer)
{
	lua_newtable(L);
	lua_Integer count = 0;
	const char *end = answer->tables.data + answer->tables.size;
	for (const char *at = answer->tables.data; at && at < end; at += strlen(at) + 1) {
		lua_pushstring(L, at);
		lua_rawseti(L, -2, ++count);
	}
}

static void push_stats(lua_State *L, const struct mw_answer *answer)
{
	lua_createtable(L, 0, 8);
	set_ms(L, "wall_ms", answer->wall_ns);
	set_ms(L, "user_ms", answer->user_ns);
	set_ms(L, "system_ms", answer->system_ns);
	lua_pushinteger(L, answer->memory_bytes);
	lua_setfield(L, -2, "memory");
	push_tables(L, answer);
	lua_setfield(L, -2, "tables");
	if (answer->warnings.size) {
		lua_pushlstring(L, answer->warnings.data, answer->warnings.size);
		lua_setfield(L, -2, "warnings");
	}
	lua_createtable(L, 0, 2);
	set_window(L, &answer->window, MW_SPOOL_EVENTS, "events");
	set_window(L, &answer->window, MW_SPOOL_ALERTS, "alerts");
	lua_setfield(L, -2, "window");
}

/* nil, message, code, stats */
static int push_failure(lua_State *L, const struct mw_answer *answer)
{
	(void)mw_lua_fail(L, answer->code, answer->err.text);
	lua_settop(L, -2); /* the number */
	push_stats(L, answer);
	return 4;
}

static int push_run(lua_State *L, const struct mw_answer *answer)
{
	if (answer->code < 0)
		return push_failure(L, answer);
	push_rows(L, answer);
	push_stats(L, answer);
	return 3;
}

static int push_plan(lua_State *L, const struct mw_answer *answer)
{
	if (answer->code < 0)
		return push_failure(L, answer);
	push_tables(L, answer);
	return 1;
}

/* Lines, "" for none. */
static int push_views(lua_State *L, const struct mw_answer *answer)
{
	if (answer->code < 0)
		return push_failure(L, answer);
	lua_pushlstring(L, answer->warnings.size ? answer->warnings.data : "", answer->warnings.size);
	return 1;
}

struct waking {
	const struct pending *pending;
	const struct mw_answer *answer;
	int ref; /* of the results in the registry, with their number as `n`; LUA_NOREF: memory was exhausted */
};

/* (waking) -> nothing */
static int keep_results(lua_State *L)
{
	struct waking *waking = lua_touserdata(L, 1);
	luaL_checkstack(L, 2 * STACK_SLOTS, "results");
	int count = waking->pending->push(L, waking->answer);
	lua_createtable(L, count, 1);
	lua_insert(L, -count - 1);
	for (int i = count; i > 0; i--)
		lua_rawseti(L, -i - 1, i);
	lua_pushinteger(L, count);
	lua_setfield(L, -2, "n");
	waking->ref = luaL_ref(L, LUA_REGISTRYINDEX);
	return 0;
}

static int push_results(lua_State *task, void *data)
{
	const struct waking *waking = data;
	if (waking->ref == LUA_NOREF)
		return mw_lua_fail(task, -ENOMEM, "the answer takes more memory than there is: ask for less");
	lua_rawgeti(task, LUA_REGISTRYINDEX, waking->ref);
	luaL_unref(task, LUA_REGISTRYINDEX, waking->ref);
	int list = lua_gettop(task);
	lua_getfield(task, list, "n");
	int count = (int)lua_tointeger(task, -1);
	lua_settop(task, list);
	for (int i = 1; i <= count; i++)
		lua_rawgeti(task, list, i);
	lua_remove(task, list);
	return count;
}

/* Take the pending query off the list, and let its task go on. */
static void answer_pending(struct asker *asker, struct pending **at, const struct mw_answer *answer)
{
	struct pending *pending = *at;
	*at = pending->next;
	lua_State *L = mw_lua_tasks_entry(asker->tasks);
	struct waking waking = {.pending = pending, .answer = answer, .ref = LUA_NOREF};
	lua_pushcfunction(L, keep_results);
	lua_pushlightuserdata(L, &waking);
	if (lua_pcall(L, 1, 0, 0) != LUA_OK)
		lua_pop(L, 1);
	struct mw_lua_wait *wait = pending->wait;
	mw_sql_job_let_go(asker->worker, pending->job);
	free(pending);
	mw_lua_wake(wait, push_results, &waking);
}

static void look_again(struct asker *asker)
{
	if (asker->first)
		mw_timer_set(mw_lua_tasks_loop(asker->tasks), &asker->timer, LOOK_MS);
}

/* A task that goes on may ask again, at the end of the list. */
static void on_done(void *data, uint32_t events)
{
	struct asker *asker = data;
	(void)events;
	uint64_t times;
	ssize_t n = read(mw_sql_worker_fd(asker->worker), &times, sizeof(times));
	(void)n;
	asker->is_stuck = false;
	const struct mw_answer *answer;
	while (asker->first && (answer = mw_sql_job_answer(asker->first->job)))
		answer_pending(asker, &asker->first, answer);
	look_again(asker);
}

/* What waits behind a query that cannot be ended is not to wait for ever. */
static void on_look(void *data)
{
	struct asker *asker = data;
	if (asker->first && mw_sql_job_is_stuck(asker->worker, asker->first->job, GRACE_MS)) {
		struct mw_answer answer = {0};
		answer.code = mw_err_set(&answer.err, -ETIME, "did not end at its time, and cannot be stopped");
		asker->is_stuck = true;
		struct pending **end = &asker->first;
		while (*end)
			end = &(*end)->next;
		struct pending *last = (struct pending *)((char *)end - offsetof(struct pending, next));
		for (bool is_last = false; !is_last && asker->first;) {
			is_last = asker->first == last;
			answer_pending(asker, &asker->first, &answer);
			answer.code = mw_err_set(&answer.err, -EBUSY,
						 "a query before did not end at its time, and cannot be stopped");
		}
	}
	look_again(asker);
}

static int asker_gc(lua_State *L)
{
	struct asker *asker = lua_touserdata(L, 1);
	while (asker->first) {
		struct pending *pending = asker->first;
		asker->first = pending->next;
		mw_sql_job_let_go(asker->worker, pending->job);
		free(pending);
	}
	if (asker->worker) {
		struct mw_loop *loop = mw_lua_tasks_loop(asker->tasks);
		mw_timer_clear(loop, &asker->timer);
		mw_loop_unwatch(loop, mw_sql_worker_fd(asker->worker));
		mw_sql_worker_free(asker->worker);
	}
	asker->worker = NULL;
	return 0;
}

/* The state's, or NULL. */
static struct asker *find_asker(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &asker_key);
	struct asker *asker = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return asker;
}

/* Raises when there can be none. */
static struct asker *make_asker(lua_State *L, const struct mw_sql_worker_options *options)
{
	/* The tasks are there first, and so are collected last. */
	struct mw_lua_tasks *tasks = mw_lua_tasks(L);
	struct asker *asker = lua_newuserdatauv(L, sizeof(*asker), 0);
	*asker = (struct asker){.tasks = tasks, .timer = {.fire = on_look, .data = asker}};
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, asker_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	struct mw_sql_worker *worker;
	int r = mw_sql_worker_new(options, &worker);
	if (r < 0)
		luaL_error(L, "queries: %s", strerror(-r));
	r = mw_loop_watch(mw_lua_tasks_loop(tasks), mw_sql_worker_fd(worker), EPOLLIN, on_done, asker);
	if (r < 0) {
		mw_sql_worker_free(worker);
		luaL_error(L, "queries: %s", strerror(-r));
	}
	asker->worker = worker;
	lua_rawsetp(L, LUA_REGISTRYINDEX, &asker_key);
	return asker;
}

static struct asker *asker_of(lua_State *L)
{
	struct asker *asker = find_asker(L);
	if (asker)
		return asker;
	static const struct mw_sql_worker_options usual;
	lua_rawgetp(L, LUA_REGISTRYINDEX, &options_key);
	const struct mw_sql_worker_options *options = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return make_asker(L, options ? options : &usual);
}

/* --- asking --- */

static int64_t number_of(lua_State *L, int index, const char *name)
{
	lua_getfield(L, index, name);
	lua_Number value = luaL_optnumber(L, -1, 0);
	lua_pop(L, 1);
	if (value < 0 || value > (lua_Number)INT32_MAX * 1024)
		luaL_error(L, "%s is out of range", name);
	return (int64_t)value;
}

static bool flag_of(lua_State *L, int index, const char *name)
{
	lua_getfield(L, index, name);
	bool is = lua_toboolean(L, -1);
	lua_pop(L, 1);
	return is;
}

/* {numbers=, sorted=, escaped=, null=} on top */
static void take_json(lua_State *L, struct mw_ask *ask)
{
	int index = lua_gettop(L);
	ask->form = MW_ANSWER_JSON;
	ask->has_numbers = flag_of(L, index, "numbers");
	ask->is_sorted = flag_of(L, index, "sorted");
	ask->is_escaped = flag_of(L, index, "escaped");
	lua_getfield(L, index, "null");
	(void)snprintf(ask->null_text, sizeof(ask->null_text), "%s", luaL_optstring(L, -1, ""));
	lua_pop(L, 1);
}

/* {seq=, id=} of the table on top */
static void take_position(lua_State *L, const char *name, struct mw_sql_position *position)
{
	if (lua_getfield(L, -1, name) == LUA_TTABLE) {
		position->seq = number_of(L, lua_gettop(L), "seq");
		lua_getfield(L, -1, "id");
		(void)snprintf(position->id, sizeof(position->id), "%s", luaL_optstring(L, -1, ""));
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void take_options(lua_State *L, int index, struct mw_ask *ask)
{
	ask->answer_bytes = VALUES_BYTES;
	if (lua_isnoneornil(L, index))
		return;
	luaL_checktype(L, index, LUA_TTABLE);
	ask->time_ms = number_of(L, index, "time_ms");
	ask->rows = (uint64_t)number_of(L, index, "rows");
	ask->memory_bytes = (uint64_t)number_of(L, index, "memory_bytes");
	if (lua_getfield(L, index, "json") == LUA_TTABLE) {
		ask->answer_bytes = JSON_BYTES;
		take_json(L, ask);
	}
	lua_pop(L, 1);
	int64_t bytes = number_of(L, index, "answer_bytes");
	if (bytes > 0 && (uint64_t)bytes < ask->answer_bytes)
		ask->answer_bytes = (uint64_t)bytes;
	if (lua_getfield(L, index, "since") == LUA_TTABLE) {
		ask->has_window = true;
		ask->window.rows = number_of(L, lua_gettop(L), "rows");
		take_position(L, "events", &ask->window.since[MW_SPOOL_EVENTS]);
		take_position(L, "alerts", &ask->window.since[MW_SPOOL_ALERTS]);
	}
	lua_pop(L, 1);
}

/* Wait for the job, whose making has failed when it is NULL. */
static int wait_for(lua_State *L, struct asker *asker, struct pending *pending, const struct mw_err *err, int code)
{
	if (!pending->job) {
		mw_lua_wait_free(pending->wait);
		free(pending);
		return mw_lua_fail(L, code, err->text);
	}
	struct pending **end = &asker->first;
	while (*end)
		end = &(*end)->next;
	*end = pending;
	look_again(asker);
	return lua_yield(L, 0);
}

static struct pending *new_pending(lua_State *L, int (*push)(lua_State *L, const struct mw_answer *answer))
{
	struct mw_lua_wait *wait = mw_lua_wait_new(L);
	struct pending *pending = calloc(1, sizeof(*pending));
	if (!pending) {
		mw_lua_wait_free(wait);
		(void)luaL_error(L, "out of memory"); /* does not come back */
	} else {
		*pending = (struct pending){.wait = wait, .push = push};
	}
	return pending;
}

static int ask(lua_State *L, bool is_plan)
{
	struct mw_ask asked = {.is_plan = is_plan};
	asked.text = luaL_checklstring(L, 1, &asked.bytes);
	take_options(L, 2, &asked);
	struct asker *asker = asker_of(L);
	if (asker->is_stuck)
		return mw_lua_fail(L, -EBUSY, "a query before did not end at its time, and cannot be stopped");
	struct pending *pending = new_pending(L, is_plan ? push_plan : push_run);
	struct mw_err err = {""};
	errno = 0;
	pending->job = mw_sql_worker_ask(asker->worker, &asked, &err);
	return wait_for(L, asker, pending, &err, -EBUSY);
}

/* run(sql, {time_ms=, rows=, memory_bytes=, answer_bytes=, json=, since=}) -> rows, columns, stats | nil, message, code, stats */
static int query_run(lua_State *L)
{
	return ask(L, false);
}

/* tables(sql) -> names | nil, message, code */
static int query_tables(lua_State *L)
{
	lua_settop(L, 1);
	return ask(L, true);
}

/* views{name = select, …} -> lines about those that are refused | nil, message, code */
static int query_views(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	struct asker *asker = asker_of(L);
	struct mw_sql_view *views = lua_newuserdatauv(L, VIEWS * sizeof(*views), 0);
	size_t count = 0;
	for (lua_pushnil(L); lua_next(L, 1); lua_pop(L, 1)) {
		luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING && lua_type(L, -1) == LUA_TSTRING, 1,
			      "takes texts, name = select");
		luaL_argcheck(L, count < VIEWS, 1, "too many views");
		views[count++] = (struct mw_sql_view){.name = lua_tostring(L, -2), .text = lua_tostring(L, -1)};
	}
	if (asker->is_stuck)
		return mw_lua_fail(L, -EBUSY, "a query before did not end at its time, and cannot be stopped");
	struct pending *pending = new_pending(L, push_views);
	struct mw_err err = {""};
	pending->job = mw_sql_worker_set_views(asker->worker, views, count, &err);
	return wait_for(L, asker, pending, &err, -EBUSY);
}

/* interrupt(): the query that runs now ends */
static int query_interrupt(lua_State *L)
{
	struct asker *asker = find_asker(L);
	if (asker)
		mw_sql_worker_interrupt(asker->worker);
	return 0;
}

static const char *text_of(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name); /* stays on the stack, and so alive */
	return luaL_optstring(L, -1, NULL);
}

/* setup{state_dir=, proc=, root=}: for commands, before the first query */
static int query_setup(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	if (mw_script_kind(mw_script_of(L)) != MW_SCRIPT_TOOL || find_asker(L))
		return luaL_error(L, "it is set up already");
	const struct mw_sql_worker_options options = {
		.state_dir = text_of(L, "state_dir"), .proc = text_of(L, "proc"), .root = text_of(L, "root")};
	(void)make_asker(L, &options);
	return 0;
}

int luaopen_moonwatch_query(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"interrupt", query_interrupt}, {"run", query_run},     {"setup", query_setup},
		{"tables", query_tables},       {"views", query_views}, {NULL, NULL},
	};
	luaL_newlib(L, functions);
	return 1;
}

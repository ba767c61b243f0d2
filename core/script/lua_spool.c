/* moonwatch.spool: consumers of the spool, and lines that are added to it; see spool/queue.h.
 *
 * In the sensor the spool is the sensor's.  A command opens one of its own. */
#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "script/agent_private.h"
#include "script/bind.h"
#include "script/lua_loop.h"
#include "script/lua_spool_private.h"
#include "spool/queue.h"
#include "spool/spool.h"

#define HOLDER "moonwatch.spool holder"
#define BATCH "moonwatch.spool batch"

int luaopen_moonwatch_spool(lua_State *L);

enum {
	/* Until lines that were added here are written, with those that come meanwhile. */
	COMMIT_MS = 20,
	ROWS = 1000,
	BYTES = 1 << 20,
};

static const char *const adders[] = {"results", "status", NULL};

/* Its address is the key of the holder in the registry. */
static const char holder_key;

static struct mw_lua_spool *find_holder(lua_State *L)
{
	lua_rawgetp(L, LUA_REGISTRYINDEX, &holder_key);
	struct mw_lua_spool *holder = lua_touserdata(L, -1);
	lua_pop(L, 1);
	return holder;
}

struct mw_lua_spool *mw_lua_spool_of(lua_State *L)
{
	struct mw_lua_spool *holder = find_holder(L);
	if (!holder->spool && mw_script_kind(mw_script_of(L)) == MW_SCRIPT_AGENT)
		holder->spool = mw_agent_options_of(L)->spool;
	if (!holder->spool)
		luaL_error(L, "there is no spool here");
	return holder;
}

static void on_commit(void *data)
{
	struct mw_lua_spool *holder = data;
	(void)mw_spool_commit(holder->spool, NULL); /* what fails stays in the batch */
}

static unsigned stream_at(lua_State *L, int index)
{
	const char *name = lua_tostring(L, index);
	for (unsigned i = 0; name && i < MW_SPOOL_STREAMS; i++)
		if (strcmp(name, mw_spool_stream_names[i]) == 0)
			return i;
	return (unsigned)luaL_error(L, "%s is no stream: alerts, results, events, status", name ? name : "this");
}

unsigned mw_lua_spool_streams(lua_State *L, int index, const char *name, unsigned otherwise)
{
	if (!lua_istable(L, index) || lua_getfield(L, index, name) == LUA_TNIL) {
		lua_settop(L, lua_istable(L, index) ? -2 : -1);
		return otherwise;
	}
	unsigned streams = 0;
	luaL_argcheck(L, lua_istable(L, -1), index, "a list of streams");
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++, lua_pop(L, 1))
		streams |= 1u << stream_at(L, -1);
	lua_pop(L, 2);
	return streams;
}

size_t mw_lua_spool_size(lua_State *L, int index, const char *name, size_t otherwise)
{
	if (!lua_istable(L, index))
		return otherwise;
	lua_getfield(L, index, name);
	lua_Integer value = luaL_optinteger(L, -1, (lua_Integer)otherwise);
	lua_pop(L, 1);
	luaL_argcheck(L, value >= 0, index, "a size below 0");
	return (size_t)value;
}

/* Note what waits for it already, so that it is not waited for. */
static int note_waiting(struct mw_lua_spool *holder, struct mw_lua_consumer *consumer, struct mw_err *err)
{
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		struct mw_spool_counts counts;
		int r = mw_spool_count(holder->spool, consumer->name, (enum mw_spool_stream)i, &counts, err);
		if (r < 0)
			return r;
		consumer->fresh[i].rows = (unsigned)(counts.waiting > 1000000 ? 1000000 : counts.waiting);
	}
	return 0;
}

struct mw_lua_consumer *mw_lua_spool_find(struct mw_lua_spool *holder, const char *name)
{
	for (unsigned i = 0; i < holder->count; i++)
		if (strcmp(holder->consumers[i].name, name) == 0)
			return &holder->consumers[i];
	return NULL;
}

/* There is room: the spool has no more of them. */
static struct mw_lua_consumer *add_consumer(struct mw_lua_spool *holder, const char *name)
{
	struct mw_lua_consumer *added = mw_lua_spool_find(holder, "");
	if (!added)
		added = &holder->consumers[holder->count++];
	*added = (struct mw_lua_consumer){.wait = NULL};
	(void)strncpy(added->name, name, sizeof(added->name) - 1);
	return added;
}

int mw_lua_spool_join(lua_State *L, struct mw_lua_spool *holder, unsigned streams,
		      struct mw_lua_consumer **ret_consumer, struct mw_err *err)
{
	const char *name = luaL_checkstring(L, 1);
	struct mw_lua_consumer *found = mw_lua_spool_find(holder, name);
	unsigned had = 0;
	const struct mw_spool_consumer *known;
	for (unsigned i = 0; (known = mw_spool_consumer_at(holder->spool, i)); i++)
		if (strcmp(known->name, name) == 0)
			had = known->streams;
	if (!found || (had & streams) != streams) {
		int r = mw_spool_join(holder->spool, name, streams, err);
		if (r < 0)
			return r;
		if (!found)
			found = add_consumer(holder, name);
		mw_spool_tell(holder->spool, mw_lua_spool_added, holder);
		r = note_waiting(holder, found, err);
		if (r < 0)
			return r;
	}
	*ret_consumer = found;
	return 0;
}

/* join(consumer, {streams = …}) -> true | nil, message, code */
static int spool_join(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	struct mw_lua_consumer *consumer;
	struct mw_err err;
	int r = mw_lua_spool_join(L, holder, mw_lua_spool_streams(L, 2, "streams", (1u << MW_SPOOL_STREAMS) - 1),
				  &consumer, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

/* leave(consumer) -> true | nil, message, code: what it has not read is not kept for it any more */
static int spool_leave(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	const char *name = luaL_checkstring(L, 1);
	struct mw_lua_consumer *left = mw_lua_spool_find(holder, name);
	if (left && left->wait)
		return luaL_error(L, "%s waits", name);
	struct mw_err err;
	int r = mw_spool_leave(holder->spool, name, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	if (left)
		*left = (struct mw_lua_consumer){.wait = NULL};
	lua_pushboolean(L, true);
	return 1;
}

/* add(stream, json, {name=, time_ns=}) -> true | nil, message, code */
static int spool_add(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	static const enum mw_spool_stream streams[] = {MW_SPOOL_RESULTS, MW_SPOOL_STATUS};
	enum mw_spool_stream stream = streams[luaL_checkoption(L, 1, NULL, adders)];
	struct mw_spool_row row = {.kind = "", .time_ns = mw_clock_real_ns()};
	row.body = luaL_checklstring(L, 2, &row.body_bytes);
	if (lua_istable(L, 3)) {
		lua_getfield(L, 3, "name");
		row.kind = luaL_optstring(L, -1, "");
		lua_getfield(L, 3, "time_ns");
		row.time_ns = luaL_optinteger(L, -1, row.time_ns);
	}
	struct mw_err err;
	int r = mw_spool_add(holder->spool, stream, &row, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	if (!holder->tasks)
		holder->tasks = mw_lua_tasks_if(L);
	if (holder->tasks && !holder->commit_timer.is_set)
		mw_timer_set(mw_lua_tasks_loop(holder->tasks), &holder->commit_timer, COMMIT_MS);
	lua_pushboolean(L, true);
	return 1;
}

/* commit() -> true | nil, message, code: at once */
static int spool_commit(lua_State *L)
{
	struct mw_err err;
	int r = mw_spool_commit(mw_lua_spool_of(L)->spool, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

static int batch_gc(lua_State *L)
{
	mw_buf_release(lua_touserdata(L, 1));
	return 0;
}

static void set_text(lua_State *L, const char *name, const char *text, size_t bytes)
{
	lua_pushlstring(L, text, bytes);
	lua_setfield(L, -2, name);
}

static void push_batch(lua_State *L, const struct mw_buf *batch)
{
	struct mw_spool_item item;
	lua_newtable(L);
	lua_Integer n = 0;
	for (size_t at = 0; mw_spool_batch_next(batch, &at, &item);) {
		lua_createtable(L, 0, 7);
		lua_pushstring(L, mw_spool_stream_names[item.stream]);
		lua_setfield(L, -2, "stream");
		lua_pushinteger(L, item.seq);
		lua_setfield(L, -2, "seq");
		lua_pushinteger(L, item.time_ns);
		lua_setfield(L, -2, "time_ns");
		set_text(L, "id", item.id, strlen(item.id));
		set_text(L, "kind", item.kind, strlen(item.kind));
		if (*item.rule)
			set_text(L, "rule", item.rule, strlen(item.rule));
		set_text(L, "body", item.body, item.body_bytes);
		lua_rawseti(L, -2, ++n);
	}
}

/* read(consumer, {streams=, max_rows=, max_bytes=}) -> batch, more | nil, message, code */
static int spool_read(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	lua_settop(L, 2);
	unsigned streams = mw_lua_spool_streams(L, 2, "streams", (1u << MW_SPOOL_STREAMS) - 1);
	size_t rows = mw_lua_spool_size(L, 2, "max_rows", ROWS);
	size_t bytes = mw_lua_spool_size(L, 2, "max_bytes", BYTES);
	struct mw_buf *batch = lua_newuserdatauv(L, sizeof(*batch), 0);
	*batch = (struct mw_buf)MW_BUF(MW_SPOOL_READ_BYTES);
	luaL_setmetatable(L, BATCH);

	struct mw_lua_consumer *consumer;
	struct mw_err err;
	bool more = false;
	int r = mw_lua_spool_join(L, holder, streams, &consumer, &err);
	if (r == 0)
		r = mw_spool_read(holder->spool, consumer->name, streams, rows, bytes, batch, &more, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	for (unsigned i = 0; i < MW_SPOOL_STREAMS && !more; i++)
		if (streams >> i & 1)
			consumer->fresh[i] = (struct mw_spool_news){0};
	push_batch(L, batch);
	mw_buf_release(batch);
	lua_pushboolean(L, more);
	return 2;
}

/* ack(consumer, batch, from?, to?) -> true | nil, message, code */
static int spool_ack(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	const char *name = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_Integer from = luaL_optinteger(L, 3, 1);
	lua_Integer to = luaL_optinteger(L, 4, luaL_len(L, 2));
	int64_t upto[MW_SPOOL_STREAMS] = {0};
	for (lua_Integer i = from; i <= to; i++) {
		luaL_argcheck(L, lua_rawgeti(L, 2, i) == LUA_TTABLE, 2, "no batch");
		lua_getfield(L, -1, "stream");
		unsigned stream = stream_at(L, -1);
		lua_getfield(L, -2, "seq");
		lua_Integer seq = luaL_checkinteger(L, -1);
		if (seq > upto[stream])
			upto[stream] = seq;
		lua_pop(L, 3);
	}
	struct mw_err err;
	int r = mw_spool_ack(holder->spool, name, upto, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

static const char *text_member(lua_State *L, const char *name, size_t *ret_bytes)
{
	lua_getfield(L, 2, name);
	return luaL_optlstring(L, -1, "", ret_bytes); /* the item keeps it */
}

/* set_aside(consumer, item, why) -> true | nil, message, code */
static int spool_set_aside(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	const char *name = luaL_checkstring(L, 1);
	luaL_checktype(L, 2, LUA_TTABLE);
	const char *why = luaL_checkstring(L, 3);
	size_t n;
	struct mw_spool_item item = {.rule = ""};
	lua_getfield(L, 2, "stream");
	item.stream = (enum mw_spool_stream)stream_at(L, -1);
	lua_getfield(L, 2, "seq");
	item.seq = luaL_checkinteger(L, -1);
	lua_getfield(L, 2, "time_ns");
	item.time_ns = luaL_optinteger(L, -1, 0);
	item.id = text_member(L, "id", &n);
	item.kind = text_member(L, "kind", &n);
	item.body = text_member(L, "body", &item.body_bytes);
	struct mw_err err;
	int r = mw_spool_set_aside(holder->spool, name, &item, why, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	lua_pushboolean(L, true);
	return 1;
}

static void push_counts(lua_State *L, const struct mw_spool_counts *counts)
{
	const struct {
		const char *name;
		uint64_t value;
	} members[] = {
		{"written", counts->written}, {"read", counts->read},     {"dropped", counts->dropped},
		{"aside", counts->aside},     {"handed", counts->handed}, {"waiting", counts->waiting},
	};
	lua_createtable(L, 0, 6);
	for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
		lua_pushinteger(L, (lua_Integer)members[i].value);
		lua_setfield(L, -2, members[i].name);
	}
}

/* {stream -> counts, or the one `member` of them} */
static int count(lua_State *L, const char *member)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	const char *name = luaL_checkstring(L, 1);
	lua_createtable(L, 0, MW_SPOOL_STREAMS);
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		struct mw_spool_counts counts;
		struct mw_err err;
		int r = mw_spool_count(holder->spool, name, (enum mw_spool_stream)i, &counts, &err);
		if (r < 0)
			return mw_lua_fail(L, r, err.text);
		push_counts(L, &counts);
		if (member) {
			lua_getfield(L, -1, member);
			lua_remove(L, -2);
		}
		lua_setfield(L, -2, mw_spool_stream_names[i]);
	}
	return 1;
}

static int spool_counts(lua_State *L)
{
	return count(L, NULL);
}

static int spool_pending(lua_State *L)
{
	return count(L, "waiting");
}

static int spool_dropped(lua_State *L)
{
	return count(L, "dropped");
}

static void add_cursor(void *data, const char *consumer, uint64_t waiting)
{
	lua_State *L = data;
	lua_Integer before = lua_getfield(L, -1, consumer) == LUA_TNUMBER ? lua_tointeger(L, -1) : 0;
	lua_pop(L, 1);
	lua_pushinteger(L, before + (lua_Integer)waiting);
	lua_setfield(L, -2, consumer);
}

/* consumers() -> {name -> rows that wait} | nil, message, code: of all that ever were */
static int spool_consumers(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	struct mw_err err;
	lua_newtable(L);
	int r = mw_spool_cursors(holder->spool, add_cursor, L, &err);
	return r < 0 ? mw_lua_fail(L, r, err.text) : 1;
}

/* open{dir=, limit_bytes=, limit_rows=} -> true, note | nil, message, code.  In commands alone. */
static int spool_open(lua_State *L)
{
	struct mw_lua_spool *holder = find_holder(L);
	if (mw_script_kind(mw_script_of(L)) != MW_SCRIPT_TOOL)
		return luaL_error(L, "the spool is the sensor's");
	luaL_checktype(L, 1, LUA_TTABLE);
	if (holder->spool)
		return luaL_error(L, "a spool is open already");
	lua_getfield(L, 1, "dir");
	const char *dir = luaL_checkstring(L, -1);
	struct mw_err note;
	struct mw_err err;
	int r = mw_spool_open(dir, mw_lua_spool_size(L, 1, "limit_bytes", (size_t)256 << 20), &holder->spool, &note,
			      &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	holder->is_own = true;
	mw_spool_limit_rows(holder->spool, mw_lua_spool_size(L, 1, "limit_rows", 0));
	lua_pushboolean(L, true);
	lua_pushstring(L, note.text);
	return 2;
}

static void release(lua_State *L, struct mw_lua_spool *holder)
{
	/* When the state ends the tasks may have ended before. */
	struct mw_loop *loop = holder->tasks ? mw_lua_tasks_loop(holder->tasks) : NULL;
	if (!loop)
		loop = mw_script_loop(mw_script_of(L));
	if (loop) {
		mw_timer_clear(loop, &holder->wake_timer);
		mw_timer_clear(loop, &holder->commit_timer);
	}
	if (holder->spool)
		mw_spool_tell(holder->spool, NULL, NULL);
	if (holder->is_own)
		mw_spool_close(holder->spool);
	holder->spool = NULL;
	holder->is_own = false;
	holder->tasks = NULL;
	holder->count = 0;
}

/* close(): what open() opened */
static int spool_close(lua_State *L)
{
	struct mw_lua_spool *holder = find_holder(L);
	if (holder->is_own)
		release(L, holder);
	return 0;
}

static int holder_gc(lua_State *L)
{
	release(L, lua_touserdata(L, 1));
	return 0;
}

int luaopen_moonwatch_spool(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"ack", spool_ack},
		{"add", spool_add},
		{"close", spool_close},
		{"commit", spool_commit},
		{"counts", spool_counts},
		{"join", spool_join},
		{"leave", spool_leave},
		{"open", spool_open},
		{"pending", spool_pending},
		{"dropped", spool_dropped},
		{"read", spool_read},
		{"wait", mw_lua_spool_wait},
		{"set_aside", spool_set_aside},
		{"consumers", spool_consumers},
		{"wake", mw_lua_spool_wake_one},
		{NULL, NULL},
	};
	if (luaL_newmetatable(L, BATCH)) {
		lua_pushcfunction(L, batch_gc);
		lua_setfield(L, -2, "__gc");
	}
	struct mw_lua_spool *holder = lua_newuserdatauv(L, sizeof(*holder), 0);
	*holder = (struct mw_lua_spool){.spool = NULL};
	holder->wake_timer = (struct mw_timer){.fire = mw_lua_spool_wake, .data = holder};
	holder->commit_timer = (struct mw_timer){.fire = on_commit, .data = holder};
	if (luaL_newmetatable(L, HOLDER)) {
		lua_pushcfunction(L, holder_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	lua_rawsetp(L, LUA_REGISTRYINDEX, &holder_key);
	luaL_newlib(L, functions);
	return 1;
}

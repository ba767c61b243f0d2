/* moonwatch.spool, waiting: a consumer sleeps until there is what it wants. */
#include "base/err.h"
#include "script/bind.h"
#include "script/lua_spool_private.h"

enum {
	WAIT_MAX_MS = 24 * 3600 * 1000,
};

static bool is_due(const struct mw_lua_consumer *consumer)
{
	size_t rows = 0;
	size_t bytes = 0;
	for (unsigned i = 0; i < MW_SPOOL_STREAMS; i++) {
		const struct mw_spool_news *fresh = &consumer->fresh[i];
		if (fresh->rows && consumer->urgent >> i & 1)
			return true;
		rows += consumer->streams >> i & 1 ? fresh->rows : 0;
		bytes += consumer->streams >> i & 1 ? fresh->bytes : 0;
	}
	return rows && ((consumer->rows && rows >= consumer->rows) || (consumer->bytes && bytes >= consumer->bytes));
}

static int push_what(lua_State *task, void *data)
{
	lua_pushstring(task, data);
	return 1;
}

static void end_wait(struct mw_lua_consumer *consumer, const char *what)
{
	struct mw_lua_wait *wait = consumer->wait;
	consumer->wait = NULL;
	consumer->is_woken = false;
	mw_lua_wake(wait, push_what, (void *)(uintptr_t)what);
}

void mw_lua_spool_wake(void *data)
{
	struct mw_lua_spool *holder = data;
	for (unsigned i = 0; i < holder->count; i++) {
		struct mw_lua_consumer *consumer = &holder->consumers[i];
		if (consumer->wait && consumer->is_woken)
			end_wait(consumer, "woken");
		else if (consumer->wait && is_due(consumer))
			end_wait(consumer, "new");
	}
}

/* Not at once: a commit may be in the middle of something. */
static void wake_soon(struct mw_lua_spool *holder)
{
	if (holder->tasks && !holder->wake_timer.is_set)
		mw_timer_set(mw_lua_tasks_loop(holder->tasks), &holder->wake_timer, 0);
}

void mw_lua_spool_added(void *data, const struct mw_spool_news news[MW_SPOOL_STREAMS])
{
	struct mw_lua_spool *holder = data;
	bool has_due = false;
	for (unsigned i = 0; i < holder->count; i++) {
		struct mw_lua_consumer *consumer = &holder->consumers[i];
		for (unsigned j = 0; j < MW_SPOOL_STREAMS; j++) {
			consumer->fresh[j].rows += news[j].rows;
			consumer->fresh[j].bytes += news[j].bytes;
		}
		has_due |= consumer->wait && is_due(consumer);
	}
	if (has_due)
		wake_soon(holder);
}

static void on_timeout(void *data)
{
	end_wait(data, "time");
}

int mw_lua_spool_wait(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	unsigned all = (1u << MW_SPOOL_STREAMS) - 1;
	lua_settop(L, 3);
	lua_Number ms = luaL_checknumber(L, 2);
	luaL_argcheck(L, ms >= 0, 2, "from 0 on");
	ms = ms > WAIT_MAX_MS ? WAIT_MAX_MS : ms;
	unsigned streams = mw_lua_spool_streams(L, 3, "streams", all);
	unsigned urgent = mw_lua_spool_streams(L, 3, "urgent", streams);
	struct mw_lua_consumer *consumer;
	struct mw_err err;
	if (mw_lua_spool_join(L, holder, streams | urgent, &consumer, &err) < 0)
		return luaL_error(L, "%s", err.text);
	if (consumer->wait)
		return luaL_error(L, "%s waits already", consumer->name);
	consumer->streams = streams;
	consumer->urgent = urgent;
	consumer->rows = mw_lua_spool_size(L, 3, "rows", 0);
	consumer->bytes = mw_lua_spool_size(L, 3, "bytes", 0);
	if (consumer->is_woken || is_due(consumer)) {
		lua_pushstring(L, consumer->is_woken ? "woken" : "new");
		consumer->is_woken = false;
		return 1;
	}
	if (!holder->tasks)
		holder->tasks = mw_lua_tasks(L);
	consumer->wait = mw_lua_wait_new(L);
	consumer->wait->timer = (struct mw_timer){.fire = on_timeout, .data = consumer};
	mw_timer_set(mw_lua_tasks_loop(holder->tasks), &consumer->wait->timer, (int64_t)ms);
	return lua_yield(L, 0);
}

int mw_lua_spool_wake_one(lua_State *L)
{
	struct mw_lua_spool *holder = mw_lua_spool_of(L);
	const char *name = luaL_checkstring(L, 1);
	struct mw_lua_consumer *consumer = mw_lua_spool_find(holder, name);
	if (consumer) {
		consumer->is_woken = true;
		wake_soon(holder);
	}
	return 0;
}

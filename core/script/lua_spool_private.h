/* What lua_spool.c and lua_spool_wait.c share: who of a script reads the spool, and what each waits for. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "script/lua_loop.h"
#include "spool/queue.h"

struct lua_State;
struct mw_err;

struct mw_lua_consumer {
	char name[MW_SPOOL_CONSUMER_BYTES];           /* "": the place is free */
	struct mw_spool_news fresh[MW_SPOOL_STREAMS]; /* since it was read */
	struct mw_lua_wait *wait;                     /* NULL: it does not wait */
	unsigned urgent, streams;                     /* of the wait */
	size_t rows, bytes;
	bool is_woken;
};

struct mw_lua_spool {
	struct mw_spool *spool;
	bool is_own;
	struct mw_lua_tasks *tasks; /* NULL until it is needed */
	struct mw_timer wake_timer, commit_timer;
	unsigned count;
	struct mw_lua_consumer consumers[MW_SPOOL_CONSUMERS];
};

struct mw_lua_spool *mw_lua_spool_of(struct lua_State *L);

/* NULL: it is no consumer. */
struct mw_lua_consumer *mw_lua_spool_find(struct mw_lua_spool *holder, const char *name);
/* The consumer named at 1, of those streams from now on. */
int mw_lua_spool_join(struct lua_State *L, struct mw_lua_spool *holder, unsigned streams,
		      struct mw_lua_consumer **ret_consumer, struct mw_err *err);

/* The bits of a list of names, member `name` of the table at `index`; `otherwise` when it is not there. */
unsigned mw_lua_spool_streams(struct lua_State *L, int index, const char *name, unsigned otherwise);
size_t mw_lua_spool_size(struct lua_State *L, int index, const char *name, size_t otherwise);

/* For mw_spool_tell(), and for the timer. */
void mw_lua_spool_added(void *data, const struct mw_spool_news news[MW_SPOOL_STREAMS]);
void mw_lua_spool_wake(void *data);

/* wait(consumer, ms, {urgent=, streams=, rows=, bytes=}) -> "new" | "woken" | "time" */
int mw_lua_spool_wait(struct lua_State *L);
/* wake(consumer): its wait, or the next one, ends */
int mw_lua_spool_wake_one(struct lua_State *L);

/* moonwatch.query: where its thread finds things. */
#pragma once

struct mw_script;
struct mw_sql_worker_options;

/* Of the sensor's agent; `options` is borrowed for as long as the state lives.  A state without looks where commands do. */
void mw_lua_query_set_options(struct mw_script *script, const struct mw_sql_worker_options *options);

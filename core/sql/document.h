/* What the sensor knows now of something: a document of the spool, mw_spool_put_document(). */
#pragma once

struct mw_buf;
struct mw_sql_world;

/* Append document `name`, JSON.  -ENOENT when there is no such document, or no spool. */
int mw_sql_document(const struct mw_sql_world *world, const char *name, struct mw_buf *json);

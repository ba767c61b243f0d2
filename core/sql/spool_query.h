/* A question to the spool from tables that are not made of its rows alone. */
#pragma once

#include <stdint.h>

struct mw_sql_world;

/* A row: what the statement's columns hold is asked for by number; NULL for NULL, 0 for none. */
struct mw_spool_answer;
const char *mw_spool_answer_text(struct mw_spool_answer *answer, unsigned column);
int64_t mw_spool_answer_int(struct mw_spool_answer *answer, unsigned column);

/* Ask; each row is told to `each`.  Where there is no spool, or it cannot answer, there are no rows, and nothing is said: such
 * tables know enough without.  -ETIME or -ENOMEM end the query. */
int mw_spool_ask(const struct mw_sql_world *world, const char *sql,
		 void (*each)(struct mw_spool_answer *answer, void *data), void *data);

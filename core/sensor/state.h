/* What the sensor says once of itself in the spool, for SQL: its rules and its flags. */
#pragma once

struct mw_flags;
struct mw_rules;
struct mw_spool;

/* `rules` may be NULL.  A spool that fails is told of elsewhere. */
void mw_state_write(struct mw_spool *spool, const struct mw_flags *flags, const struct mw_rules *rules);

/* All tables.  A new one is a file in tables/ and two lines here. */

#include "sql/table.h"

extern const struct mw_sql_table mw_table_groups;
extern const struct mw_sql_table mw_table_last;
extern const struct mw_sql_table mw_table_logged_in_users;
extern const struct mw_sql_table mw_table_moonwatch_alerts;
extern const struct mw_sql_table mw_table_moonwatch_health;
extern const struct mw_sql_table mw_table_process_events;
extern const struct mw_sql_table mw_table_processes;
extern const struct mw_sql_table mw_table_shadow;
extern const struct mw_sql_table mw_table_time;
extern const struct mw_sql_table mw_table_user_groups;
extern const struct mw_sql_table mw_table_users;

const struct mw_sql_table *const mw_sql_tables[] = {
	&mw_table_groups,
	&mw_table_last,
	&mw_table_logged_in_users,
	&mw_table_moonwatch_alerts,
	&mw_table_moonwatch_health,
	&mw_table_process_events,
	&mw_table_processes,
	&mw_table_shadow,
	&mw_table_time,
	&mw_table_user_groups,
	&mw_table_users,
	NULL,
};

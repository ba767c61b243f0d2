/* All tables.  A new one is a file in tables/ and two lines here. */

#include "sql/table.h"

extern const struct mw_sql_table mw_table_moonwatch_alerts;
extern const struct mw_sql_table mw_table_moonwatch_health;
extern const struct mw_sql_table mw_table_process_events;
extern const struct mw_sql_table mw_table_processes;
extern const struct mw_sql_table mw_table_time;

const struct mw_sql_table *const mw_sql_tables[] = {
	&mw_table_moonwatch_alerts,
	&mw_table_moonwatch_health,
	&mw_table_process_events,
	&mw_table_processes,
	&mw_table_time,
	NULL,
};

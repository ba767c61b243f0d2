/* Who sees events and who keeps them, in the words osquery has for it. */

#include "sql/spool_query.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	NAME,
	PUBLISHER,
	TYPE,
	SUBSCRIPTIONS,
	EVENTS,
	REFRESHES,
	ACTIVE,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "The table of these events, or who sees them"},
	[PUBLISHER] = {"publisher", MW_SQL_TEXT, 0, "Who sees them"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "publisher or subscriber"},
	[SUBSCRIPTIONS] = {"subscriptions", MW_SQL_INTEGER, 0, "Publisher: tables of its events"},
	[EVENTS] = {"events", MW_SQL_INTEGER, 0, "Events seen in this run of the sensor"},
	[REFRESHES] = {"refreshes", MW_SQL_INTEGER, 0, "Always 0: nothing is configured while it runs"},
	[ACTIVE] = {"active", MW_SQL_INTEGER, 0, "1 when a sensor runs"},
	{0},
};

/* In the order of the question's columns. */
static const char *const subscribers[] = {"process_events", "process_file_events", "socket_events"};

enum {
	SUBSCRIBERS = sizeof(subscribers) / sizeof(subscribers[0]),
};

struct counts {
	int64_t events[SUBSCRIBERS];
	int64_t is_active;
};

static void take(struct mw_spool_answer *answer, void *data)
{
	struct counts *counts = data;
	for (unsigned i = 0; i < SUBSCRIBERS; i++)
		counts->events[i] = mw_spool_answer_int(answer, i);
	counts->is_active = mw_spool_answer_int(answer, SUBSCRIBERS);
}

/* Of rows ["captured", KIND, NUMBER, …] of the newest run. */
#define COUNT(kinds) \
	"(SELECT sum(json_extract(row.value, '$[2]')) FROM json_each(newest.body) AS row WHERE" \
	" json_extract(row.value, '$[0]') = 'captured' AND json_extract(row.value, '$[1]') LIKE '" kinds "')"

static int add(struct mw_rows *rows, const char *name, const char *type, int64_t subscriptions, int64_t events,
	       int64_t is_active)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, NAME, name);
	mw_rows_string(rows, PUBLISHER, "sensor");
	mw_rows_string(rows, TYPE, type);
	mw_rows_int(rows, SUBSCRIPTIONS, subscriptions);
	mw_rows_int(rows, EVENTS, events);
	mw_rows_int(rows, REFRESHES, 0);
	mw_rows_int(rows, ACTIVE, is_active);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct counts counts = {0};
	int64_t all = 0;
	(void)err;
	int r = mw_spool_ask(scan->world,
			     "SELECT " COUNT("process.%") ", " COUNT("file.%") ", " COUNT(
				     "socket.%") ","
						 " NOT has_ended AND time_ns / 1000000000 > strftime('%s') - 30"
						 " FROM (SELECT * FROM health ORDER BY time_ns DESC LIMIT 1) AS newest",
			     take, &counts);
	for (size_t i = 0; i < SUBSCRIBERS; i++)
		all += counts.events[i];
	if (r == 0)
		r = add(rows, "sensor", "publisher", SUBSCRIBERS, all, counts.is_active);
	for (size_t i = 0; r == 0 && i < SUBSCRIBERS; i++)
		r = add(rows, subscribers[i], "subscriber", 0, counts.events[i], counts.is_active);
	return r;
}

const struct mw_sql_table mw_table_osquery_events = {
	.name = "osquery_events",
	.doc = "Who sees events, and the tables that have them.",
	.source = "spool",
	.example = "SELECT name, events, active FROM osquery_events WHERE type = 'subscriber'",
	.columns = columns,
	.fill = fill,
};

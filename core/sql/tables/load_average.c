#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PERIOD,
	AVERAGE,
};

static const struct mw_sql_column columns[] = {
	[PERIOD] = {"period", MW_SQL_TEXT, 0, "1m, 5m or 15m"},
	[AVERAGE] = {"average", MW_SQL_TEXT, 0, "Processes that ran or waited for a disk, on average"},
	{0},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const periods[] = {"1m", "5m", "15m"};
	MW_AUTO(mw_sql_lines) lines;
	(void)err;
	(void)mw_sql_lines_at(&lines, scan->world->procfd, "loadavg");
	char *rest = mw_sql_next_line(&lines);
	for (size_t i = 0; rest && i < 3; i++) {
		const char *word = mw_sql_word(&rest);
		int r = word ? mw_rows_add(rows) : 0;
		if (r < 0 || !word)
			return r;
		mw_rows_string(rows, PERIOD, periods[i]);
		mw_rows_string(rows, AVERAGE, word);
	}
	return 0;
}

const struct mw_sql_table mw_table_load_average = {
	.name = "load_average",
	.doc = "How busy the machine is.",
	.source = "/proc/loadavg",
	.example = "SELECT period, average FROM load_average",
	.columns = columns,
	.fill = fill,
};

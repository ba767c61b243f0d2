#include <string.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	NAME,
	SIZE,
	USED_BY,
	STATUS,
	ADDRESS,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Bytes of memory"},
	[USED_BY] = {"used_by", MW_SQL_TEXT, 0, "Modules that need it, with commas between; - for none"},
	[STATUS] = {"status", MW_SQL_TEXT, 0, "Live, Loading or Unloading"},
	[ADDRESS] = {"address", MW_SQL_TEXT, 0, "Where it is in memory; zeros without the right to know"},
	{0},
};

/* "name size references used_by, status address (taints)" */
static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	enum {
		WORDS = 6
	};
	MW_AUTO(mw_sql_lines) lines;
	(void)err;
	(void)mw_sql_lines_at(&lines, scan->world->procfd, "modules");
	for (char *line; (line = mw_sql_next_line(&lines));) {
		char *words[WORDS];
		char *rest = line;
		unsigned n = 0;
		while (n < WORDS && (words[n] = mw_sql_word(&rest)))
			n++;
		if (n < WORDS)
			continue;
		int r = mw_rows_add(rows);
		if (r < 0)
			return r;
		size_t used_by = strlen(words[3]);
		mw_rows_string(rows, NAME, words[0]);
		mw_rows_number(rows, SIZE, words[1]);
		mw_rows_text(rows, USED_BY, words[3], words[3][used_by - 1] == ',' ? used_by - 1 : used_by);
		mw_rows_string(rows, STATUS, words[4]);
		mw_rows_string(rows, ADDRESS, words[5]);
	}
	return 0;
}

const struct mw_sql_table mw_table_kernel_modules = {
	.name = "kernel_modules",
	.doc = "Modules the kernel has loaded; it is the host's kernel.",
	.source = "/proc/modules",
	.example = "SELECT name, size, used_by FROM kernel_modules WHERE status != 'Live'",
	.columns = columns,
	.fill = fill,
};

#include <string.h>

#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	CORE,
	USER,
	NICE,
	SYSTEM,
	IDLE,
	IOWAIT,
	IRQ,
	SOFTIRQ,
	STEAL,
	GUEST,
	GUEST_NICE,
};

static const struct mw_sql_column columns[] = {
	[CORE] = {"core", MW_SQL_INTEGER, 0, "Number of the processor"},
	[USER] = {"user", MW_SQL_BIGINT, 0, "Time in programs, in hundredths of a second (USER_HZ)"},
	[NICE] = {"nice", MW_SQL_BIGINT, 0, "Time in programs of low priority"},
	[SYSTEM] = {"system", MW_SQL_BIGINT, 0, "Time in the kernel"},
	[IDLE] = {"idle", MW_SQL_BIGINT, 0, "Time with nothing to do"},
	[IOWAIT] = {"iowait", MW_SQL_BIGINT, 0, "Time waiting for disks"},
	[IRQ] = {"irq", MW_SQL_BIGINT, 0, "Time in interrupts"},
	[SOFTIRQ] = {"softirq", MW_SQL_BIGINT, 0, "Time in soft interrupts"},
	[STEAL] = {"steal", MW_SQL_BIGINT, 0, "Time the host gave to others"},
	[GUEST] = {"guest", MW_SQL_BIGINT, 0, "Time in virtual machines, also in user"},
	[GUEST_NICE] = {"guest_nice", MW_SQL_BIGINT, 0, "Time in those of low priority, also in nice"},
	{0},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	MW_AUTO(mw_sql_lines) lines;
	int r = 0;
	(void)err;
	(void)mw_sql_lines_at(&lines, scan->world->procfd, "stat");
	for (char *line; r == 0 && (line = mw_sql_next_line(&lines));) {
		if (strncmp(line, "cpu", 3) != 0 || strspn(line + 3, "0123456789") == 0)
			continue;
		char *rest = line + 3;
		char *word;
		r = mw_rows_add(rows);
		for (unsigned column = CORE; r == 0 && column <= GUEST_NICE && (word = mw_sql_word(&rest)); column++)
			mw_rows_number(rows, column, word);
	}
	return r;
}

const struct mw_sql_table mw_table_cpu_time = {
	.name = "cpu_time",
	.doc = "What processors of the machine have spent their time on.",
	.source = "/proc/stat",
	.example = "SELECT core, user, system, idle, steal FROM cpu_time",
	.columns = columns,
	.fill = fill,
};

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	VERSION,
	ARGUMENTS,
	PATH,
	DEVICE,
};

static const struct mw_sql_column columns[] = {
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Release of the kernel", "version"},
	[ARGUMENTS] = {"arguments", MW_SQL_TEXT, 0, "What else it was started with"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "File it was started from, BOOT_IMAGE="},
	[DEVICE] = {"device", MW_SQL_TEXT, 0, "Its root file system, root="},
	{0},
};

static void add_arguments(struct mw_sql_world *world, struct mw_rows *rows)
{
	MW_AUTO(mw_sql_lines) lines;
	(void)mw_sql_lines_at(&lines, world->procfd, "cmdline");
	char *rest = mw_sql_next_line(&lines);
	MW_AUTO(mw_buf) others = MW_BUF(lines.text.max);
	for (char *word; rest && (word = mw_sql_word(&rest));) {
		if (strncmp(word, "BOOT_IMAGE=", 11) == 0)
			mw_rows_string(rows, PATH, word + 11);
		else if (strncmp(word, "root=", 5) == 0)
			mw_rows_string(rows, DEVICE, word + 5);
		else
			mw_buf_printf(&others, "%s%s", others.size ? " " : "", word);
	}
	mw_rows_text(rows, ARGUMENTS, others.data ? others.data : "", others.size);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	MW_AUTO(mw_sql_lines) lines;
	(void)err;
	(void)mw_sql_lines_at(&lines, scan->world->procfd, "sys/kernel/osrelease");
	const char *version = mw_sql_next_line(&lines);
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, VERSION, version ? version : "");
	mw_rows_string(rows, PATH, "");
	mw_rows_string(rows, DEVICE, "");
	add_arguments(scan->world, rows);
	return 0;
}

const struct mw_sql_table mw_table_kernel_info = {
	.name = "kernel_info",
	.doc = "The kernel that runs, and how it was started.",
	.source = "/proc/sys/kernel/osrelease, /proc/cmdline",
	.example = "SELECT version, arguments FROM kernel_info",
	.columns = columns,
	.fill = fill,
};

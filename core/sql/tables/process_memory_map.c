/* Memory of processes: PID/maps of proc(5), lines "START-END PERMISSIONS OFFSET DEVICE INODE  PATH". */

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "proc/procfs.h"
#include "sql/process_table.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PID,
	START,
	END,
	PERMISSIONS,
	OFFSET,
	DEVICE,
	INODE,
	PATH,
	PSEUDO,
};

enum {
	/* 65530 maps (vm.max_map_count) with a path of 60 bytes each, and more than that of others. */
	MAPS_BYTES = 16 << 20,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_INTEGER, MW_SQL_INDEX | MW_SQL_SET, "Process id"},
	[START] = {"start", MW_SQL_TEXT, 0, "First address, in hexadecimal"},
	[END] = {"end", MW_SQL_TEXT, 0, "Address behind the last, in hexadecimal"},
	[PERMISSIONS] = {"permissions", MW_SQL_TEXT, 0, "r read, w write, x execute, p private, s shared"},
	[OFFSET] = {"offset", MW_SQL_BIGINT, 0, "Where in the file it begins"},
	[DEVICE] = {"device", MW_SQL_TEXT, 0, "Device of the file, MAJOR:MINOR in hexadecimal"},
	[INODE] = {"inode", MW_SQL_INTEGER, 0, "Inode of the file; 0 without one"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Path of the file, or what it is for, in brackets"},
	[PSEUDO] = {"pseudo", MW_SQL_INTEGER, 0, "1 when the path is no file: [heap], [stack] …"},
	{0},
};

static void add_address(struct mw_rows *rows, unsigned column, const char *digits, size_t n)
{
	char text[24] = "0x";
	if (n > sizeof(text) - 3)
		return;
	memcpy(text + 2, digits, n);
	mw_rows_text(rows, column, text, n + 2);
}

static int add_map(pid_t pid, char *line, struct mw_rows *rows)
{
	char *fields[5];
	for (size_t i = 0; i < 5; i++) {
		fields[i] = strsep(&line, " ");
		if (!fields[i] || !line)
			return 0;
	}
	size_t start = strcspn(fields[0], "-");
	if (!fields[0][start])
		return 0;
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	const char *path = line + strspn(line, " ");
	mw_rows_int(rows, PID, pid);
	add_address(rows, START, fields[0], start);
	add_address(rows, END, fields[0] + start + 1, strlen(fields[0] + start + 1));
	mw_rows_string(rows, PERMISSIONS, fields[1]);
	mw_rows_int(rows, OFFSET, (int64_t)strtoull(fields[2], NULL, 16));
	mw_rows_string(rows, DEVICE, fields[3]);
	mw_rows_int(rows, INODE, (int64_t)strtoull(fields[4], NULL, 10));
	mw_rows_string(rows, PATH, path);
	mw_rows_int(rows, PSEUDO, *path == '[');
	return 0;
}

static int add_maps(const struct mw_sql_scan *scan, pid_t pid, int pidfd, struct mw_rows *rows)
{
	MW_AUTO(mw_buf) text = MW_BUF(MAPS_BYTES);
	int r = mw_procfs_read(pidfd, "maps", &text);
	if (r == -EFBIG)
		mw_sql_warn(scan->world, "process_memory_map: of process %d not all is shown", (int)pid);
	else if (r < 0)
		return r;
	char *rest = text.data;
	r = 0;
	for (char *line; r == 0 && (line = strsep(&rest, "\n"));)
		r = add_map(pid, line, rows);
	return r;
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	static const struct mw_process_table table = {.pid = PID, .add = add_maps};
	return mw_process_table_open(scan, &table, ret_state, err);
}

const struct mw_sql_table mw_table_process_memory_map = {
	.name = "process_memory_map",
	.doc = "Memory of processes: which files are mapped where.",
	.source = "/proc/PID/maps",
	.example =
		"SELECT DISTINCT pid, path FROM process_memory_map WHERE permissions LIKE '%x%' AND path LIKE '/tmp/%'",
	.columns = columns,
	.rows_per_key = 100,
	.open = open_scan,
	.next = mw_process_table_next,
	.close = mw_process_table_close,
};

/* Environments of processes, as they were when each program started: PID/environ of proc(5). */

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "crypto/redact.h"
#include "proc/procfs.h"
#include "sql/process_table.h"
#include "sql/table.h"

enum {
	PID,
	KEY,
	VALUE,
};

enum {
	/* Of one process; what is beyond is left out. */
	ENVIRONMENT_BYTES = 1 << 20,
	VALUE_BYTES = ENVIRONMENT_BYTES + 64,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_INTEGER, MW_SQL_INDEX | MW_SQL_SET, "Process id"},
	[KEY] = {"key", MW_SQL_TEXT, 0, "Name of the variable"},
	[VALUE] = {"value", MW_SQL_TEXT, 0,
		   "Its value; \"[redacted:…]\" for what looks like a secret, unless --allow_plain_env is given"},
	{0},
};

static int add_variables(const struct mw_sql_scan *scan, pid_t pid, int pidfd, struct mw_rows *rows)
{
	MW_AUTO(mw_buf) text = MW_BUF(ENVIRONMENT_BYTES);
	MW_AUTO(mw_buf) shown = MW_BUF(VALUE_BYTES);
	int r = mw_procfs_read(pidfd, "environ", &text);
	if (r < 0 && r != -EFBIG)
		return r;
	for (size_t at = 0; at < text.size;) {
		const char *variable = text.data + at;
		size_t n = strnlen(variable, text.size - at);
		at += n + 1;
		/* Programs write over their environment; what has no name is no variable. */
		const char *equals = memchr(variable, '=', n);
		if (!equals || equals == variable)
			continue;
		r = mw_rows_add(rows);
		if (r < 0)
			return r;
		size_t name = (size_t)(equals - variable);
		mw_rows_int(rows, PID, pid);
		mw_rows_text(rows, KEY, variable, name);
		if (!mw_sql_wants(scan, VALUE))
			continue;
		mw_buf_clear(&shown);
		mw_redact_value(variable, name, equals + 1, n - name - 1, &shown);
		mw_rows_text(rows, VALUE, shown.data ? shown.data : "", shown.size);
	}
	return 0;
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	static const struct mw_process_table table = {.pid = PID, .add = add_variables};
	return mw_process_table_open(scan, &table, ret_state, err);
}

const struct mw_sql_table mw_table_process_envs = {
	.name = "process_envs",
	.doc = "Environment of each process, without its secrets.",
	.source = "/proc/PID/environ",
	.example = "SELECT pid, key, value FROM process_envs WHERE key IN ('LD_PRELOAD', 'LD_LIBRARY_PATH')",
	.columns = columns,
	.rows_per_key = 30,
	.open = open_scan,
	.next = mw_process_table_next,
	.close = mw_process_table_close,
};

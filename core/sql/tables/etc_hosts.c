#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "sql/place.h"
#include "sql/table.h"

enum {
	ADDRESS,
	HOSTNAMES,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[ADDRESS] = {"address", MW_SQL_TEXT, 0, "Address"},
	[HOSTNAMES] = {"hostnames", MW_SQL_TEXT, 0, "Its names, with blanks between"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

static int add_line(const struct mw_sql_place *place, char *line, struct mw_rows *rows)
{
	(void)mw_sql_comment(line);
	char *rest = line;
	const char *address = mw_sql_word(&rest);
	const char *name = address ? mw_sql_word(&rest) : NULL;
	int r = name ? mw_rows_add(rows) : 0;
	if (r < 0 || !name)
		return r;
	MW_AUTO(mw_buf) names = MW_BUF(strlen(rest) + strlen(name) + 2);
	for (; name; name = mw_sql_word(&rest)) {
		mw_buf_str(&names, names.size ? " " : "");
		mw_buf_str(&names, name);
	}
	mw_rows_string(rows, ADDRESS, address);
	mw_rows_text(rows, HOSTNAMES, names.data, names.size);
	mw_rows_int(rows, PID_WITH_NAMESPACE, place->pid);
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_each_line(scan, PID_WITH_NAMESPACE, "/etc/hosts", add_line, rows);
}

const struct mw_sql_table mw_table_etc_hosts = {
	.name = "etc_hosts",
	.alias = "hosts",
	.doc = "Names and addresses that are known without asking.",
	.source = "/etc/hosts",
	.example = "SELECT address, hostnames FROM etc_hosts",
	.columns = columns,
	.fill = fill,
};

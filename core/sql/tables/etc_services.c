#include <string.h>

#include "sql/place.h"
#include "sql/table.h"

enum {
	NAME,
	PORT,
	PROTOCOL,
	ALIASES,
	COMMENT,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the service"},
	[PORT] = {"port", MW_SQL_INTEGER, 0, "Number of its port"},
	[PROTOCOL] = {"protocol", MW_SQL_TEXT, 0, "tcp, udp or another"},
	[ALIASES] = {"aliases", MW_SQL_TEXT, 0, "Other names, with blanks between"},
	[COMMENT] = {"comment", MW_SQL_TEXT, 0, "What stands beside it"},
	{0},
};

/* "name port/protocol alias…  # comment" */
static int add_line(const struct mw_sql_place *place, char *line, struct mw_rows *rows)
{
	(void)place;
	const char *comment = mw_sql_comment(line);
	char *rest = line;
	const char *name = mw_sql_word(&rest);
	char *port = name ? mw_sql_word(&rest) : NULL;
	char *protocol = port ? strchr(port, '/') : NULL;
	int r = protocol ? mw_rows_add(rows) : 0;
	if (r < 0 || !protocol)
		return r;
	*protocol++ = '\0';
	mw_rows_string(rows, NAME, name);
	mw_rows_number(rows, PORT, port);
	mw_rows_string(rows, PROTOCOL, protocol);
	mw_rows_string(rows, ALIASES, mw_sql_strip(rest));
	mw_rows_string(rows, COMMENT, comment ? comment : "");
	return 0;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_each_line(scan, MW_SQL_NO_COLUMN, "/etc/services", add_line, rows);
}

const struct mw_sql_table mw_table_etc_services = {
	.name = "etc_services",
	.doc = "Names of ports.",
	.source = "/etc/services",
	.example = "SELECT name FROM etc_services WHERE port = 443 AND protocol = 'tcp'",
	.columns = columns,
	.fill = fill,
};

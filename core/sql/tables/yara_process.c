#include "sql/table.h"
#include "sql/world.h"

enum {
	PID,
	MATCHES,
	COUNT,
	SIG_GROUP,
	SIGFILE,
	SIGRULE,
	STRINGS,
	TAGS,
	SIGURL,
	PID_WITH_NAMESPACE,
};

static const struct mw_sql_column columns[] = {
	[PID] = {"pid", MW_SQL_INTEGER, MW_SQL_INDEX | MW_SQL_REQUIRED,
		 "Process whose memory to look into; must be given"},
	[MATCHES] = {"matches", MW_SQL_TEXT, 0, "Names of the rules that match"},
	[COUNT] = {"count", MW_SQL_INTEGER, 0, "How many there are"},
	[SIG_GROUP] = {"sig_group", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "Group of rules of the configuration"},
	[SIGFILE] = {"sigfile", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "File of rules"},
	[SIGRULE] = {"sigrule", MW_SQL_TEXT, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "Rules as a text"},
	[STRINGS] = {"strings", MW_SQL_TEXT, 0, "What matched"},
	[TAGS] = {"tags", MW_SQL_TEXT, 0, "Tags of the rules"},
	[SIGURL] = {"sigurl", MW_SQL_TEXT, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "Where rules are fetched from"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID` looks at the files of that process; else 0"},
	{0},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)rows;
	(void)err;
	mw_sql_warn(scan->world, "%s: libyara is not built in; there are no rows", scan->table->name);
	return 0;
}

const struct mw_sql_table mw_table_yara_process = {
	.name = "yara_process",
	.doc = "Processes whose memory matches YARA rules.  Empty, with a warning: libyara is not built in.",
	.source = "nothing yet",
	.example = "SELECT pid, matches FROM yara_process WHERE pid = 1",
	.columns = columns,
	.fill = fill,
};

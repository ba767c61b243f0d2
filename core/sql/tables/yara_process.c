/* Memory of processes looked through by rules of YARA: one row a process, whether a rule matches or not. */

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "sql/table.h"
#include "sql/world.h"
#include "sql/yara_rules.h"

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
	[MATCHES] = {"matches", MW_SQL_TEXT, 0, "Names of the rules that match, with commas between"},
	[COUNT] = {"count", MW_SQL_INTEGER, 0, "How many there are"},
	[SIG_GROUP] = {"sig_group", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "Group of the configuration's yara.signatures"},
	[SIGFILE] = {"sigfile", MW_SQL_TEXT, MW_SQL_ADDITIONAL,
		     "File of rules; without a folder, below /etc/osquery/yara"},
	[SIGRULE] = {"sigrule", MW_SQL_TEXT, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "Rules as a text"},
	[STRINGS] = {"strings", MW_SQL_TEXT, 0, "What matched: $name:ADDRESS, in hexadecimal digits"},
	[TAGS] = {"tags", MW_SQL_TEXT, 0, "Tags of the rules"},
	[SIGURL] = {"sigurl", MW_SQL_TEXT, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "Not supported: rules are not fetched"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"Not supported: always 0"},
	{0},
};

static const struct mw_yara_columns yara_columns = {
	.matches = MATCHES,
	.count = COUNT,
	.strings = STRINGS,
	.tags = TAGS,
	.group = SIG_GROUP,
	.file = SIGFILE,
	.rule = SIGRULE,
	.url = SIGURL,
};

/* 1 when it was looked through; 0 when not, which was told. */
static int look(struct mw_sql_world *world, const struct mw_yara_rules *rules, pid_t pid, struct mw_yara_found *found)
{
	for (size_t i = 0; i < rules->count; i++) {
		int seconds = mw_yara_seconds(world);
		int r = seconds < 0 ? seconds : mw_yara_scan_process(rules->compiled[i], pid, seconds, found);
		if (r == -EACCES)
			mw_sql_warn(world, "yara_process: %d: its memory cannot be read", (int)pid);
		else if (r == -EIO)
			mw_sql_warn(world, "yara_process: %d: libyara gave up", (int)pid);
		else if (r == -ETIME && mw_yara_seconds(world) > 0)
			mw_sql_warn(world, "yara_process: %d: not looked through to its end, it takes too long",
				    (int)pid);
		else if (r < 0)
			return r;
		if (r < 0)
			return 0;
	}
	return 1;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	const struct mw_sql_constraint *pid = mw_sql_equal(scan, PID);
	struct mw_yara_rules rules;
	struct mw_yara_found found;
	(void)err;
	if (!pid || !pid->is_integer || pid->integer <= 0 || pid->integer > INT32_MAX)
		return 0;
	if (pid->integer == getpid()) { /* which holds secrets, and the rules themselves */
		mw_sql_warn(scan->world, "yara_process: %d: is this program", (int)pid->integer);
		return 0;
	}
	int r = mw_yara_rules_init(&rules, scan, &yara_columns);
	if (r < 0)
		return r;
	mw_yara_found_init(&found);
	r = rules.count ? look(scan->world, &rules, (pid_t)pid->integer, &found) : 0;
	if (r > 0 && (r = mw_rows_add(rows)) == 0) {
		mw_rows_int(rows, PID, pid->integer);
		mw_rows_int(rows, PID_WITH_NAMESPACE, 0);
		mw_yara_rules_row(&rules, &yara_columns, &found, rows);
	}
	mw_yara_found_release(&found);
	mw_yara_rules_release(&rules);
	return r;
}

const struct mw_sql_table mw_table_yara_process = {
	.name = "yara_process",
	.doc = "Memory of processes looked through by rules of YARA: a row each, also when none matches (count = 0).  Needs libyara "
	       "when it is built and when it runs.",
	.source = "/proc/PID/mem, libyara",
	.example = "SELECT pid, matches FROM yara_process WHERE pid = 1 AND sigrule = 'rule r { condition: true }'",
	.columns = columns,
	.fill = fill,
};

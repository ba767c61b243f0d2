/* What watched files were at the start of the newest run, compared with the run before: see spool/baseline.h. */

#include "spool/baseline.h"
#include "sql/spool_table.h"

enum {
	PATH,
	CATEGORY,
	CHANGE,
	DIFFERS,
	INODE,
	DEVICE,
	MODE,
	UID,
	GID,
	SIZE,
	HARD_LINKS,
	MTIME,
	CTIME,
	SHA256,
	RECORDED,
	RUN,
};

static const struct mw_sql_column columns[] = {
	[PATH] = {"path", MW_SQL_TEXT, 0, "The file"},
	[CATEGORY] = {"category", MW_SQL_TEXT, 0, "Category of file_paths it is watched in"},
	[CHANGE] = {"change", MW_SQL_TEXT, 0,
		    "Since the run before: added, removed, changed or same; NULL when there was none"},
	[DIFFERS] = {"differs", MW_SQL_TEXT, 0, "changed: what does: mode uid gid size mtime sha256"},
	[INODE] = {"inode", MW_SQL_BIGINT, 0, "Inode; no difference"},
	[DEVICE] = {"device", MW_SQL_BIGINT, 0, "Number of the device; no difference"},
	[MODE] = {"mode", MW_SQL_TEXT, 0, "Permission bits, octal"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Owner"},
	[GID] = {"gid", MW_SQL_BIGINT, 0, "Group"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Bytes"},
	[HARD_LINKS] = {"hard_links", MW_SQL_INTEGER, 0, "Names it has"},
	[MTIME] = {"mtime", MW_SQL_BIGINT, 0, "Last change of contents, in seconds since 1970"},
	[CTIME] = {"ctime", MW_SQL_BIGINT, 0, "Last change of the inode, likewise; no difference"},
	[SHA256] = {"sha256", MW_SQL_TEXT, 0, "SHA-256 of its contents, with --file_baseline_hashes", "NOCASE"},
	[RECORDED] = {"recorded", MW_SQL_BIGINT, 0, "When that run began; of what was removed, the one before"},
	[RUN] = {"run", MW_SQL_TEXT, MW_SQL_HIDDEN, "Which run: the beginning of its events' ids"},
	{0},
};

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[PATH] = "path",
	[CATEGORY] = "category",
	[CHANGE] = "change",
	[DIFFERS] = "iif(change = 'changed', rtrim(differs), NULL)",
	[INODE] = "inode",
	[DEVICE] = "device",
	[MODE] = "printf('%04o', mode & 4095)",
	[UID] = "uid",
	[GID] = "gid",
	[SIZE] = "size",
	[HARD_LINKS] = "nlink",
	[MTIME] = "mtime_ns / 1000000000",
	[CTIME] = "ctime_ns / 1000000000",
	[SHA256] = "sha256",
	[RECORDED] = "run_ns / 1000000000",
	[RUN] = "printf('%016x', run_ns)",
};

#define DIFFERENCE(column) "iif(new." column " <> old." column ", '" column " ', '')"
#define NEWEST "(SELECT max(run_ns) FROM runs WHERE is_whole)"
#define FORMER "(SELECT max(run_ns) FROM runs WHERE is_whole AND run_ns < " NEWEST ")"

static const char compared[] =
	"(WITH both AS (SELECT new.*, old.path IS NOT NULL AS was_there,"
	" " DIFFERENCE("mode") " || " DIFFERENCE("uid") " || " DIFFERENCE("gid") " || " DIFFERENCE(
		"size") " ||"
			" iif(new.mtime_ns <> old.mtime_ns, 'mtime ', '') ||"
			" iif(new.sha256 <> old.sha256, 'sha256 ', '') AS differs"
			" FROM files AS new LEFT JOIN files AS old ON old.run_ns = " FORMER " AND old.path = new.path"
			" WHERE new.run_ns = " NEWEST ")"
			" SELECT *, CASE WHEN " FORMER " IS NULL THEN NULL WHEN NOT was_there THEN 'added'"
			" WHEN differs <> '' THEN 'changed' ELSE 'same' END AS change FROM both"
			" UNION ALL SELECT old.*, 1, '', 'removed' FROM files AS old WHERE run_ns = " FORMER
			" AND NOT EXISTS (SELECT 1 FROM files AS new WHERE new.run_ns = " NEWEST
			" AND new.path = old.path))";

static const struct mw_spool_source source = {
	.open = mw_baseline_reader_open,
	.from = compared,
	.order = "path",
	.expressions = expressions,
	.time = MW_SQL_COLUMNS,
	.eid = MW_SQL_COLUMNS,
	.pid = MW_SQL_COLUMNS,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_file_baseline = {
	.name = "file_baseline",
	.doc = "What the watched files were when the sensor started, compared with its start before.",
	.source = "state folder",
	.example = "SELECT path, change, differs FROM file_baseline WHERE change <> 'same'",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

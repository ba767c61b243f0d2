/* What happened to watched files, from the spool: what inotify told, and what scans found.  osquery tells the two names of a
 * rename in two rows, so one event becomes two of them. */

#include "sql/spool_table.h"

enum {
	TARGET_PATH,
	CATEGORY,
	ACTION,
	TRANSACTION_ID,
	INODE,
	UID,
	GID,
	MODE,
	SIZE,
	ATIME,
	MTIME,
	CTIME,
	MD5,
	SHA1,
	SHA256,
	HASHED,
	TIME,
	EID,
	PID,
	EXE,
	CMDLINE,
	ATTRIBUTION,
	FOUND_BY,
	CLOSED,
	USER,
};

static const struct mw_sql_column columns[] = {
	[TARGET_PATH] = {"target_path", MW_SQL_TEXT, 0, "The file"},
	[CATEGORY] = {"category", MW_SQL_TEXT, 0, "Category of file_paths it is watched in"},
	[ACTION] = {"action", MW_SQL_TEXT, 0,
		    "CREATED, UPDATED, DELETED, MOVED_FROM, MOVED_TO, ATTRIBUTES_MODIFIED, OPENED or ACCESSED"},
	[TRANSACTION_ID] = {"transaction_id", MW_SQL_BIGINT, 0, "Joins MOVED_FROM and MOVED_TO; else 0"},
	[INODE] = {"inode", MW_SQL_BIGINT, 0, "Inode after the event; of a deletion, what it was"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Owner, likewise"},
	[GID] = {"gid", MW_SQL_BIGINT, 0, "Group, likewise"},
	[MODE] = {"mode", MW_SQL_TEXT, 0, "Permission bits, octal, likewise"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Bytes, likewise"},
	[ATIME] = {"atime", MW_SQL_BIGINT, 0, "Last access, in seconds since 1970, likewise"},
	[MTIME] = {"mtime", MW_SQL_BIGINT, 0, "Last change of contents, likewise"},
	[CTIME] = {"ctime", MW_SQL_BIGINT, 0, "Last change of the inode, likewise"},
	[MD5] = {"md5", MW_SQL_TEXT, 0, "MD5 of its contents", "NOCASE"},
	[SHA1] = {"sha1", MW_SQL_TEXT, 0, "SHA-1", "NOCASE"},
	[SHA256] = {"sha256", MW_SQL_TEXT, 0, "SHA-256", "NOCASE"},
	[HASHED] = {"hashed", MW_SQL_INTEGER, 0, "1 with hashes, 0 when that was not tried, -1 when it failed"},
	[TIME] = {"time", MW_SQL_BIGINT, MW_SQL_ADDITIONAL | MW_SQL_RANGE | MW_SQL_ORDER,
		  "When it happened, in seconds since 1970"},
	[EID] = {"eid", MW_SQL_TEXT, MW_SQL_HIDDEN, "Id of the event; of MOVED_FROM, with \"-from\" behind"},
	[PID] = {"pid", MW_SQL_BIGINT, MW_SQL_ADDITIONAL, "Process that did it, as far as known"},
	[EXE] = {"exe", MW_SQL_TEXT, 0, "Its executable"},
	[CMDLINE] = {"cmdline", MW_SQL_TEXT, 0, "Its arguments, with blanks between"},
	[ATTRIBUTION] = {"attribution", MW_SQL_TEXT, 0, "How sure that is: exact, likely or none"},
	[FOUND_BY] = {"found_by", MW_SQL_TEXT, 0, "inotify; scan or poll: the difference from what was known before"},
	[CLOSED] = {"closed", MW_SQL_INTEGER, 0, "UPDATED: 1 when whoever has written to it has closed it"},
	[USER] = {"user", MW_SQL_TEXT, 0, "Name of the process's effective user"},
	{0},
};

#define FILE(field) "json_extract(body, '$.file." field "')"
#define PROCESS(field) "json_extract(body, '$.process." field "')"
#define SECONDS(field) "CAST(strftime('%s', " FILE(field) ") AS INTEGER)"

static const char *const expressions[sizeof(columns) / sizeof(columns[0])] = {
	[TARGET_PATH] = "iif(half, " FILE("path") ", " FILE("old_path") ")",
	[CATEGORY] = FILE("category"),
	[ACTION] = "CASE kind WHEN 'file.create' THEN 'CREATED' WHEN 'file.modify' THEN 'UPDATED'"
		   " WHEN 'file.delete' THEN 'DELETED' WHEN 'file.attributes' THEN 'ATTRIBUTES_MODIFIED'"
		   " WHEN 'file.open' THEN 'OPENED' WHEN 'file.access' THEN 'ACCESSED'"
		   " ELSE iif(half, 'MOVED_TO', 'MOVED_FROM') END",
	[TRANSACTION_ID] = "coalesce(" FILE("cookie") ", 0)",
	[INODE] = FILE("inode"),
	[UID] = FILE("uid"),
	[GID] = FILE("gid"),
	[MODE] = "iif(" FILE("mode") " IS NULL, NULL, printf('%04o', " FILE("mode") " & 4095))",
	[SIZE] = FILE("size"),
	[ATIME] = SECONDS("atime"),
	[MTIME] = SECONDS("mtime"),
	[CTIME] = SECONDS("ctime"),
	[MD5] = "iif(half, " FILE("md5") ", NULL)",
	[SHA1] = "iif(half, " FILE("sha1") ", NULL)",
	[SHA256] = "iif(half, " FILE("sha256") ", NULL)",
	[HASHED] = "iif(half, coalesce(" FILE("hashed") ", 0), 0)",
	[TIME] = "time_ns / 1000000000",
	[EID] = "iif(half, id, id || '-from')",
	[PID] = "iif(pid, pid, NULL)",
	[EXE] = PROCESS("exe"),
	[CMDLINE] = PROCESS("cmdline"),
	[ATTRIBUTION] = FILE("attribution"),
	[FOUND_BY] = FILE("found_by"),
	[CLOSED] = "coalesce(" FILE("closed") ", 0)",
	[USER] = PROCESS("user"),
};

static const struct mw_spool_source source = {
	.is_events = true,
	.from = "events, (SELECT 0 AS half UNION ALL SELECT 1) AS halves",
	.order = "seq, half",
	.where = "kind IN ('file.open', 'file.access', 'file.create', 'file.modify', 'file.delete', 'file.rename',"
		 " 'file.attributes') AND " FILE("found_by") " <> 'call' AND (half = 1 OR kind = 'file.rename')",
	.expressions = expressions,
	.time = TIME,
	.eid = MW_SQL_COLUMNS, /* is not the id as it is there */
	.pid = PID,
};

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	return mw_spool_table_open(scan, &source, ret_state, err);
}

const struct mw_sql_table mw_table_file_events = {
	.name = "file_events",
	.doc = "What happened to the files of file_paths, and who did it, as far as it is known.",
	.source = "spool",
	.example = "SELECT time, action, target_path, exe, attribution FROM file_events ORDER BY time DESC LIMIT 10",
	.columns = columns,
	.open = open_scan,
	.next = mw_spool_table_next,
	.close = mw_spool_table_close,
};

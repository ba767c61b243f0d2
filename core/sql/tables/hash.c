/* Hashes of files, read once for all three; what was read lately and has not changed is not read again. */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "crypto/digest_cache.h"
#include "flag/flag.h"
#include "sql/paths.h"
#include "sql/rows.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	PATH,
	DIRECTORY,
	MD5,
	SHA1,
	SHA256,
	PID_WITH_NAMESPACE,
	MOUNT_NAMESPACE_ID,
};

static const struct mw_sql_column columns[] = {
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_REQUIRED | MW_SQL_LIKE | MW_SQL_SET,
		  "Path; with LIKE, % is any part of one name, %% at the end all below"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_REQUIRED | MW_SQL_ADDITIONAL | MW_SQL_LIKE | MW_SQL_SET,
		       "Folder it is in"},
	[MD5] = {"md5", MW_SQL_TEXT, 0, "MD5 of its contents", "NOCASE"},
	[SHA1] = {"sha1", MW_SQL_TEXT, 0, "SHA-1", "NOCASE"},
	[SHA256] = {"sha256", MW_SQL_TEXT, 0, "SHA-256", "NOCASE"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"Not supported: always 0"},
	[MOUNT_NAMESPACE_ID] = {"mount_namespace_id", MW_SQL_TEXT, MW_SQL_HIDDEN, "Not supported"},
	{0},
};

struct hashing {
	struct mw_sql_paths *paths;
	struct mw_digest_cache *cache;
	unsigned which;
};

/* Folders and the like have no row, as in osquery. */
static int add_hash(const struct hashing *hashing, struct mw_sql_world *world, const char *path, struct mw_rows *rows)
{
	struct mw_digests digests = {0};
	uint64_t bytes;
	char target[PATH_MAX];
	const char *real = realpath(path, target);
	int r = real ? mw_digest_cache_path(hashing->cache, real, NULL,
					    (uint64_t)mw_flag_int(world->flags, MW_FLAG_READ_MAX), hashing->which,
					    &digests, &bytes)
		     : -ENOENT;
	if (r == -EFBIG)
		mw_sql_warn(world, "hash: %s: larger than %llu bytes, not read", path,
			    (unsigned long long)mw_flag_int(world->flags, MW_FLAG_READ_MAX));
	else if (r < 0 && r != -EINVAL && r != -EISDIR && r != -ENOENT)
		mw_sql_warn(world, "hash: %s: %s", path, r == -ESTALE ? "changes while it is read" : strerror(-r));
	if (r == -EINVAL || r == -EISDIR || r == -ENOENT || r == -ENXIO)
		return 0;
	int added = mw_rows_add(rows);
	if (added < 0)
		return added;
	mw_rows_string(rows, PATH, path);
	mw_rows_text(rows, DIRECTORY, path, mw_sql_paths_folder(path));
	mw_rows_int(rows, PID_WITH_NAMESPACE, 0);
	if (r < 0)
		return 0;
	if (*digests.md5)
		mw_rows_string(rows, MD5, digests.md5);
	if (*digests.sha1)
		mw_rows_string(rows, SHA1, digests.sha1);
	if (*digests.sha256)
		mw_rows_string(rows, SHA256, digests.sha256);
	return 0;
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	if (!scan->world->digests)
		scan->world->digests = mw_digest_cache_new();
	struct hashing *hashing = calloc(1, sizeof(*hashing));
	if (!hashing || !scan->world->digests || mw_sql_paths_open(scan, PATH, DIRECTORY, &hashing->paths) < 0) {
		free(hashing);
		return mw_err_set(err, -ENOMEM, "out of memory");
	}
	hashing->cache = scan->world->digests;
	hashing->which = (mw_sql_wants(scan, MD5) ? MW_DIGEST_MD5 : 0u) |
			 (mw_sql_wants(scan, SHA1) ? MW_DIGEST_SHA1 : 0u) |
			 (mw_sql_wants(scan, SHA256) ? MW_DIGEST_SHA256 : 0u);
	*ret_state = hashing;
	return 0;
}

/* One at a time: reading a file may take long, and the rest may not be wanted. */
static int next(void *state, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	const struct hashing *hashing = state;
	int r = 0;
	(void)err;
	for (const char *path; rows->count == 0 && (r = mw_sql_paths_next(hashing->paths, &path)) > 0;)
		if ((r = add_hash(hashing, scan->world, path, rows)) < 0)
			break;
	return r < 0 ? r : 0;
}

static void close_scan(void *state)
{
	struct hashing *hashing = state;
	mw_sql_paths_close(hashing->paths);
	free(hashing);
}

const struct mw_sql_table mw_table_hash = {
	.name = "hash",
	.doc = "MD5, SHA-1 and SHA-256 of files, by path or by the folder they are in.",
	.source = "file system",
	.example = "SELECT path, sha256 FROM hash WHERE path = '/etc/passwd'",
	.columns = columns,
	.open = open_scan,
	.next = next,
	.close = close_scan,
};

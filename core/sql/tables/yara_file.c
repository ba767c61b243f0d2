/* Files looked through by rules of YARA: one row a file, whether a rule matches or not. */

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "flag/flag.h"
#include "sql/paths.h"
#include "sql/place.h"
#include "sql/rows.h"
#include "sql/table.h"
#include "sql/world.h"
#include "sql/yara_rules.h"

enum {
	PATH,
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
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_REQUIRED | MW_SQL_LIKE | MW_SQL_SET,
		  "File to look into; with LIKE, % is any part of one name, %% at the end all below"},
	[MATCHES] = {"matches", MW_SQL_TEXT, 0, "Names of the rules that match, with commas between"},
	[COUNT] = {"count", MW_SQL_INTEGER, 0, "How many there are"},
	[SIG_GROUP] = {"sig_group", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "Group of the configuration's yara.signatures"},
	[SIGFILE] = {"sigfile", MW_SQL_TEXT, MW_SQL_ADDITIONAL,
		     "File of rules; without a folder, below /etc/osquery/yara"},
	[SIGRULE] = {"sigrule", MW_SQL_TEXT, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "Rules as a text"},
	[STRINGS] = {"strings", MW_SQL_TEXT, 0, "What matched: $name:OFFSET, in hexadecimal digits"},
	[TAGS] = {"tags", MW_SQL_TEXT, 0, "Tags of the rules"},
	[SIGURL] = {"sigurl", MW_SQL_TEXT, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN, "Not supported: rules are not fetched"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_ADDITIONAL | MW_SQL_HIDDEN,
				"`= PID`: below the root of that process, by path alone; else 0"},
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

struct looking {
	struct mw_sql_place place;
	struct mw_yara_rules rules;
	struct mw_sql_paths *paths; /* below our own root */
	/* Below that of another process: these alone. */
	const struct mw_sql_constraint *named;
	size_t named_count, at;
};

/* 1 when it was looked through; 0 when not, which was told. */
static int look(struct looking *looking, const char *path, struct mw_yara_found *found)
{
	struct mw_sql_world *world = looking->place.world;
	size_t limit = (size_t)mw_flag_int(world->flags, MW_FLAG_READ_MAX);
	struct stat st;
	MW_AUTO_FD fd = mw_sql_open_file(&looking->place, path, &st);
	MW_AUTO(mw_buf) bytes = MW_BUF(limit);
	/* Of what processes are given in their environment, secrets are not for queries. */
	struct statfs fs;
	bool is_of_proc = fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == PROC_SUPER_MAGIC;
	int r = fd < 0 || is_of_proc ? fd : (uint64_t)st.st_size > limit ? -EFBIG : mw_file_read_fd(fd, &bytes);
	if (is_of_proc)
		mw_sql_warn(world, "yara_file: %s: files of /proc are not looked through", path);
	else if (r == -EFBIG)
		mw_sql_warn(world, "yara_file: %s: larger than %zu bytes (--read_max), not looked through", path,
			    limit);
	else if (r < 0 && r != -EISDIR && r != -EINVAL && r != -ENOENT && r != -ENOTDIR)
		mw_sql_warn(world, "yara_file: %s: %s", path, strerror(-r));
	if (r < 0 || is_of_proc)
		return r == -ENOMEM ? r : 0;
	for (size_t i = 0; i < looking->rules.count; i++) {
		int seconds = mw_yara_seconds(world);
		r = seconds < 0 ? seconds
				: mw_yara_scan(looking->rules.compiled[i], bytes.data ? bytes.data : "", bytes.size,
					       seconds, found);
		bool is_too_slow = r == -ETIME && mw_yara_seconds(world) > 0;
		if (is_too_slow)
			mw_sql_warn(world, "yara_file: %s: not looked through to its end, it takes too long", path);
		else if (r == -EIO)
			mw_sql_warn(world, "yara_file: %s: libyara gave up", path);
		if (r < 0)
			return is_too_slow || r == -EIO ? 0 : r;
	}
	return 1;
}

static int add_file(struct looking *looking, const char *path, struct mw_rows *rows)
{
	struct mw_yara_found found;
	mw_yara_found_init(&found);
	int r = look(looking, path, &found);
	if (r > 0 && (r = mw_rows_add(rows)) == 0) {
		mw_rows_string(rows, PATH, path);
		mw_rows_int(rows, PID_WITH_NAMESPACE, looking->place.pid);
		mw_yara_rules_row(&looking->rules, &yara_columns, &found, rows);
	}
	mw_yara_found_release(&found);
	return r;
}

static void close_scan(void *state)
{
	struct looking *looking = state;
	if (!looking)
		return;
	mw_sql_paths_close(looking->paths);
	mw_yara_rules_release(&looking->rules);
	mw_sql_place_release(&looking->place);
	free(looking);
}

static int open_scan(const struct mw_sql_scan *scan, void **ret_state, struct mw_err *err)
{
	struct looking *looking = calloc(1, sizeof(*looking));
	if (!looking)
		return mw_err_set(err, -ENOMEM, "out of memory");
	int r = mw_sql_place_init(&looking->place, scan, PID_WITH_NAMESPACE);
	if (r == 0)
		r = mw_yara_rules_init(&looking->rules, scan, &yara_columns);
	if (r == 0 && !looking->place.pid)
		r = mw_sql_paths_open(scan, PATH, MW_SQL_COLUMNS, &looking->paths);
	else if (r == 0)
		looking->named = mw_sql_one_of(scan, PATH, &looking->named_count);
	if (r < 0) {
		close_scan(looking);
		return r;
	}
	*ret_state = looking;
	return 0;
}

static int next_path(struct looking *looking, const char **ret_path)
{
	if (looking->paths)
		return mw_sql_paths_next(looking->paths, ret_path);
	if (looking->at == looking->named_count)
		return 0;
	*ret_path = looking->named[looking->at++].text;
	return 1;
}

static int next(void *state, const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct looking *looking = state;
	int r = 0;
	(void)scan;
	(void)err;
	for (const char *path; looking->rules.count && rows->count == 0 && (r = next_path(looking, &path)) > 0;)
		if ((r = add_file(looking, path, rows)) < 0)
			break;
	return r < 0 ? r : 0;
}

const struct mw_sql_table mw_table_yara_file = {
	.name = "yara_file",
	.alias = "yara",
	.doc = "Files looked through by rules of YARA: a row each, also when none matches (count = 0).  Needs libyara when it is "
	       "built and when it runs.",
	.source = "file system, libyara",
	.example =
		"SELECT path, matches FROM yara_file WHERE path = '/usr/bin/sh' AND sigrule = 'rule r { condition: true }'",
	.columns = columns,
	.open = open_scan,
	.next = next,
	.close = close_scan,
};

#include "sql/yara_rules.h"

#include <errno.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "crypto/sha256.h"
#include "spool/reader.h"
#include "spool/state_dir.h"
#include "sql/interrupt.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	RULES_BYTES = 16 << 20,
	INCLUDES = 64, /* in one file, and in those it includes */
	KEPT = 32,
	SECONDS = 60, /* for one file or process */
};

/* Where osquery looks for files that are named without a folder. */
#define FOLDER "/etc/osquery/yara"

struct mw_yara_cache {
	size_t next;
	struct {
		unsigned char key[MW_SHA256_BYTES];
		struct mw_yara *rules;
	} kept[KEPT];
};

void mw_yara_cache_free(struct mw_yara_cache *cache)
{
	for (size_t i = 0; cache && i < KEPT; i++)
		mw_yara_unref(cache->kept[i].rules);
	free(cache);
}

static struct mw_yara *find(const struct mw_yara_cache *cache, const unsigned char key[MW_SHA256_BYTES])
{
	for (size_t i = 0; cache && i < KEPT; i++)
		if (cache->kept[i].rules && memcmp(cache->kept[i].key, key, MW_SHA256_BYTES) == 0)
			return mw_yara_ref(cache->kept[i].rules);
	return NULL;
}

static void keep(struct mw_sql_world *world, const unsigned char key[MW_SHA256_BYTES], struct mw_yara *rules)
{
	if (!world->yara)
		world->yara = calloc(1, sizeof(*world->yara));
	if (!world->yara)
		return;
	size_t at = world->yara->next++ % KEPT;
	mw_yara_unref(world->yara->kept[at].rules);
	world->yara->kept[at].rules = mw_yara_ref(rules);
	memcpy(world->yara->kept[at].key, key, MW_SHA256_BYTES);
}

struct including {
	const struct mw_sql_place *place;
	const char *folder;
	unsigned count;
	char *paths[INCLUDES];
};

static bool is_included(const struct including *including, const char *path)
{
	for (unsigned i = 0; i < including->count; i++)
		if (strcmp(including->paths[i], path) == 0)
			return true;
	return false;
}

/* Names are those of files beside the one that the query named.  Each once: rules cannot be there twice, and where files include each
 * other libyara loses memory. */
static char *include(void *data, const char *name)
{
	struct including *including = data;
	char path[MW_PATH_BYTES];
	struct mw_buf text = MW_BUF(RULES_BYTES);
	bool is_named = *name == '/' ? (size_t)snprintf(path, sizeof(path), "%s", name) < sizeof(path)
				     : mw_sql_join(path, including->folder, name);
	char *copy = NULL;
	if (is_named && including->count < INCLUDES && !is_included(including, path) && (copy = strdup(path)))
		including->paths[including->count++] = copy;
	if (!copy || mw_sql_read_file(including->place, path, &text) < 0 ||
	    (text.data && memchr(text.data, '\0', text.size))) {
		mw_buf_release(&text);
		return NULL;
	}
	return text.data ? text.data : calloc(1, 1);
}

static int add(struct mw_yara_rules *rules, struct mw_yara *compiled)
{
	if (rules->count == MW_YARA_FILES) {
		mw_yara_unref(compiled);
		return -ENOBUFS;
	}
	rules->compiled[rules->count++] = compiled;
	return 0;
}

/* `name` is for warnings; with a place it is a path, and its text may include others. */
static int compile(struct mw_yara_rules *rules, const struct mw_sql_scan *scan, const struct mw_sql_place *place,
		   const char *name, const char *text, size_t bytes)
{
	unsigned char key[MW_SHA256_BYTES];
	mw_sha256(text, bytes, key);
	struct mw_yara *compiled = find(scan->world->yara, key);
	if (compiled)
		return add(rules, compiled);
	char folder[MW_PATH_BYTES];
	(void)snprintf(folder, sizeof(folder), "%s", name);
	char *slash = strrchr(folder, '/');
	if (slash)
		slash[slash == folder] = '\0';
	struct including including = {.place = place, .folder = folder};
	struct mw_err err;
	int r = mw_yara_compile(
		&(struct mw_yara_text){
			.text = text, .bytes = bytes, .include = place ? include : NULL, .data = &including},
		&compiled, &err);
	bool includes = including.count > 0;
	while (including.count)
		free(including.paths[--including.count]);
	if (r == -ENOMEM)
		return r;
	if (r == -ENOSYS)
		mw_sql_warn(scan->world, "%s: %s; there are no rows", scan->table->name, err.text);
	else if (r < 0)
		mw_sql_warn(scan->world, "%s: %s: %s", scan->table->name, name, err.text);
	if (r < 0)
		return 0;
	if (!includes) /* those may change */
		keep(scan->world, key, compiled);
	return add(rules, compiled);
}

static int compile_file(struct mw_yara_rules *rules, const struct mw_sql_scan *scan, const char *file)
{
	struct mw_sql_place place = {.world = scan->world, .rootfd = scan->world->rootfd};
	char path[MW_PATH_BYTES];
	MW_AUTO(mw_buf) text = MW_BUF(RULES_BYTES);
	bool is_named = *file == '/' ? (size_t)snprintf(path, sizeof(path), "%s", file) < sizeof(path)
				     : mw_sql_join(path, FOLDER, file);
	int r = is_named ? mw_sql_read_file(&place, path, &text) : -ENAMETOOLONG;
	if (r == -ENOENT || r == -ENOTDIR || r == -EISDIR || r == -ENAMETOOLONG)
		mw_sql_warn(scan->world, "%s: %s: %s", scan->table->name, is_named ? path : file, strerror(-r));
	if (r < 0) /* of the rest it was told */
		return 0;
	return compile(rules, scan, &place, path, text.data ? text.data : "", text.size);
}

/* Files of a group: `yara.signatures` of the configuration, as the sensor holds it (schedule_tables.lua). */
static int compile_group(struct mw_yara_rules *rules, const struct mw_sql_scan *scan, const char *group)
{
	char dir[MW_PATH_BYTES];
	struct mw_err err;
	struct sqlite3 *db = NULL;
	sqlite3_stmt *query = NULL;
	bool is_known = false;
	int r = mw_state_dir_find(scan->world->state_dir, dir, &err);
	if (r == 0)
		r = mw_spool_reader_open(dir, &db, NULL, &err);
	if (r == 0 &&
	    sqlite3_prepare_v2(db,
			       "SELECT file.value FROM documents, json_each(body, '$.yara.signatures') AS one,"
			       " json_each(one.value) AS file WHERE name = 'schedule' AND one.key = ?1",
			       -1, &query, NULL) == SQLITE_OK)
		(void)sqlite3_bind_text(query, 1, group, -1, SQLITE_STATIC);
	for (r = 0; r == 0 && query && sqlite3_step(query) == SQLITE_ROW; is_known = true) {
		const char *file = (const char *)sqlite3_column_text(query, 0);
		r = file ? compile_file(rules, scan, file) : -ENOMEM;
	}
	(void)sqlite3_finalize(query);
	(void)sqlite3_close(db);
	if (!is_known)
		mw_sql_warn(scan->world, "%s: no configuration of a sensor here has signatures of a group '%s'",
			    scan->table->name, group);
	return r;
}

static const char *text_of(const struct mw_sql_scan *scan, unsigned column)
{
	const struct mw_sql_constraint *constraint = mw_sql_equal(scan, column);
	return constraint ? constraint->text : NULL;
}

int mw_yara_rules_init(struct mw_yara_rules *rules, const struct mw_sql_scan *scan,
		       const struct mw_yara_columns *columns)
{
	*rules = (struct mw_yara_rules){
		.group = text_of(scan, columns->group),
		.file = text_of(scan, columns->file),
		.rule = text_of(scan, columns->rule),
	};
	int r = 0;
	if (text_of(scan, columns->url))
		mw_sql_warn(scan->world,
			    "%s: rules are not fetched from elsewhere (sigurl); give sigfile, sigrule or sig_group",
			    scan->table->name);
	else if (!rules->group && !rules->file && !rules->rule)
		mw_sql_warn(scan->world,
			    "%s: say which rules: WHERE … AND sigfile = …, or sigrule = …, or sig_group = …",
			    scan->table->name);
	else if (rules->rule)
		r = compile(rules, scan, NULL, "sigrule", rules->rule, strlen(rules->rule));
	if (r == 0 && rules->file)
		r = compile_file(rules, scan, rules->file);
	if (r == 0 && rules->group)
		r = compile_group(rules, scan, rules->group);
	if (r == -ENOBUFS) {
		mw_sql_warn(scan->world, "%s: only the first %zu files of rules are used", scan->table->name,
			    rules->count);
		r = 0;
	}
	if (r < 0)
		mw_yara_rules_release(rules);
	return r;
}

void mw_yara_rules_release(struct mw_yara_rules *rules)
{
	while (rules->count)
		mw_yara_unref(rules->compiled[--rules->count]);
}

int mw_yara_seconds(const struct mw_sql_world *world)
{
	int64_t left = world->deadline_ns == INT64_MAX ? INT64_MAX : world->deadline_ns - mw_clock_mono_ns();
	if (left <= 0 || mw_sql_is_interrupted())
		return -ETIME;
	int64_t seconds = left / MW_NS_PER_S + 1;
	return seconds < SECONDS ? (int)seconds : SECONDS;
}

static void set(struct mw_rows *rows, unsigned column, const char *text)
{
	mw_rows_string(rows, column, text ? text : "");
}

void mw_yara_rules_row(const struct mw_yara_rules *rules, const struct mw_yara_columns *columns,
		       const struct mw_yara_found *found, struct mw_rows *rows)
{
	set(rows, columns->matches, found->rules.data);
	mw_rows_int(rows, columns->count, found->count);
	set(rows, columns->strings, found->strings.data);
	set(rows, columns->tags, found->tags.data);
	set(rows, columns->group, rules->group);
	set(rows, columns->file, rules->file);
	set(rows, columns->rule, rules->rule);
	set(rows, columns->url, NULL);
}

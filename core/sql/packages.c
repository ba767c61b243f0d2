#include "sql/packages.h"

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "pkg/cache.h"
#include "pkg/walk.h"
#include "spool/state_dir.h"
#include "sql/interrupt.h"
#include "sql/rows.h"
#include "sql/world.h"

/* Between two times that what walks remember is written. */
#define SAVE_NS (600 * (int64_t)MW_NS_PER_S)

static int emit(void *data, const struct mw_package *package)
{
	struct mw_sql_packages *packages = data;
	struct mw_rows *rows = packages->rows;
	int r = mw_rows_add(rows);
	if (r == 0) {
		packages->fill(packages, package);
		if (rows->texts.failed) { /* the row is not whole */
			mw_rows_undo(rows);
			rows->texts.failed = false;
			r = -ENOBUFS;
		}
	}
	packages->is_full |= r == -ENOBUFS;
	return r;
}

int mw_sql_packages_end(const struct mw_sql_packages *packages, int result)
{
	if (result != -ENOBUFS || !packages->is_full)
		return result;
	mw_sql_warn(packages->scan->world, "%s: only the first %zu rows; constrain the query",
		    packages->scan->table->name, packages->rows->count);
	return 0;
}

static void warn(void *data, const char *line)
{
	const struct mw_sql_packages *packages = data;
	mw_sql_warn(packages->scan->world, "%s: %s", packages->scan->table->name, line);
}

struct mw_package_sink mw_sql_packages_sink(struct mw_sql_packages *packages)
{
	int64_t deadline_ns = packages->scan->world->deadline_ns;
	int64_t now_ns = mw_clock_mono_ns();
	if (deadline_ns != INT64_MAX && deadline_ns > now_ns)
		deadline_ns = now_ns + (deadline_ns - now_ns) / 10 * 8;
	return (struct mw_package_sink){
		.emit = emit,
		.warn = warn,
		.data = packages,
		.deadline_ns = deadline_ns,
		.is_unwanted = mw_sql_is_interrupted,
	};
}

/* Without slashes at its end. */
static bool is_folder(const struct mw_sql_constraint *directory, char ret_path[MW_PATH_BYTES])
{
	size_t n = directory->bytes;
	while (n > 1 && directory->text[n - 1] == '/')
		n--;
	if (n == 0 || n >= MW_PATH_BYTES || directory->text[0] != '/')
		return false;
	memcpy(ret_path, directory->text, n);
	ret_path[n] = '\0';
	return true;
}

static void load_cache(struct mw_sql_world *world)
{
	char dir[MW_PATH_BYTES];
	if (mw_state_dir_find(world->state_dir, dir, NULL) == 0)
		mw_package_cache_load(world->packages, dir, world->rootfd);
}

static void save_cache(struct mw_sql_world *world)
{
	char dir[MW_PATH_BYTES];
	world->packages_saved_ns = mw_clock_mono_ns();
	if (mw_state_dir_find(world->state_dir, dir, NULL) == 0)
		mw_package_cache_save(world->packages, dir, world->rootfd);
}

void mw_sql_packages_release(struct mw_sql_world *world)
{
	if (world->packages)
		save_cache(world);
	mw_package_walk_free(world->packages);
	world->packages = NULL;
}

static int walk_from(struct mw_sql_packages *packages, enum mw_package_kind kind, const char *start, unsigned depth)
{
	struct mw_sql_world *world = packages->scan->world;
	if (!world->packages) {
		int r = mw_package_walk_new(&world->packages);
		if (r < 0)
			return r;
		load_cache(world);
	}
	const struct mw_package_walk_options options = {
		.rootfd = world->rootfd,
		.start = start,
		.depth = depth,
		.kinds = 1U << kind,
		/* Of a join that asks again and again, once is enough. */
		.since_ns = world->began_ns,
	};
	struct mw_package_sink sink = mw_sql_packages_sink(packages);
	int r = mw_package_walk_find(world->packages, &options, &sink);
	/* A sensor does not always come to its end. */
	if (r == 0 && (!world->packages_saved_ns || mw_clock_mono_ns() - world->packages_saved_ns > SAVE_NS))
		save_cache(world);
	return mw_sql_packages_end(packages, r);
}

int mw_sql_packages_walk(struct mw_sql_packages *packages, enum mw_package_kind kind, unsigned directory,
			 unsigned depth)
{
	const struct mw_sql_constraint *only = mw_sql_equal(packages->scan, directory);
	char start[MW_PATH_BYTES] = "/";
	if (only && !is_folder(only, start))
		return 0;
	if (only && packages->below) {
		size_t n = strcmp(start, "/") == 0 ? 0 : strlen(start);
		if (n + strlen(packages->below) >= sizeof(start))
			return 0;
		memcpy(start + n, packages->below, strlen(packages->below) + 1);
	}
	return walk_from(packages, kind, start, only ? depth : 0);
}

/* The folder that all paths are in which fit a constraint; false when it says nothing of that. */
static bool folder_of(const struct mw_sql_constraint *constraint, char ret_path[MW_PATH_BYTES])
{
	const char *text = constraint->text;
	if (constraint->is_integer || *text != '/')
		return false;
	const char *end = text + strlen(text);
	if (constraint->op == MW_SQL_MATCH_LIKE)
		end = text + strcspn(text, "%_");
	else if (constraint->op == MW_SQL_MATCH_GLOB)
		end = text + strcspn(text, "*?[");
	const char *inside = strstr(text, "!/");
	if (inside && inside < end)
		end = inside;
	while (end > text && *end != '/')
		end--;
	size_t n = end > text ? (size_t)(end - text) : 1;
	if (n >= MW_PATH_BYTES)
		return false;
	memcpy(ret_path, text, n);
	ret_path[n] = '\0';
	return true;
}

static int walk_files(struct mw_sql_packages *packages)
{
	const struct mw_sql_scan *scan = packages->scan;
	const struct mw_sql_package_files *files = packages->files;
	char start[MW_PATH_BYTES];
	if (mw_sql_equal(scan, files->directory))
		return mw_sql_packages_walk(packages, files->kind, files->directory, 1);
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		const struct mw_sql_constraint *constraint = &scan->constraints[i];
		if (constraint->column != files->path || !folder_of(constraint, start))
			continue;
		return walk_from(packages, files->kind, start, constraint->op == MW_SQL_EQ ? 1 : 0);
	}
	return walk_from(packages, files->kind, "/", 0);
}

_Static_assert(MW_PACKAGE_TEXT(name) > 0, "0 is no text");

static void fill_file(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	const struct mw_sql_package_files *files = packages->files;
	struct mw_rows *rows = packages->rows;
	for (unsigned i = 0; packages->scan->table->columns[i].name; i++) {
		if (i == files->directory)
			mw_sql_packages_directory(packages, i, package->directory);
		else if (i == files->uid)
			mw_rows_int(rows, i, package->uid);
		else if (files->texts[i])
			mw_sql_packages_text(rows, i, *(const char *const *)((const char *)package + files->texts[i]));
	}
	if (files->more)
		files->more(rows, package);
}

int mw_sql_package_files(const struct mw_sql_scan *scan, const struct mw_sql_package_files *files, struct mw_rows *rows)
{
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_file, .files = files};
	return walk_files(&packages);
}

void mw_sql_packages_directory(const struct mw_sql_packages *packages, unsigned column, const char *directory)
{
	char path[MW_PATH_BYTES];
	const struct mw_sql_constraint *given = mw_sql_equal(packages->scan, column);
	bool is_given = given && directory && is_folder(given, path) && strcmp(path, directory) == 0;
	mw_sql_packages_text(packages->rows, column, is_given ? given->text : directory);
}

void mw_sql_packages_text(struct mw_rows *rows, unsigned column, const char *text)
{
	mw_rows_string(rows, column, text ? text : "");
}

/* Packages of Node.js, wherever there is a folder node_modules; what `npm ls --all` lists. */

#include <string.h>

#include "sql/packages.h"

enum {
	NAME,
	VERSION,
	DESCRIPTION,
	AUTHOR,
	LICENSE,
	HOMEPAGE,
	PATH,
	DIRECTORY,
	DEPTH,
	MAX_DEPTH,
	PID_WITH_NAMESPACE,
	MOUNT_NAMESPACE_ID,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name, with its scope"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version", "version"},
	[DESCRIPTION] = {"description", MW_SQL_TEXT, 0, "What it is, in a line"},
	[AUTHOR] = {"author", MW_SQL_TEXT, 0, "Name of the author"},
	[LICENSE] = {"license", MW_SQL_TEXT, 0, "License"},
	[HOMEPAGE] = {"homepage", MW_SQL_TEXT, 0, "Web page"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Its package.json"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_INDEX, "Folder that has the outermost node_modules"},
	[DEPTH] = {"depth", MW_SQL_INTEGER, 0, "0 in that node_modules, 1 in one of a package in it, and so on"},
	[MAX_DEPTH] = {"max_depth", MW_SQL_INTEGER, MW_SQL_HIDDEN | MW_SQL_ADDITIONAL, "Largest depth that is wanted"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_HIDDEN | MW_SQL_ADDITIONAL, "Always 0"},
	[MOUNT_NAMESPACE_ID] = {"mount_namespace_id", MW_SQL_TEXT, MW_SQL_HIDDEN, "Always empty"},
	{0},
};

/* Below a folder that was asked for, depth counts from there: it may be within a node_modules itself. */
static int depth_below(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	static const char modules[] = "/node_modules/";
	const struct mw_sql_constraint *given = mw_sql_equal(packages->scan, DIRECTORY);
	size_t n = given ? given->bytes : 0;
	while (n && given->text[n - 1] == '/')
		n--;
	if (!given || strncmp(package->path, given->text, n) != 0 ||
	    strncmp(package->path + n, modules, sizeof(modules) - 1) != 0)
		return -1;
	int depth = 0;
	for (const char *at = package->path + n + 1; (at = strstr(at, modules)); at++)
		depth++;
	return depth;
}

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	const struct mw_sql_constraint *max = mw_sql_equal(packages->scan, MAX_DEPTH);
	int below = depth_below(packages, package);
	int depth = below < 0 ? package->depth : below;
	if (max && depth > max->integer) {
		mw_rows_undo(rows);
		return;
	}
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, DESCRIPTION, package->summary);
	mw_sql_packages_text(rows, AUTHOR, package->author);
	mw_sql_packages_text(rows, LICENSE, package->license);
	mw_sql_packages_text(rows, HOMEPAGE, package->homepage);
	mw_sql_packages_text(rows, PATH, package->path);
	if (below < 0)
		mw_sql_packages_text(rows, DIRECTORY, package->directory);
	else
		mw_rows_string(rows, DIRECTORY, mw_sql_equal(packages->scan, DIRECTORY)->text);
	mw_rows_int(rows, DEPTH, depth);
	if (max)
		mw_rows_int(rows, MAX_DEPTH, max->integer);
	mw_rows_int(rows, PID_WITH_NAMESPACE, 0);
	mw_rows_string(rows, MOUNT_NAMESPACE_ID, "");
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row, .below = "/node_modules"};
	return mw_sql_packages_walk(&packages, MW_PACKAGE_NPM, DIRECTORY, 0);
}

const struct mw_sql_table mw_table_npm_packages = {
	.name = "npm_packages",
	.doc = "Packages of Node.js.",
	.source = "package.json below node_modules, wherever that is",
	.example = "SELECT name, version, path FROM npm_packages WHERE directory = '/usr/lib'",
	.columns = columns,
	.fill = fill,
};

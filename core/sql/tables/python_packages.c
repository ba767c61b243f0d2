/* Packages of Python, of every site-packages and virtual environment; what `pip list` lists of one. */

#include "sql/packages.h"

enum {
	NAME,
	USER, /* uid */
	VERSION,
	SUMMARY,
	AUTHOR,
	LICENSE,
	PATH,
	DIRECTORY,
	PID_WITH_NAMESPACE,
};

enum {
	/* Below site-packages: NAME.dist-info, and NAME.egg/EGG-INFO. */
	DEPTH = 2,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name"},
	[USER] = {"uid", MW_SQL_BIGINT, MW_SQL_INDEX, "Owner of the package's files"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version", "version"},
	[SUMMARY] = {"summary", MW_SQL_TEXT, 0, "What it is, in a line"},
	[AUTHOR] = {"author", MW_SQL_TEXT, 0, "Author, by name or else by address"},
	[LICENSE] = {"license", MW_SQL_TEXT, 0, "License"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Folder or file with what is known of it: *.dist-info, *.egg-info"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_INDEX, "Folder that is in, as site-packages"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_HIDDEN | MW_SQL_ADDITIONAL, "Always 0"},
	{0},
};

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_rows_int(rows, USER, package->uid);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, SUMMARY, package->summary);
	mw_sql_packages_text(rows, AUTHOR, package->author);
	mw_sql_packages_text(rows, LICENSE, package->license);
	mw_sql_packages_text(rows, PATH, package->path);
	mw_sql_packages_directory(packages, DIRECTORY, package->directory);
	mw_rows_int(rows, PID_WITH_NAMESPACE, 0);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	return mw_sql_packages_walk(&packages, MW_PACKAGE_PYTHON, DIRECTORY, DEPTH);
}

const struct mw_sql_table mw_table_python_packages = {
	.name = "python_packages",
	.doc = "Packages of Python.",
	.source = "*.dist-info/METADATA, *.egg-info, wherever they are",
	.example = "SELECT name, version FROM python_packages WHERE directory = '/usr/lib/python3/dist-packages'",
	.columns = columns,
	.fill = fill,
};

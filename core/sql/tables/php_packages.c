/* Packages of PHP that Composer installed; what `composer show` lists. */

#include "sql/packages.h"

enum {
	NAME,
	VERSION,
	TYPE,
	DESCRIPTION,
	AUTHOR,
	LICENSE,
	HOMEPAGE,
	SOURCE,
	PATH,
	DIRECTORY,
	USER, /* uid */
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name, as vendor/package"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version, as its maker writes it"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "library, metapackage, composer-plugin, …"},
	[DESCRIPTION] = {"description", MW_SQL_TEXT, 0, "What it is, in a line"},
	[AUTHOR] = {"author", MW_SQL_TEXT, 0, "Authors, with commas between"},
	[LICENSE] = {"license", MW_SQL_TEXT, 0, "Licenses, with commas between"},
	[HOMEPAGE] = {"homepage", MW_SQL_TEXT, 0, "Web page"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "Repository its source is in"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "The installed.json that has it"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_INDEX, "Folder packages are in, as vendor"},
	[USER] = {"uid", MW_SQL_BIGINT, 0, "Owner of the installed.json"},
	{0},
};

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, TYPE, package->group);
	mw_sql_packages_text(rows, DESCRIPTION, package->summary);
	mw_sql_packages_text(rows, AUTHOR, package->author);
	mw_sql_packages_text(rows, LICENSE, package->license);
	mw_sql_packages_text(rows, HOMEPAGE, package->homepage);
	mw_sql_packages_text(rows, SOURCE, package->source);
	mw_sql_packages_text(rows, PATH, package->path);
	mw_sql_packages_directory(packages, DIRECTORY, package->directory);
	mw_rows_int(rows, USER, package->uid);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	return mw_sql_packages_walk(&packages, MW_PACKAGE_COMPOSER, DIRECTORY, 1);
}

const struct mw_sql_table mw_table_php_packages = {
	.name = "php_packages",
	.doc = "Packages of PHP that Composer installed.",
	.source = "composer/installed.json, of Composer 1 and 2, wherever it is",
	.example = "SELECT name, version, license FROM php_packages WHERE directory = '/app/vendor'",
	.columns = columns,
	.fill = fill,
};

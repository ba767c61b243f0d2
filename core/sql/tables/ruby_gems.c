/* Packages of Ruby, of every place RubyGems or Bundler installed into; what `gem list` lists of its own. */

#include "sql/packages.h"

enum {
	NAME,
	VERSION,
	PLATFORM,
	SUMMARY,
	AUTHOR,
	LICENSE,
	HOMEPAGE,
	PATH,
	DIRECTORY,
	USER, /* uid */
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version"},
	[PLATFORM] = {"platform", MW_SQL_TEXT, 0, "ruby, or what it was compiled for"},
	[SUMMARY] = {"summary", MW_SQL_TEXT, 0, "What it is, in a line"},
	[AUTHOR] = {"author", MW_SQL_TEXT, 0, "Authors, with commas between"},
	[LICENSE] = {"license", MW_SQL_TEXT, 0, "Licenses, with commas between"},
	[HOMEPAGE] = {"homepage", MW_SQL_TEXT, 0, "Web page"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Its gemspec"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_INDEX,
		       "Folder that is in: specifications, or specifications/default for those that come with Ruby"},
	[USER] = {"uid", MW_SQL_BIGINT, 0, "Owner of the gemspec"},
	{0},
};

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, PLATFORM, package->arch);
	mw_sql_packages_text(rows, SUMMARY, package->summary);
	mw_sql_packages_text(rows, AUTHOR, package->author);
	mw_sql_packages_text(rows, LICENSE, package->license);
	mw_sql_packages_text(rows, HOMEPAGE, package->homepage);
	mw_sql_packages_text(rows, PATH, package->path);
	mw_sql_packages_directory(packages, DIRECTORY, package->directory);
	mw_rows_int(rows, USER, package->uid);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	return mw_sql_packages_walk(&packages, MW_PACKAGE_GEM, DIRECTORY, 1);
}

const struct mw_sql_table mw_table_ruby_gems = {
	.name = "ruby_gems",
	.doc = "Packages of Ruby.",
	.source = "*.gemspec in folders specifications, wherever they are",
	.example =
		"SELECT name, version, platform FROM ruby_gems WHERE directory = '/var/lib/gems/3.1.0/specifications'",
	.columns = columns,
	.fill = fill,
};

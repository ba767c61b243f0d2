#include "pkg/pkg.h"
#include "sql/packages.h"

enum {
	NAME,
	VERSION,
	CHECKSUM,
	SCOPE,
	REPLACES,
	MAIN,
	GO_VERSION,
	SETTINGS,
	PATH,
	DIRECTORY,
	UID,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Path of the module; stdlib for Go's own library"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version, as v1.2.3; (devel) of a module built from its source tree"},
	[CHECKSUM] = {"checksum", MW_SQL_TEXT, 0, "Its sum, as in go.sum"},
	[SCOPE] = {"scope", MW_SQL_TEXT, 0, "main, dependency or toolchain"},
	[REPLACES] = {"replaces", MW_SQL_TEXT, 0, "Module in whose place it was built in, as PATH@VERSION"},
	[MAIN] = {"main", MW_SQL_TEXT, 0, "Path of the program's main package"},
	[GO_VERSION] = {"go_version", MW_SQL_TEXT, 0, "Go that built it, as go1.22.1"},
	[SETTINGS] = {"settings", MW_SQL_TEXT, 0, "How it was built, KEY=VALUE a line; of the main module alone"},
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_LIKE, "Program it is in"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_INDEX, "Folder of the program"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Owner of the program's file"},
	{0},
};

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, CHECKSUM, package->hash);
	mw_sql_packages_text(rows, SCOPE, package->scope);
	mw_sql_packages_text(rows, REPLACES, package->replaces);
	mw_sql_packages_text(rows, MAIN, package->group);
	mw_sql_packages_text(rows, GO_VERSION, package->compiler);
	mw_sql_packages_text(rows, SETTINGS, package->settings);
	mw_sql_packages_text(rows, PATH, package->path);
	mw_sql_packages_directory(packages, DIRECTORY, package->directory);
	mw_rows_int(rows, UID, package->uid);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	return mw_sql_packages_walk_files(&packages, MW_PACKAGE_GO, DIRECTORY, PATH);
}

const struct mw_sql_table mw_table_go_packages = {
	.name = "go_packages",
	.doc = "Modules that Go programs were built from.",
	.source = "build information in ELF files",
	.example = "SELECT name, version, path FROM go_packages WHERE scope = 'dependency'",
	.columns = columns,
	.fill = fill,
};

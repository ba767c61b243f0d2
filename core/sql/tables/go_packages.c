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

static const struct mw_sql_package_files files = {
	.kind = MW_PACKAGE_GO,
	.path = PATH,
	.directory = DIRECTORY,
	.uid = UID,
	.texts =
		{
			[NAME] = MW_PACKAGE_TEXT(name),
			[VERSION] = MW_PACKAGE_TEXT(version),
			[CHECKSUM] = MW_PACKAGE_TEXT(hash),
			[SCOPE] = MW_PACKAGE_TEXT(scope),
			[REPLACES] = MW_PACKAGE_TEXT(replaces),
			[MAIN] = MW_PACKAGE_TEXT(group),
			[GO_VERSION] = MW_PACKAGE_TEXT(compiler),
			[SETTINGS] = MW_PACKAGE_TEXT(settings),
			[PATH] = MW_PACKAGE_TEXT(path),
		},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_package_files(scan, &files, rows);
}

const struct mw_sql_table mw_table_go_packages = {
	.name = "go_packages",
	.doc = "Modules that Go programs were built from.",
	.source = "build information in ELF files",
	.example = "SELECT name, version, path FROM go_packages WHERE scope = 'dependency'",
	.columns = columns,
	.fill = fill,
};

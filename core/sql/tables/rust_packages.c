#include "pkg/pkg.h"
#include "sql/packages.h"

enum {
	NAME,
	VERSION,
	SOURCE,
	KIND,
	ROOT,
	PATH,
	DIRECTORY,
	UID,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the crate"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "Where it came from: crates.io, git, local, registry"},
	[KIND] = {"kind", MW_SQL_TEXT, 0, "runtime, or build for what only its making took"},
	[ROOT] = {"root", MW_SQL_INTEGER, 0, "1 for the crate the program was made of, else 0"},
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_LIKE, "Program it is in"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_INDEX, "Folder of the program"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Owner of the program's file"},
	{0},
};

static void add_more(struct mw_rows *rows, const struct mw_package *package)
{
	mw_rows_int(rows, ROOT, package->is_root);
}

static const struct mw_sql_package_files files = {
	.kind = MW_PACKAGE_RUST,
	.path = PATH,
	.directory = DIRECTORY,
	.uid = UID,
	.more = add_more,
	.texts =
		{
			[NAME] = MW_PACKAGE_TEXT(name),
			[VERSION] = MW_PACKAGE_TEXT(version),
			[SOURCE] = MW_PACKAGE_TEXT(source),
			[KIND] = MW_PACKAGE_TEXT(scope),
			[PATH] = MW_PACKAGE_TEXT(path),
		},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_package_files(scan, &files, rows);
}

const struct mw_sql_table mw_table_rust_packages = {
	.name = "rust_packages",
	.doc = "Crates that Rust programs were built from, where cargo-auditable tells.",
	.source = "section .dep-v0 of ELF files",
	.example = "SELECT name, version, path FROM rust_packages WHERE kind = 'runtime'",
	.columns = columns,
	.fill = fill,
};

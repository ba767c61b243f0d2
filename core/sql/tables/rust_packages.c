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

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, SOURCE, package->source);
	mw_sql_packages_text(rows, KIND, package->scope);
	mw_rows_int(rows, ROOT, package->is_root);
	mw_sql_packages_text(rows, PATH, package->path);
	mw_sql_packages_directory(packages, DIRECTORY, package->directory);
	mw_rows_int(rows, UID, package->uid);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	return mw_sql_packages_walk_files(&packages, MW_PACKAGE_RUST, DIRECTORY, PATH);
}

const struct mw_sql_table mw_table_rust_packages = {
	.name = "rust_packages",
	.doc = "Crates that Rust programs were built from, where cargo-auditable tells.",
	.source = "section .dep-v0 of ELF files",
	.example = "SELECT name, version, path FROM rust_packages WHERE kind = 'runtime'",
	.columns = columns,
	.fill = fill,
};

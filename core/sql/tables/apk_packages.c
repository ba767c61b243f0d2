/* Packages that apk installed; what `apk info -v` lists. */

#include "pkg/apk.h"
#include "sql/packages.h"
#include "sql/world.h"

enum {
	NAME,
	VERSION,
	ARCH,
	SOURCE,
	SIZE,
	LICENSE,
	DESCRIPTION,
	HOMEPAGE,
	MAINTAINER,
	BUILD_TIME,
	CHECKSUM,
	PATH,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the package"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version, with Alpine's revision (-rN)"},
	[ARCH] = {"arch", MW_SQL_TEXT, 0, "Architecture"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "Package it was built with (origin)"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Bytes installed; NULL when it is not known"},
	[LICENSE] = {"license", MW_SQL_TEXT, 0, "License, an SPDX expression"},
	[DESCRIPTION] = {"description", MW_SQL_TEXT, 0, "What it is, in a line"},
	[HOMEPAGE] = {"homepage", MW_SQL_TEXT, 0, "Web page"},
	[MAINTAINER] = {"maintainer", MW_SQL_TEXT, 0, "Who looks after the package"},
	[BUILD_TIME] = {"build_time", MW_SQL_BIGINT, 0, "When it was built, in seconds since 1970"},
	[CHECKSUM] = {"checksum", MW_SQL_TEXT, 0, "Q1 and the SHA-1 of the package's control part in base64"},
	[PATH] = {"path", MW_SQL_TEXT, 0, "Database it is in"},
	{0},
};

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, ARCH, package->arch);
	mw_sql_packages_text(rows, SOURCE, package->source);
	if (package->has_size)
		mw_rows_int(rows, SIZE, package->size);
	mw_sql_packages_text(rows, LICENSE, package->license);
	mw_sql_packages_text(rows, DESCRIPTION, package->summary);
	mw_sql_packages_text(rows, HOMEPAGE, package->homepage);
	mw_sql_packages_text(rows, MAINTAINER, package->maintainer);
	mw_rows_int(rows, BUILD_TIME, package->build_time);
	mw_sql_packages_text(rows, CHECKSUM, package->hash);
	mw_sql_packages_text(rows, PATH, package->path);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	struct mw_package_sink sink = mw_sql_packages_sink(&packages);
	return mw_sql_packages_end(&packages, mw_apk_read(scan->world->rootfd, &sink));
}

const struct mw_sql_table mw_table_apk_packages = {
	.name = "apk_packages",
	.doc = "Packages of Alpine and its relatives.",
	.source = "/lib/apk/db/installed, /usr/lib/apk/db/installed",
	.example = "SELECT name, version, license FROM apk_packages",
	.columns = columns,
	.fill = fill,
};

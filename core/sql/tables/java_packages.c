#include "pkg/pkg.h"
#include "sql/packages.h"

enum {
	NAME,
	VERSION,
	GROUP_ID,
	LICENSE,
	VENDOR,
	TITLE,
	DEPTH,
	PATH,
	DIRECTORY,
	UID,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Artifact id; without pom.properties the file's name before its version"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version"},
	[GROUP_ID] = {"group_id", MW_SQL_TEXT, 0, "Group id, as org.apache.commons; empty when nothing tells"},
	[LICENSE] = {"license", MW_SQL_TEXT, 0, "Bundle-License of the manifest"},
	[VENDOR] = {"vendor", MW_SQL_TEXT, 0, "Implementation-Vendor or Bundle-Vendor of the manifest"},
	[TITLE] = {"title", MW_SQL_TEXT, 0, "What the manifest calls an archive that has no pom.properties"},
	[DEPTH] = {"depth", MW_SQL_INTEGER, 0, "How many archives it is inside of"},
	[PATH] = {"path", MW_SQL_TEXT, MW_SQL_INDEX | MW_SQL_LIKE, "Archive it is in: /srv/a.war!/WEB-INF/lib/b.jar"},
	[DIRECTORY] = {"directory", MW_SQL_TEXT, MW_SQL_INDEX, "Folder of the outermost archive"},
	[UID] = {"uid", MW_SQL_BIGINT, 0, "Owner of that archive"},
	{0},
};

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, GROUP_ID, package->group);
	mw_sql_packages_text(rows, LICENSE, package->license);
	mw_sql_packages_text(rows, VENDOR, package->vendor);
	mw_sql_packages_text(rows, TITLE, package->summary);
	mw_rows_int(rows, DEPTH, package->depth);
	mw_sql_packages_text(rows, PATH, package->path);
	mw_sql_packages_directory(packages, DIRECTORY, package->directory);
	mw_rows_int(rows, UID, package->uid);
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	return mw_sql_packages_walk_files(&packages, MW_PACKAGE_JAVA, DIRECTORY, PATH);
}

const struct mw_sql_table mw_table_java_packages = {
	.name = "java_packages",
	.doc = "Packages in Java archives (jar, war, ear), and in archives inside of those.",
	.source = "META-INF/maven/…/pom.properties, META-INF/MANIFEST.MF, names of files",
	.example = "SELECT group_id, name, version, path FROM java_packages WHERE name = 'log4j-core'",
	.columns = columns,
	.fill = fill,
};

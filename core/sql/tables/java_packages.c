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

static void add_more(struct mw_rows *rows, const struct mw_package *package)
{
	mw_rows_int(rows, DEPTH, package->depth);
}

static const struct mw_sql_package_files files = {
	.kind = MW_PACKAGE_JAVA,
	.path = PATH,
	.directory = DIRECTORY,
	.uid = UID,
	.more = add_more,
	.texts =
		{
			[NAME] = MW_PACKAGE_TEXT(name),
			[VERSION] = MW_PACKAGE_TEXT(version),
			[GROUP_ID] = MW_PACKAGE_TEXT(group),
			[LICENSE] = MW_PACKAGE_TEXT(license),
			[VENDOR] = MW_PACKAGE_TEXT(vendor),
			[TITLE] = MW_PACKAGE_TEXT(summary),
			[PATH] = MW_PACKAGE_TEXT(path),
		},
};

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	return mw_sql_package_files(scan, &files, rows);
}

const struct mw_sql_table mw_table_java_packages = {
	.name = "java_packages",
	.doc = "Packages in Java archives (jar, war, ear), and in archives inside of those.",
	.source = "META-INF/maven/…/pom.properties, META-INF/MANIFEST.MF, names of files",
	.example = "SELECT group_id, name, version, path FROM java_packages WHERE name = 'log4j-core'",
	.columns = columns,
	.fill = fill,
};

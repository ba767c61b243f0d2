/* Packages that dpkg installed, or that an image without dpkg tells of in status.d; what dpkg-query(1) lists. */

#include "pkg/dpkg.h"
#include "sql/packages.h"
#include "sql/world.h"

enum {
	NAME,
	VERSION,
	SOURCE,
	SIZE,
	ARCH,
	REVISION,
	STATUS,
	MAINTAINER,
	SECTION,
	PRIORITY,
	ADMINDIR,
	PID_WITH_NAMESPACE,
	MOUNT_NAMESPACE_ID,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name of the package"},
	[VERSION] = {"version", MW_SQL_TEXT, 0, "Version, with epoch and revision", "version_dpkg"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "Source package, where it has another name or version"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Installed-Size, as dpkg has it: in KiB; NULL when it is not known"},
	[ARCH] = {"arch", MW_SQL_TEXT, 0, "Architecture"},
	[REVISION] = {"revision", MW_SQL_TEXT, 0, "Debian's part of the version, after its last dash"},
	[STATUS] = {"status", MW_SQL_TEXT, 0, "As dpkg has it: what is wanted, errors, what is"},
	[MAINTAINER] = {"maintainer", MW_SQL_TEXT, 0, "Who looks after the package"},
	[SECTION] = {"section", MW_SQL_TEXT, 0, "Section of the archive"},
	[PRIORITY] = {"priority", MW_SQL_TEXT, 0, "Priority"},
	[ADMINDIR] = {"admindir", MW_SQL_TEXT, MW_SQL_ADDITIONAL, "dpkg's folder, " MW_DPKG_ADMINDIR " if not given"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_HIDDEN | MW_SQL_ADDITIONAL, "Always 0"},
	[MOUNT_NAMESPACE_ID] = {"mount_namespace_id", MW_SQL_TEXT, MW_SQL_HIDDEN, "Always empty"},
	{0},
};

static const char *admindir(const struct mw_sql_scan *scan)
{
	const struct mw_sql_constraint *given = mw_sql_equal(scan, ADMINDIR);
	return given ? given->text : MW_DPKG_ADMINDIR;
}

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, SOURCE, package->source);
	if (package->has_size)
		mw_rows_int(rows, SIZE, package->size);
	mw_sql_packages_text(rows, ARCH, package->arch);
	mw_sql_packages_text(rows, REVISION, package->release);
	mw_sql_packages_text(rows, STATUS, package->status);
	mw_sql_packages_text(rows, MAINTAINER, package->maintainer);
	mw_sql_packages_text(rows, SECTION, package->group);
	mw_sql_packages_text(rows, PRIORITY, package->priority);
	mw_rows_string(rows, ADMINDIR, admindir(packages->scan));
	mw_rows_int(rows, PID_WITH_NAMESPACE, 0);
	mw_rows_string(rows, MOUNT_NAMESPACE_ID, "");
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	struct mw_package_sink sink = mw_sql_packages_sink(&packages);
	return mw_sql_packages_end(&packages, mw_dpkg_read(scan->world->rootfd, admindir(scan), &sink));
}

const struct mw_sql_table mw_table_deb_packages = {
	.name = "deb_packages",
	.doc = "Packages of Debian and its relatives.",
	.source = MW_DPKG_ADMINDIR "/status, status.d",
	.example = "SELECT name, version, arch FROM deb_packages WHERE status = 'install ok installed'",
	.columns = columns,
	.fill = fill,
};

/* Packages that rpm installed; what `rpm -qa` lists. */

#include "pkg/rpm.h"
#include "sql/packages.h"
#include "sql/world.h"

enum {
	NAME,
	VERSION,
	RELEASE,
	SOURCE,
	SIZE,
	SHA1,
	ARCH,
	EPOCH,
	INSTALL_TIME,
	VENDOR,
	PACKAGE_GROUP,
	PID_WITH_NAMESPACE,
	MOUNT_NAMESPACE_ID,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, MW_SQL_INDEX, "Name of the package"},
	[VERSION] = {"version", MW_SQL_TEXT, MW_SQL_INDEX, "Version, without epoch and release", "version_rhel"},
	[RELEASE] = {"release", MW_SQL_TEXT, MW_SQL_INDEX, "Release"},
	[SOURCE] = {"source", MW_SQL_TEXT, 0, "File name of the source package"},
	[SIZE] = {"size", MW_SQL_BIGINT, 0, "Bytes installed"},
	[SHA1] = {"sha1", MW_SQL_TEXT, 0, "SHA-1 of the package's header", "nocase"},
	[ARCH] = {"arch", MW_SQL_TEXT, MW_SQL_INDEX, "Architecture"},
	[EPOCH] = {"epoch", MW_SQL_INTEGER, MW_SQL_INDEX, "Epoch; NULL without one"},
	[INSTALL_TIME] = {"install_time", MW_SQL_INTEGER, 0, "When it was installed, in seconds since 1970"},
	[VENDOR] = {"vendor", MW_SQL_TEXT, 0, "Who made it"},
	[PACKAGE_GROUP] = {"package_group", MW_SQL_TEXT, 0, "Group of packages"},
	[PID_WITH_NAMESPACE] = {"pid_with_namespace", MW_SQL_INTEGER, MW_SQL_HIDDEN | MW_SQL_ADDITIONAL, "Always 0"},
	[MOUNT_NAMESPACE_ID] = {"mount_namespace_id", MW_SQL_TEXT, MW_SQL_HIDDEN, "Always empty"},
	{0},
};

static void fill_row(const struct mw_sql_packages *packages, const struct mw_package *package)
{
	struct mw_rows *rows = packages->rows;
	mw_sql_packages_text(rows, NAME, package->name);
	mw_sql_packages_text(rows, VERSION, package->version);
	mw_sql_packages_text(rows, RELEASE, package->release);
	mw_sql_packages_text(rows, SOURCE, package->source);
	if (package->has_size)
		mw_rows_int(rows, SIZE, package->size);
	mw_sql_packages_text(rows, SHA1, package->hash);
	mw_sql_packages_text(rows, ARCH, package->arch);
	if (package->has_epoch)
		mw_rows_int(rows, EPOCH, package->epoch);
	mw_rows_int(rows, INSTALL_TIME, package->install_time);
	mw_sql_packages_text(rows, VENDOR, package->vendor);
	mw_sql_packages_text(rows, PACKAGE_GROUP, package->group);
	mw_rows_int(rows, PID_WITH_NAMESPACE, 0);
	mw_rows_string(rows, MOUNT_NAMESPACE_ID, "");
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)err;
	struct mw_sql_packages packages = {.scan = scan, .rows = rows, .fill = fill_row};
	struct mw_package_sink sink = mw_sql_packages_sink(&packages);
	return mw_sql_packages_end(&packages, mw_rpm_read(scan->world->rootfd, &sink));
}

const struct mw_sql_table mw_table_rpm_packages = {
	.name = "rpm_packages",
	.doc = "Packages of Red Hat, Amazon Linux, SUSE and their relatives.",
	.source = "/var/lib/rpm, /usr/lib/sysimage/rpm: rpmdb.sqlite, Packages.db or Packages",
	.example = "SELECT name, epoch, version, release, arch FROM rpm_packages",
	.columns = columns,
	.fill = fill,
};

#include "sql/collations.h"

#include <sqlite3.h>

#include "base/version.h"

struct collation {
	const char *name;
	enum mw_version_flavour flavour;
};

static int collate(void *data, int left_bytes, const void *left, int right_bytes, const void *right)
{
	const struct collation *collation = data;
	return mw_version_compare(collation->flavour, left, (size_t)left_bytes, right, (size_t)right_bytes);
}

int mw_sql_collations_register(struct sqlite3 *db)
{
	static struct collation collations[] = {
		{"version", MW_VERSION_ANY},
		{"version_arch", MW_VERSION_ARCH},
		{"version_dpkg", MW_VERSION_DPKG},
		{"version_rhel", MW_VERSION_RHEL},
	};
	int r = SQLITE_OK;
	for (size_t i = 0; r == SQLITE_OK && i < sizeof(collations) / sizeof(collations[0]); i++)
		r = sqlite3_create_collation_v2(db, collations[i].name, SQLITE_UTF8, &collations[i], collate, NULL);
	return r;
}

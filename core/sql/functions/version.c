/* Versions, as those who number them order them. */
#include "base/version.h"

#include "sql/function.h"
#include "sql/functions/values.h"

static bool find_flavour(const char *name, enum mw_version_flavour *ret)
{
	static const struct {
		const char *name;
		enum mw_version_flavour flavour;
	} flavours[] = {{"ARCH", MW_VERSION_ARCH}, {"DPKG", MW_VERSION_DPKG}, {"RHEL", MW_VERSION_RHEL}};
	for (size_t i = 0; i < sizeof(flavours) / sizeof(*flavours); i++)
		if (sqlite3_stricmp(flavours[i].name, name) == 0) {
			*ret = flavours[i].flavour;
			return true;
		}
	return false;
}

static void version_compare(sqlite3_context *context, int count, sqlite3_value **values)
{
	enum mw_version_flavour flavour = MW_VERSION_ANY;
	if (mw_any_null(count, values))
		return;
	if (count > 2 && !find_flavour(mw_value_of(values[2]).data, &flavour)) {
		sqlite3_result_error(context, "version_compare: the flavour must be ARCH, DPKG or RHEL", -1);
		return;
	}
	struct mw_value left = mw_value_of(values[0]);
	struct mw_value right = mw_value_of(values[1]);
	int order = mw_version_compare(flavour, left.data, left.size, right.data, right.size);
	sqlite3_result_int(context, (order > 0) - (order < 0));
}

static const struct mw_sql_function functions[] = {
	{"version_compare", "LEFT, RIGHT[, FLAVOUR]", 2, 3,
	 "-1, 0 or 1 as LEFT is earlier than, equal to or later than RIGHT. FLAVOUR is DPKG, RHEL or ARCH for versions of "
	 "packages, with epochs and releases.",
	 "version_compare('1.0.0~rc2^2021', '1.0.0', 'RHEL')", "-1", version_compare},
	{0},
};

const struct mw_sql_family mw_family_version = {"Versions", functions};

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/limits.h"
#include "sql/place.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	SCOPE,
	KEY,
	VALUE,
};

static const struct mw_sql_column columns[] = {
	[SCOPE] = {"scope", MW_SQL_TEXT, 0,
		   "booleans, policy_capabilities, initial_contexts, class, or empty for the general ones"},
	[KEY] = {"key", MW_SQL_TEXT, 0, "Name of the setting; of a class, `CLASS/perms`"},
	[VALUE] = {"value", MW_SQL_TEXT, 0, "Its value; of a class, a permission it has"},
	{0},
};

enum {
	VALUE_BYTES = 4096,
};

#define SELINUXFS "/sys/fs/selinux"

static int add(struct mw_rows *rows, const char *scope, const char *key, const char *value)
{
	int r = mw_rows_add(rows);
	if (r < 0)
		return r;
	mw_rows_string(rows, SCOPE, scope);
	mw_rows_string(rows, KEY, key);
	mw_rows_string(rows, VALUE, value);
	return 0;
}

static int add_file(const struct mw_sql_place *place, const char *scope, const char *key, struct mw_rows *rows)
{
	char path[MW_PATH_BYTES];
	MW_AUTO(mw_buf) text = MW_BUF(VALUE_BYTES);
	int n = snprintf(path, sizeof(path), SELINUXFS "/%s%s%s", scope, *scope ? "/" : "", key);
	if (n < 0 || (size_t)n >= sizeof(path) || mw_sql_read_file(place, path, &text) < 0)
		return 0;
	const char *value = text.size ? mw_sql_strip(text.data) : "";
	/* The value, and the one that is pending. */
	if (strcmp(scope, "booleans") == 0)
		value = *value == '1' ? "on" : "off";
	return add(rows, scope, key, value);
}

static int add_folder(const struct mw_sql_place *place, const char *scope, struct mw_rows *rows)
{
	char path[MW_PATH_BYTES];
	MW_AUTO(mw_sql_names) names = {0};
	int r = 0;
	if (mw_sql_join(path, SELINUXFS, scope))
		(void)mw_sql_names_init(&names, place, path);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add_file(place, scope, names.name[i], rows);
	return r;
}

static int add_class(const struct mw_sql_place *place, const char *class_name, struct mw_rows *rows)
{
	char path[MW_PATH_BYTES];
	MW_AUTO(mw_sql_names) names = {0};
	int r = 0;
	int n = snprintf(path, sizeof(path), SELINUXFS "/class/%s/perms", class_name);
	if (n >= 0 && (size_t)n < sizeof(path))
		(void)mw_sql_names_init(&names, place, path);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		r = add(rows, "class", path + strlen(SELINUXFS "/class/"), names.name[i]);
	return r;
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	static const char *const general[] = {"checkreqprot", "deny_unknown", "enforce",
					      "mls",          "policyvers",   "reject_unknown"};
	static const char *const folders[] = {"booleans", "policy_capabilities", "initial_contexts"};
	struct mw_sql_place place;
	MW_AUTO(mw_sql_names) classes = {0};
	(void)err;
	int r = mw_sql_place_init(&place, scan, MW_SQL_NO_COLUMN);
	for (size_t i = 0; r == 0 && i < sizeof(general) / sizeof(*general); i++)
		r = add_file(&place, "", general[i], rows);
	for (size_t i = 0; r == 0 && i < sizeof(folders) / sizeof(*folders); i++)
		r = add_folder(&place, folders[i], rows);
	(void)mw_sql_names_init(&classes, &place, SELINUXFS "/class");
	for (size_t i = 0; r == 0 && i < classes.count; i++)
		r = add_class(&place, classes.name[i], rows);
	return r;
}

const struct mw_sql_table mw_table_selinux_settings = {
	.name = "selinux_settings",
	.doc = "SELinux as it is set up; empty where it is off or not shown, as in most containers.",
	.source = SELINUXFS,
	.example = "SELECT key, value FROM selinux_settings WHERE scope = '' AND key = 'enforce'",
	.columns = columns,
	.fill = fill,
};

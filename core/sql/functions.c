/* All functions.  A new one is an entry in the file of its family; a new family is a file in functions/ and two lines here. */
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

#include "sql/function.h"

extern const struct mw_sql_family mw_family_aggregates;
extern const struct mw_sql_family mw_family_encoding;
extern const struct mw_sql_family mw_family_hashing;
extern const struct mw_sql_family mw_family_math;
extern const struct mw_sql_family mw_family_network;
extern const struct mw_sql_family mw_family_regex;
extern const struct mw_sql_family mw_family_text;
extern const struct mw_sql_family mw_family_version;

const struct mw_sql_family *const mw_sql_families[] = {
	&mw_family_text,    &mw_family_regex,      &mw_family_version,
	&mw_family_network, &mw_family_hashing,    &mw_family_encoding,
	&mw_family_math,    &mw_family_aggregates, NULL,
};

struct mw_sql_world *mw_sql_function_world(struct sqlite3_context *context)
{
	return sqlite3_user_data(context);
}

static int define(sqlite3 *db, const struct mw_sql_function *function, struct mw_sql_world *world)
{
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
	bool is_variadic = function->most == MW_SQL_VARIADIC;
	int r = SQLITE_OK;
	for (int count = function->least; r == SQLITE_OK && count <= (is_variadic ? function->least : function->most);
	     count++)
		r = sqlite3_create_function_v2(db, function->name, is_variadic ? -1 : count, flags, world,
					       function->call, function->step, function->finish, NULL);
	return r;
}

int mw_sql_functions_register(struct sqlite3 *db, struct mw_sql_world *world)
{
	int r = SQLITE_OK;
	for (const struct mw_sql_family *const *family = mw_sql_families; *family; family++)
		for (const struct mw_sql_function *function = (*family)->functions; r == SQLITE_OK && function->name;
		     function++)
			if (function->call || function->step)
				r = define(db, function, world);
	return r;
}

/* Tables of packages: what readers of core/pkg find, as rows. */
#pragma once

#include "pkg/pkg.h"
#include "sql/table.h"

/* One scan of such a table. */
struct mw_sql_packages {
	const struct mw_sql_scan *scan;
	struct mw_rows *rows;
	/* Fill the row that was begun. */
	void (*fill)(const struct mw_sql_packages *packages, const struct mw_package *package);
	/* Where in a folder that the query asks for all of its packages are, as "/node_modules"; NULL for anywhere. */
	const char *below;
};

/* Rows and warnings of the scan.  Ends before the query must, so that what was found till then is shown. */
struct mw_package_sink mw_sql_packages_sink(struct mw_sql_packages *packages);

/* Walk for packages of a kind: all of them, or those of the folder that column `directory` must be equal to, and of what is
 * `depth` folders below it (0: all). */
int mw_sql_packages_walk(struct mw_sql_packages *packages, enum mw_package_kind kind, unsigned directory,
			 unsigned depth);

/* The same for packages that are whole files: also column `path` may say where to look, by `=` (a member of an archive, behind
 * "!/", too), LIKE or GLOB. */
int mw_sql_packages_walk_files(struct mw_sql_packages *packages, enum mw_package_kind kind, unsigned directory,
			       unsigned path);

/* Set column `column` to a package's folder: as the query wrote it, when it is what the query asks for. */
void mw_sql_packages_directory(const struct mw_sql_packages *packages, unsigned column, const char *directory);

/* As osquery has it, what is not known is an empty text. */
void mw_sql_packages_text(struct mw_rows *rows, unsigned column, const char *text);

/* Forget what walks remember, which is kept in the state folder when there is one. */
void mw_sql_packages_release(struct mw_sql_world *world);

/* Tables of packages: what readers of core/pkg find, as rows. */
#pragma once

#include "pkg/pkg.h"
#include "sql/table.h"

struct mw_sql_package_files;

/* One scan of such a table. */
struct mw_sql_packages {
	const struct mw_sql_scan *scan;
	struct mw_rows *rows;
	/* Fill the row that was begun. */
	void (*fill)(const struct mw_sql_packages *packages, const struct mw_package *package);
	const struct mw_sql_package_files *files; /* for mw_sql_package_files() */
	/* Where in a folder that the query asks for all of its packages are, as "/node_modules"; NULL for anywhere. */
	const char *below;
	bool is_full; /* rows.c takes no more */
};

/* Rows and warnings of the scan.  Ends before the query must, so that what was found till then is shown. */
struct mw_package_sink mw_sql_packages_sink(struct mw_sql_packages *packages);

/* What the reader that was given the sink returned, for whom asked.  More rows than a table may hold at once are no failure:
 * those that do not fit are left out, and that is warned of. */
int mw_sql_packages_end(const struct mw_sql_packages *packages, int result);

/* Walk for packages of a kind: all of them, or those of the folder that column `directory` must be equal to, and of what is
 * `depth` folders below it (0: all). */
int mw_sql_packages_walk(struct mw_sql_packages *packages, enum mw_package_kind kind, unsigned directory,
			 unsigned depth);

/* Tables of packages that are whole files, or in them: which text of a package which column has. */
struct mw_sql_package_files {
	enum mw_package_kind kind;
	unsigned path, directory, uid; /* columns */
	/* What is no text, or NULL. */
	void (*more)(struct mw_rows *rows, const struct mw_package *package);
	size_t texts[MW_SQL_COLUMNS]; /* MW_PACKAGE_TEXT(member) for each column that is one; 0 for others */
};
#define MW_PACKAGE_TEXT(member) offsetof(struct mw_package, member)

/* All rows of such a table.  Where to look also its path may say: by `=` (a member of an archive, behind "!/", too), LIKE or
 * GLOB. */
int mw_sql_package_files(const struct mw_sql_scan *scan, const struct mw_sql_package_files *files,
			 struct mw_rows *rows);

/* Set column `column` to a package's folder: as the query wrote it, when it is what the query asks for. */
void mw_sql_packages_directory(const struct mw_sql_packages *packages, unsigned column, const char *directory);

/* As osquery has it, what is not known is an empty text. */
void mw_sql_packages_text(struct mw_rows *rows, unsigned column, const char *text);

/* Forget what walks remember, which is kept in the state folder when there is one. */
void mw_sql_packages_release(struct mw_sql_world *world);

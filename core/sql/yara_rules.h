/* The YARA rules that a query means: a group of the configuration (`yara.signatures`), a file, or a text.  Shared by the tables
 * yara_file and yara_process.  What is wrong with them is told as a warning. */
#pragma once

#include <stddef.h>

#include "sql/yara.h"

struct mw_rows;
struct mw_sql_scan;
struct mw_sql_world;

/* Those columns of a table, by their numbers. */
struct mw_yara_columns {
	unsigned matches, count, strings, tags;
	unsigned group, file, rule, url;
};

enum {
	MW_YARA_FILES = 64, /* of a group */
};

struct mw_yara_rules {
	size_t count;
	struct mw_yara *compiled[MW_YARA_FILES];
	const char *group, *file, *rule; /* as the query has them; NULL: not at all */
};

/* -ETIME or -ENOMEM; without any rules that could be compiled, `count` is 0. */
int mw_yara_rules_init(struct mw_yara_rules *rules, const struct mw_sql_scan *scan,
		       const struct mw_yara_columns *columns);
void mw_yara_rules_release(struct mw_yara_rules *rules);

/* Seconds that a scan may take: what is left of the query's time.  -ETIME when that is nothing. */
int mw_yara_seconds(const struct mw_sql_world *world);

/* What was found, into the row that was added last. */
void mw_yara_rules_row(const struct mw_yara_rules *rules, const struct mw_yara_columns *columns,
		       const struct mw_yara_found *found, struct mw_rows *rows);

/* Compiled rules are kept by the connection: a join asks for the same again for each row. */
struct mw_yara_cache;
void mw_yara_cache_free(struct mw_yara_cache *cache);

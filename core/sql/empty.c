#include "sql/empty.h"

#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql/table.h"

/* All that is made: descriptors, their columns, and a copy of the lists that names point into. */
struct made {
	struct mw_sql_table *tables;
	struct mw_sql_column *columns;
	char *text, *text_at;
	const struct mw_sql_table **all;
	size_t tables_count, columns_count;
};

static int fill_nothing(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	(void)scan;
	(void)rows;
	(void)err;
	return 0;
}

static size_t count_of(const char *text, char c)
{
	size_t n = 0;
	for (; *text; text++)
		n += *text == c;
	return n;
}

/* "Empty here: WHY." or a query, kept with the rest. */
static const char *keep(struct made *made, const char *before, const char *middle, const char *after)
{
	const char *kept = made->text_at;
	made->text_at = stpcpy(stpcpy(stpcpy(made->text_at, before), middle), after) + 1;
	return kept;
}

static enum mw_sql_type type_of(const char *word)
{
	static const char *const names[] = {
		[MW_SQL_TEXT] = "TEXT",     [MW_SQL_INTEGER] = "INTEGER", [MW_SQL_BIGINT] = "BIGINT",
		[MW_SQL_DOUBLE] = "DOUBLE", [MW_SQL_BLOB] = "BLOB",       [MW_SQL_UNSIGNED_BIGINT] = "UNSIGNED_BIGINT",
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], word) == 0)
			return (enum mw_sql_type)i;
	assert(!"a type of empty_list.c");
	return MW_SQL_TEXT;
}

/* What an option says of a column; of an alias, the other column it asks for. */
static const char *take_option(struct mw_sql_column *column, const char *word)
{
	static const struct {
		const char *word;
		unsigned option;
	} options[] = {
		{"index", MW_SQL_INDEX},   {"additional", MW_SQL_ADDITIONAL}, {"required", MW_SQL_REQUIRED},
		{"hidden", MW_SQL_HIDDEN}, {"hidden(win)", MW_SQL_FOREIGN},   {"hidden(mac)", MW_SQL_FOREIGN},
	};
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (strcmp(options[i].word, word) == 0) {
			column->options |= options[i].option;
			return NULL;
		}
	if (strncmp(word, "collate=", strlen("collate=")) == 0) {
		column->collate = word + strlen("collate=");
		return NULL;
	}
	assert(strncmp(word, "alias=", strlen("alias=")) == 0);
	return word + strlen("alias=");
}

/* "name: column TYPE option…, …" */
static void make_table(struct made *made, char *line, const char *why)
{
	struct mw_sql_table *table = &made->tables[made->tables_count++];
	char *columns = strstr(line, ": ");
	assert(columns);
	*columns = '\0';
	char *alias = strchr(line, '=');
	if (alias)
		*alias++ = '\0';
	*table = (struct mw_sql_table){
		.name = line,
		.alias = alias,
		.doc = keep(made, "Empty: ", why, "."),
		.source = "nothing",
		.columns = made->columns + made->columns_count,
		.fill = fill_nothing,
	};
	const char *required = NULL;
	struct mw_sql_column aliases[4];
	size_t alias_count = 0;
	columns += 2;
	for (char *part; (part = strsep(&columns, ","));) {
		struct mw_sql_column *column = &made->columns[made->columns_count++];
		part += *part == ' ';
		*column = (struct mw_sql_column){.name = strsep(&part, " ")};
		column->type = type_of(strsep(&part, " "));
		for (char *word; (word = strsep(&part, " "));) {
			const char *other = take_option(column, word);
			if (other && alias_count < sizeof(aliases) / sizeof(aliases[0]))
				aliases[alias_count++] = (struct mw_sql_column){
					.name = other, .type = column->type, .options = MW_SQL_HIDDEN};
		}
		if (column->options & MW_SQL_REQUIRED && column->type == MW_SQL_TEXT)
			column->options |= MW_SQL_LIKE;
		if (!required && column->options & MW_SQL_REQUIRED)
			required = column->name;
	}
	for (size_t i = 0; i < alias_count; i++)
		made->columns[made->columns_count++] = aliases[i];
	made->columns[made->columns_count++] = (struct mw_sql_column){0};
	const char *query = keep(made, "SELECT * FROM ", table->name, "");
	if (required) {
		const char *head = query;
		query = keep(made, head, " WHERE ", required);
		made->text_at--;
		made->text_at = stpcpy(made->text_at, " = ''") + 1;
	}
	table->example = query;
}

static bool reserve(struct made *made)
{
	size_t tables = 0;
	size_t columns = 0;
	size_t bytes = 0;
	enum {
		/* "Empty: ", a reason, two queries with a name and a column in them. */
		TABLE_BYTES = 512,
	};
	for (const struct mw_sql_empty *empty = mw_sql_empties; empty->tables; empty++) {
		size_t lines = count_of(empty->tables, '\n');
		tables += lines;
		/* Each column but the last of a line is followed by a comma; an alias makes one more. */
		columns += count_of(empty->tables, ',') + count_of(empty->tables, '=') + 2 * lines;
		bytes += strlen(empty->tables) + 1 + lines * TABLE_BYTES;
	}
	size_t listed = 0;
	while (mw_sql_tables[listed])
		listed++;
	made->tables = calloc(tables + 1, sizeof(*made->tables));
	made->columns = calloc(columns + 1, sizeof(*made->columns));
	made->text = made->text_at = malloc(bytes + 1);
	made->all = calloc(listed + tables + 1, sizeof(const struct mw_sql_table *));
	return made->tables && made->columns && made->text && made->all;
}

static bool is_listed(const char *name)
{
	for (const struct mw_sql_table *const *table = mw_sql_tables; *table; table++)
		if (strcmp((*table)->name, name) == 0)
			return true;
	return false;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(const struct mw_sql_table *const *)a)->name, (*(const struct mw_sql_table *const *)b)->name);
}

static bool make(struct made *made)
{
	if (!reserve(made))
		return false;
	for (const struct mw_sql_empty *empty = mw_sql_empties; empty->tables; empty++) {
		char *line = made->text_at;
		made->text_at = stpcpy(line, empty->tables) + 1;
		for (char *end; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			make_table(made, line, empty->why);
		}
	}
	size_t count = 0;
	for (const struct mw_sql_table *const *table = mw_sql_tables; *table; table++)
		made->all[count++] = *table;
	for (size_t i = 0; i < made->tables_count; i++)
		if (!is_listed(made->tables[i].name))
			made->all[count++] = &made->tables[i];
	qsort(made->all, count, sizeof(const struct mw_sql_table *), by_name);
	return true;
}

const struct mw_sql_table *const *mw_sql_all_tables(void)
{
	static struct made made;
	if (made.all && made.all[0])
		return made.all;
	struct made fresh = {0};
	if (!make(&fresh)) {
		free(fresh.tables);
		free(fresh.columns);
		free(fresh.text);
		free(fresh.all);
		return NULL;
	}
	made = fresh;
	return made.all;
}

bool mw_sql_is_empty(const struct mw_sql_table *table)
{
	return table->fill == fill_nothing;
}

/* The one sqlite3_module, https://www.sqlite.org/vtab.html.
 *
 * xBestIndex writes its choice into idxStr, which xFilter reads: "WANTED ORDER ORDERCOLUMN" and " COLUMN OPERATOR" for each
 * argument.  `omit` is never set: SQLite checks every row again, so a table that takes a constraint only as a hint is still
 * right. */
#include "sql/vtab.h"

#include <errno.h>
#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "sql/rows.h"
#include "sql/schema.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	DECLARATION_BYTES = 1 << 14,
	SET_VALUES = 1 << 20, /* of one IN (…) */
	SET_ROWS = 8,         /* how many values one has, roughly */
};

struct module {
	const struct mw_sql_table *table;
	struct mw_sql_world *world;
};

struct vtab {
	sqlite3_vtab base;
	struct module module;
	unsigned columns;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct mw_sql_scan scan;
	struct mw_rows rows;
	size_t at; /* row of `rows` */
	sqlite3_int64 rowid;
	void *state;
	bool is_open, at_end;
	/* What the texts of constraints belong to. */
	sqlite3_value **values;
	size_t value_count, value_capacity;
};

static struct vtab *vtab_of(struct cursor *cursor)
{
	return (struct vtab *)cursor->base.pVtab;
}

static int connect_table(sqlite3 *db, void *data, int argc, const char *const *argv, sqlite3_vtab **ret,
			 char **ret_error)
{
	(void)argc;
	(void)argv;
	const struct module *module = data;
	MW_AUTO(mw_buf) declaration = MW_BUF(DECLARATION_BYTES);
	mw_sql_declaration(module->table, &declaration);
	if (mw_buf_status(&declaration) < 0)
		return SQLITE_NOMEM;
	module->world->is_declaring = true;
	int r = sqlite3_declare_vtab(db, declaration.data);
	module->world->is_declaring = false;
	if (r != SQLITE_OK) {
		*ret_error = sqlite3_mprintf("%s", sqlite3_errmsg(db));
		return r;
	}
	struct vtab *vtab = sqlite3_malloc(sizeof(*vtab));
	if (!vtab)
		return SQLITE_NOMEM;
	*vtab = (struct vtab){.module = *module};
	while (module->table->columns[vtab->columns].name)
		vtab->columns++;
	*ret = &vtab->base;
	return SQLITE_OK;
}

static int disconnect_table(sqlite3_vtab *base)
{
	sqlite3_free(base);
	return SQLITE_OK;
}

/* The option a column must have for the operator to be of use to the table, or 0. */
static unsigned useful_with(unsigned char op, enum mw_sql_operator *ret_op)
{
	static const struct {
		unsigned char sqlite;
		enum mw_sql_operator op;
		unsigned options;
	} operators[] = {
		{SQLITE_INDEX_CONSTRAINT_EQ, MW_SQL_EQ,
		 MW_SQL_INDEX | MW_SQL_ADDITIONAL | MW_SQL_REQUIRED | MW_SQL_RANGE},
		{SQLITE_INDEX_CONSTRAINT_LT, MW_SQL_LT, MW_SQL_RANGE},
		{SQLITE_INDEX_CONSTRAINT_LE, MW_SQL_LE, MW_SQL_RANGE},
		{SQLITE_INDEX_CONSTRAINT_GT, MW_SQL_GT, MW_SQL_RANGE},
		{SQLITE_INDEX_CONSTRAINT_GE, MW_SQL_GE, MW_SQL_RANGE},
		{SQLITE_INDEX_CONSTRAINT_LIKE, MW_SQL_MATCH_LIKE, MW_SQL_LIKE},
		{SQLITE_INDEX_CONSTRAINT_GLOB, MW_SQL_MATCH_GLOB, MW_SQL_LIKE},
	};
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (operators[i].sqlite == op) {
			*ret_op = operators[i].op;
			return operators[i].options;
		}
	return 0;
}

/* What is read when the plan is used: only its proportions matter. */
static void estimate(sqlite3_index_info *info, const struct mw_sql_table *table, unsigned options, bool has_set)
{
	struct {
		unsigned options;
		double cost;
		sqlite3_int64 rows;
	} const estimates[] = {
		{MW_SQL_INDEX | MW_SQL_REQUIRED, 10, 1},
		{MW_SQL_ADDITIONAL, 1000, 100},
		{MW_SQL_RANGE | MW_SQL_LIKE, 10000, 1000},
		{0, 100000, 10000}, /* all of it */
	};
	size_t i = 0;
	while (estimates[i].options && !(estimates[i].options & options))
		i++;
	/* The table with many rows a key goes inside: the other one is then read once. */
	unsigned per_key = (table->rows_per_key ? table->rows_per_key : 1) * (has_set ? SET_ROWS : 1);
	info->estimatedCost = estimates[i].cost * per_key - (info->orderByConsumed ? 1 : 0);
	info->estimatedRows = estimates[i].rows * per_key;
}

/* Shall `IN (…)` be one constraint?  SQLite from 3.38 on can do that. */
static bool take_set(sqlite3_index_info *info, int constraint, unsigned options, enum mw_sql_operator *op)
{
#if SQLITE_VERSION_NUMBER >= 3038000
	if (*op != MW_SQL_EQ || !(options & MW_SQL_SET) || !sqlite3_vtab_in(info, constraint, -1))
		return false;
	(void)sqlite3_vtab_in(info, constraint, 1);
	*op = MW_SQL_ANY_OF;
	return true;
#else
	(void)info, (void)constraint, (void)options, (void)op;
	return false;
#endif
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	const struct vtab *vtab = (const struct vtab *)base;
	const struct mw_sql_column *columns = vtab->module.table->columns;
	int arguments = 0;
	unsigned used = 0;           /* options of the columns that got an argument */
	bool lacks_required = false; /* a required column has a value, but not in this plan */
	bool lacks_user = false;     /* likewise, the user */
	bool has_set = false;
	sqlite3_str *plan = sqlite3_str_new(NULL);

	int order = 0;
	int order_column = 0;
	if (info->nOrderBy == 1 && info->aOrderBy[0].iColumn >= 0 &&
	    columns[info->aOrderBy[0].iColumn].options & MW_SQL_ORDER) {
		order = info->aOrderBy[0].desc ? -1 : 1;
		order_column = info->aOrderBy[0].iColumn;
		info->orderByConsumed = 1;
	}
	sqlite3_str_appendf(plan, "%llx %d %d", (unsigned long long)info->colUsed, order, order_column);

	for (int i = 0; i < info->nConstraint; i++) {
		int column = info->aConstraint[i].iColumn;
		enum mw_sql_operator op;
		if (column < 0)
			continue;
		unsigned options = columns[column].options & useful_with(info->aConstraint[i].op, &op);
		if (!options || options & MW_SQL_FOREIGN)
			continue;
		if (!info->aConstraint[i].usable) {
			lacks_required |= (columns[column].options & MW_SQL_REQUIRED) != 0;
			lacks_user |= (columns[column].options & MW_SQL_USER) != 0 && op == MW_SQL_EQ;
			continue;
		}
		if (arguments == MW_SQL_CONSTRAINTS)
			break;
		info->aConstraintUsage[i].argvIndex = ++arguments;
		bool is_set = take_set(info, i, columns[column].options, &op);
		has_set |= is_set;
		sqlite3_str_appendf(plan, " %d %d", column, (int)op);
		used |= op == MW_SQL_EQ || is_set || columns[column].options & MW_SQL_REQUIRED ? columns[column].options
											       : options;
	}
	info->idxStr = sqlite3_str_finish(plan);
	if (!info->idxStr)
		return SQLITE_NOMEM;
	info->needToFreeIdxStr = 1;
	estimate(info, vtab->module.table, used, has_set);
	/* Rows of one user would be joined, where all are meant: such a plan is the last choice. */
	if (lacks_user && !(used & MW_SQL_USER))
		info->estimatedCost = 1e15;
	return lacks_required && !(used & MW_SQL_REQUIRED) ? SQLITE_CONSTRAINT : SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *base, sqlite3_vtab_cursor **ret)
{
	const struct vtab *vtab = (const struct vtab *)base;
	struct cursor *cursor = calloc(1, sizeof(*cursor));
	if (!cursor)
		return SQLITE_NOMEM;
	cursor->scan.table = vtab->module.table;
	cursor->scan.world = vtab->module.world;
	mw_rows_init(&cursor->rows, vtab->columns, INT64_MAX);
	*ret = &cursor->base;
	return SQLITE_OK;
}

/* Ready for another xFilter. */
static void end_scan(struct cursor *cursor)
{
	if (cursor->is_open && cursor->scan.table->close)
		cursor->scan.table->close(cursor->state);
	cursor->is_open = false;
	cursor->state = NULL;
	mw_rows_clear(&cursor->rows);
	for (size_t i = 0; i < cursor->value_count; i++)
		sqlite3_value_free(cursor->values[i]);
	cursor->value_count = 0;
	for (unsigned i = 0; i < cursor->scan.constraint_count; i++)
		free(cursor->scan.constraints[i].values);
	cursor->scan.constraint_count = 0;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;
	end_scan(cursor);
	mw_rows_release(&cursor->rows);
	free(cursor->values);
	free(cursor);
	return SQLITE_OK;
}

static int fail(struct cursor *cursor, int code, const struct mw_err *err)
{
	sqlite3_vtab *vtab = cursor->base.pVtab;
	cursor->at_end = true;
	if (code == -ENOMEM)
		return SQLITE_NOMEM;
	if (code == -ETIME)
		return SQLITE_INTERRUPT;
	sqlite3_free(vtab->zErrMsg);
	vtab->zErrMsg = sqlite3_mprintf("table %s: %s", cursor->scan.table->name,
					*err->text         ? err->text
					: code == -ENOBUFS ? "too many rows; constrain the query"
							   : strerror(-code));
	return SQLITE_ERROR;
}

/* Have row `at`, or know that there is none. */
static int fetch(struct cursor *cursor)
{
	const struct mw_sql_table *table = cursor->scan.table;
	if (cursor->at < cursor->rows.count)
		return SQLITE_OK;
	if (!table->next) {
		cursor->at_end = true;
		return SQLITE_OK;
	}
	struct mw_err err = {""};
	mw_rows_clear(&cursor->rows);
	cursor->at = 0;
	int r = table->next(cursor->state, &cursor->scan, &cursor->rows, &err);
	if (r == 0 && cursor->rows.texts.failed)
		r = -ENOBUFS;
	if (r < 0)
		return fail(cursor, r, &err);
	cursor->at_end = cursor->rows.count == 0;
	return SQLITE_OK;
}

/* -ENOENT for NULL, to which nothing is equal, and for a blob, to which no column of ours is. */
static int take_value(struct cursor *cursor, sqlite3_value *value, struct mw_sql_constraint *to)
{
	int type = sqlite3_value_type(value);
	if (type == SQLITE_NULL || (type == SQLITE_BLOB && to->op == MW_SQL_EQ))
		return -ENOENT;
	if (cursor->value_count == cursor->value_capacity) {
		size_t capacity = cursor->value_capacity ? cursor->value_capacity * 2 : 4;
		sqlite3_value **values = reallocarray(cursor->values, capacity, sizeof(sqlite3_value *));
		if (!values)
			return -ENOMEM;
		cursor->values = values;
		cursor->value_capacity = capacity;
	}
	sqlite3_value *copy = sqlite3_value_dup(value);
	if (!copy)
		return -ENOMEM;
	cursor->values[cursor->value_count++] = copy;
	to->is_integer = sqlite3_value_numeric_type(copy) == SQLITE_INTEGER;
	to->integer = to->is_integer ? sqlite3_value_int64(copy) : 0;
	to->text = (const char *)sqlite3_value_text(copy);
	to->bytes = (size_t)sqlite3_value_bytes(copy);
	return to->text ? 0 : -ENOMEM;
}

/* What is in IN (…). */
static int take_values(struct cursor *cursor, sqlite3_value *set, struct mw_sql_constraint *to)
{
#if SQLITE_VERSION_NUMBER >= 3038000
	sqlite3_value *value = NULL;
	int r = sqlite3_vtab_in_first(set, &value);
	size_t capacity = 0;
	for (; r == SQLITE_OK && value; r = sqlite3_vtab_in_next(set, &value)) {
		if (to->value_count == capacity) {
			capacity = capacity ? capacity * 2 : 8;
			if (capacity > SET_VALUES)
				return -ENOBUFS;
			struct mw_sql_constraint *values = reallocarray(to->values, capacity, sizeof(*values));
			if (!values)
				return -ENOMEM;
			to->values = values;
		}
		struct mw_sql_constraint *one = &to->values[to->value_count];
		*one = (struct mw_sql_constraint){.column = to->column, .op = MW_SQL_EQ};
		int taken = take_value(cursor, value, one);
		if (taken == 0)
			to->value_count++;
		else if (taken != -ENOENT)
			return taken;
	}
	if (r != SQLITE_OK && r != SQLITE_DONE)
		return -ENOMEM;
	return to->value_count ? 0 : -ENOENT;
#else
	(void)cursor, (void)set, (void)to;
	return -EINVAL;
#endif
}

/* -ENOENT when no row can be what the constraints ask for. */
static int take_constraints(struct cursor *cursor, const char *plan, int argc, sqlite3_value **argv)
{
	struct mw_sql_scan *scan = &cursor->scan;
	char *at;
	scan->wanted = strtoull(plan, &at, 16);
	scan->order = (int)strtol(at, &at, 10);
	scan->order_column = (unsigned)strtoul(at, &at, 10);
	int r = 0;
	for (int i = 0; r == 0 && i < argc && i < MW_SQL_CONSTRAINTS; i++) {
		struct mw_sql_constraint *to = &scan->constraints[scan->constraint_count++];
		*to = (struct mw_sql_constraint){.column = (unsigned)strtoul(at, &at, 10)};
		to->op = (enum mw_sql_operator)strtol(at, &at, 10);
		r = to->op == MW_SQL_ANY_OF ? take_values(cursor, argv[i], to) : take_value(cursor, argv[i], to);
	}
	return r;
}

/* -EINVAL, with the columns one of which must be given, when none is. */
static int check_required(const struct mw_sql_scan *scan, struct mw_err *err)
{
	char names[MW_ERR_BYTES / 2] = "";
	for (const struct mw_sql_column *column = scan->table->columns; column->name; column++) {
		if (!(column->options & MW_SQL_REQUIRED))
			continue;
		for (unsigned i = 0; i < scan->constraint_count; i++)
			if (scan->table->columns + scan->constraints[i].column == column)
				return 0;
		size_t length = strlen(names);
		(void)snprintf(names + length, sizeof(names) - length, "%s%s = …", length ? " or " : "", column->name);
	}
	if (!*names)
		return 0;
	return mw_err_set(err, -EINVAL, "queried without a required column in the WHERE clause; say WHERE %s", names);
}

static int filter(sqlite3_vtab_cursor *base, int number, const char *plan, int argc, sqlite3_value **argv)
{
	(void)number;
	struct cursor *cursor = (struct cursor *)base;
	const struct mw_sql_table *table = cursor->scan.table;
	struct mw_err err = {""};

	end_scan(cursor);
	cursor->at = 0;
	int r = take_constraints(cursor, plan, argc, argv);
	cursor->at_end = r == -ENOENT;
	if (cursor->at_end)
		return SQLITE_OK;
	cursor->rows.deadline_ns = cursor->scan.world->deadline_ns;
	if (r == 0)
		r = check_required(&cursor->scan, &err);
	if (r == 0 && table->fill)
		r = table->fill(&cursor->scan, &cursor->rows, &err);
	else if (r == 0)
		r = table->open(&cursor->scan, &cursor->state, &err);
	if (r == 0 && cursor->rows.texts.failed)
		r = -ENOBUFS;
	if (r < 0)
		return fail(cursor, r, &err);
	cursor->is_open = true;
	return fetch(cursor);
}

static int next(sqlite3_vtab_cursor *base)
{
	struct cursor *cursor = (struct cursor *)base;
	cursor->at++;
	cursor->rowid++;
	return fetch(cursor);
}

static int eof(sqlite3_vtab_cursor *base)
{
	return ((struct cursor *)base)->at_end;
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *context, int n)
{
	struct cursor *cursor = (struct cursor *)base;
	const struct mw_cell *cell = &cursor->rows.cells[cursor->at * vtab_of(cursor)->columns + (size_t)n];
	switch (cell->type) {
	case MW_CELL_NULL:
		break;
	case MW_CELL_INT:
		sqlite3_result_int64(context, cell->integer);
		break;
	case MW_CELL_DOUBLE:
		sqlite3_result_double(context, cell->real);
		break;
	case MW_CELL_TEXT:
		sqlite3_result_text64(context, cursor->rows.texts.data + cell->offset, cell->bytes, SQLITE_TRANSIENT,
				      SQLITE_UTF8);
		break;
	}
	return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = ((struct cursor *)base)->rowid;
	return SQLITE_OK;
}

/* Without xCreate: the table is there by its name, and none can be made of it. */
static const sqlite3_module methods = {
	.iVersion = 0,
	.xConnect = connect_table,
	.xDisconnect = disconnect_table,
	.xBestIndex = best_index,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter,
	.xNext = next,
	.xEof = eof,
	.xColumn = column,
	.xRowid = rowid,
};

int mw_vtab_register(struct sqlite3 *db, const struct mw_sql_table *table, struct mw_sql_world *world)
{
	const char *const names[] = {table->name, table->alias};
	int r = SQLITE_OK;
	for (size_t i = 0; r == SQLITE_OK && i < 2 && names[i]; i++) {
		struct module *module = malloc(sizeof(*module));
		if (!module)
			return SQLITE_NOMEM;
		*module = (struct module){.table = table, .world = world};
		r = sqlite3_create_module_v2(db, names[i], &methods, module, free); /* frees it on failure too */
	}
	return r;
}

const struct mw_sql_constraint *mw_sql_equal(const struct mw_sql_scan *scan, unsigned column_wanted)
{
	for (unsigned i = 0; i < scan->constraint_count; i++)
		if (scan->constraints[i].column == column_wanted && scan->constraints[i].op == MW_SQL_EQ)
			return &scan->constraints[i];
	return NULL;
}

const struct mw_sql_constraint *mw_sql_one_of(const struct mw_sql_scan *scan, unsigned column_wanted, size_t *ret_count)
{
	for (unsigned i = 0; i < scan->constraint_count; i++) {
		const struct mw_sql_constraint *constraint = &scan->constraints[i];
		if (constraint->column != column_wanted)
			continue;
		bool is_set = constraint->op == MW_SQL_ANY_OF;
		if (!is_set && constraint->op != MW_SQL_EQ)
			continue;
		*ret_count = is_set ? constraint->value_count : 1;
		return is_set ? constraint->values : constraint;
	}
	return NULL;
}

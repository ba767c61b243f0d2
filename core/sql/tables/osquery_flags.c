/* Flags, core/flag/flags.c: as the sensor that runs, or ran last, had them; without one, as this program has them. */

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "flag/flag.h"
#include "sql/spool_query.h"
#include "sql/table.h"
#include "sql/world.h"

enum {
	NAME,
	TYPE,
	DESCRIPTION,
	DEFAULT_VALUE,
	VALUE,
	SHELL_ONLY,
	SOURCE,
};

static const struct mw_sql_column columns[] = {
	[NAME] = {"name", MW_SQL_TEXT, 0, "Name"},
	[TYPE] = {"type", MW_SQL_TEXT, 0, "bool, int64 or string"},
	[DESCRIPTION] = {"description", MW_SQL_TEXT, 0, "What it does"},
	[DEFAULT_VALUE] = {"default_value", MW_SQL_TEXT, 0, "Value when nobody sets it"},
	[VALUE] = {"value", MW_SQL_TEXT, 0, "Value"},
	[SHELL_ONLY] = {"shell_only", MW_SQL_INTEGER, 0, "Always 0"},
	[SOURCE] = {"source", MW_SQL_TEXT, MW_SQL_HIDDEN,
		    "Who set it: default, profile, backend, flag file, environment or command line"},
	{0},
};

struct values {
	struct mw_rows *rows;
	bool has_any;
	int result;
};

static void add_default(struct mw_rows *rows, const struct mw_flag *flag)
{
	static const char *const types[] = {
		[MW_FLAG_BOOL] = "bool", [MW_FLAG_INT] = "int64", [MW_FLAG_TEXT] = "string", [MW_FLAG_ENUM] = "string"};
	MW_AUTO(mw_buf) value = MW_BUF(MW_FLAG_TEXT_BYTES);
	if (flag->type == MW_FLAG_INT)
		mw_buf_int(&value, flag->def);
	else if (flag->type == MW_FLAG_BOOL)
		mw_buf_str(&value, flag->def ? "true" : "false");
	else
		mw_buf_str(&value, flag->def_text ? flag->def_text : "");
	mw_rows_string(rows, NAME, flag->name);
	mw_rows_string(rows, TYPE, types[flag->type]);
	mw_rows_string(rows, DESCRIPTION, flag->doc);
	mw_rows_string(rows, DEFAULT_VALUE, value.data ? value.data : "");
	mw_rows_int(rows, SHELL_ONLY, 0);
}

static void take(struct mw_spool_answer *answer, void *data)
{
	struct values *values = data;
	const char *name = mw_spool_answer_text(answer, 0);
	const struct mw_flag *flag = name ? mw_flag_find(name) : NULL;
	if (!flag || values->result < 0 || (values->result = mw_rows_add(values->rows)) < 0)
		return;
	const char *value = mw_spool_answer_text(answer, 1);
	const char *source = mw_spool_answer_text(answer, 2);
	values->has_any = true;
	add_default(values->rows, flag);
	mw_rows_string(values->rows, VALUE, value ? value : "");
	mw_rows_string(values->rows, SOURCE, source ? source : "");
}

static int fill(const struct mw_sql_scan *scan, struct mw_rows *rows, struct mw_err *err)
{
	struct values values = {.rows = rows};
	(void)err;
	int r = mw_spool_ask(scan->world,
			     "SELECT key, json_extract(value, '$[0]'), json_extract(value, '$[1]')"
			     " FROM json_each((SELECT body FROM documents WHERE name = 'flags'))",
			     take, &values);
	if (r < 0 || values.result < 0 || values.has_any)
		return r < 0 ? r : values.result;
	for (unsigned i = 0; i < MW_FLAG_COUNT; i++) {
		MW_AUTO(mw_buf) value = MW_BUF(MW_FLAG_TEXT_BYTES);
		r = mw_rows_add(rows);
		if (r < 0)
			return r;
		add_default(rows, &mw_flag_list[i]);
		mw_flag_format(scan->world->flags, (enum mw_flag_id)i, &value);
		mw_rows_string(rows, VALUE, value.data ? value.data : "");
		mw_rows_string(rows, SOURCE,
			       mw_flag_source_name(mw_flag_source(scan->world->flags, (enum mw_flag_id)i)));
	}
	return 0;
}

const struct mw_sql_table mw_table_osquery_flags = {
	.name = "osquery_flags",
	.doc = "Flags and their values.",
	.source = "this program, and the spool",
	.example = "SELECT name, value FROM osquery_flags WHERE value != default_value",
	.columns = columns,
	.fill = fill,
};

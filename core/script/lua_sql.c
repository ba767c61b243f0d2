/* moonwatch.sql: queries over the tables; see sql/db.h. */
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "script/bind.h"
#include "script/lua_layout.h"
#include "script/lua_sheet.h"
#include "sql/db.h"
#include "sql/empty.h"
#include "sql/function.h"
#include "sql/schema.h"
#include "sql/table.h"

#define DATABASE "moonwatch.Database"
#define QUERY "moonwatch.Query"

int luaopen_moonwatch_sql(lua_State *L);

enum {
	SCHEMA_BYTES = 1 << 14
};

struct database {
	struct mw_sql *sql; /* NULL until open, and once closed */
	/* SQLite is closed only after its statements, whatever order they are collected in. */
	unsigned queries;
	bool is_closing;
};

struct query {
	struct mw_sql_query *query; /* NULL until prepared, and once finished */
	struct database *database;  /* kept by the user value */
};

static void close_when_unused(struct database *database)
{
	if (database->is_closing && database->queries == 0) {
		mw_sql_close(database->sql);
		database->sql = NULL;
	}
}

static const char *text_option(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name); /* stays on the stack, and so alive */
	return luaL_optstring(L, -1, NULL);
}

static lua_Integer integer_option(lua_State *L, const char *name)
{
	lua_getfield(L, 1, name);
	lua_Integer value = luaL_optinteger(L, -1, 0);
	luaL_argcheck(L, value >= 0, 1, "a limit is negative");
	return value;
}

/* open{state_dir=, proc=, root=, time_ms=, rows=, process_memory_bytes=, helpers=} -> database | nil, message, code */
static int sql_open(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	struct mw_sql_options options = {
		.state_dir = text_option(L, "state_dir"),
		.proc = text_option(L, "proc"),
		.root = text_option(L, "root"),
		.time_ms = integer_option(L, "time_ms"),
		.rows = (uint64_t)integer_option(L, "rows"),
		.process_memory_bytes = (uint64_t)integer_option(L, "process_memory_bytes"),
		.helpers = (unsigned)integer_option(L, "helpers"),
	};
	struct database *database = lua_newuserdatauv(L, sizeof(*database), 0);
	*database = (struct database){.sql = NULL}; /* safe for __gc before anything can fail */
	luaL_setmetatable(L, DATABASE);
	struct mw_err err;
	int r = mw_sql_open(&options, &database->sql, &err);
	return r < 0 ? mw_lua_fail(L, r, err.text) : 1;
}

static struct database *check_database(lua_State *L)
{
	struct database *database = luaL_checkudata(L, 1, DATABASE);
	luaL_argcheck(L, database->sql && !database->is_closing, 1, "closed database");
	return database;
}

/* Also __gc and __close, so it may run twice. */
static int database_close(lua_State *L)
{
	struct database *database = luaL_checkudata(L, 1, DATABASE);
	database->is_closing = true;
	close_when_unused(database);
	return 0;
}

/* database:prepare(text[, from]) -> query, next | false | nil, message, code
 * `from` is where in `text` to begin; `next` where the next statement may; false when nothing is left. */
static int database_prepare(lua_State *L)
{
	struct database *database = check_database(L);
	size_t length;
	const char *text = luaL_checklstring(L, 2, &length);
	lua_Integer from = luaL_optinteger(L, 3, 1);
	luaL_argcheck(L, from >= 1 && (size_t)from <= length + 1, 3, "outside of the text");
	size_t skip = (size_t)from - 1;

	struct query *query = lua_newuserdatauv(L, sizeof(*query), 1);
	*query = (struct query){.query = NULL};
	luaL_setmetatable(L, QUERY);
	lua_pushvalue(L, 1);
	lua_setiuservalue(L, -2, 1);

	const char *rest;
	struct mw_err err;
	int r = mw_sql_prepare(database->sql, text + skip, length - skip, &query->query, &rest, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	if (!query->query) {
		lua_pushboolean(L, false);
		return 1;
	}
	query->database = database;
	database->queries++;
	lua_pushinteger(L, rest - text + 1);
	return 2;
}

/* Also __gc and __close, so it may run twice. */
static int query_close(lua_State *L)
{
	struct query *query = luaL_checkudata(L, 1, QUERY);
	if (query->query) {
		mw_sql_finish(query->query);
		query->query = NULL;
		query->database->queries--;
		close_when_unused(query->database);
	}
	return 0;
}

struct mw_sql_query *mw_lua_check_query(lua_State *L, int n)
{
	struct query *query = luaL_checkudata(L, n, QUERY);
	luaL_argcheck(L, query->query, n, "closed query");
	return query->query;
}

static struct mw_sql_query *check_query(lua_State *L)
{
	return mw_lua_check_query(L, 1);
}

/* query:columns() -> list of names */
static int query_columns(lua_State *L)
{
	struct mw_sql_query *query = check_query(L);
	unsigned count = mw_sql_columns(query);
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		lua_pushstring(L, mw_sql_column_name(query, i));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* query:types() -> list of the types that tables declare, "" for expressions */
static int query_types(lua_State *L)
{
	struct mw_sql_query *query = check_query(L);
	unsigned count = mw_sql_columns(query);
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		lua_pushstring(L, mw_sql_column_type(query, i));
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

static void push_text(lua_State *L, struct mw_sql_query *query, unsigned column)
{
	size_t bytes;
	const char *text = mw_sql_value_bytes(query, column, &bytes);
	if (text)
		lua_pushlstring(L, text, bytes);
	else
		lua_pushnil(L);
}

static void push_value(lua_State *L, struct mw_sql_query *query, unsigned column)
{
	switch (mw_sql_value_type(query, column)) {
	case MW_SQL_VALUE_INTEGER:
		lua_pushinteger(L, mw_sql_value_integer(query, column));
		break;
	case MW_SQL_VALUE_REAL:
		lua_pushnumber(L, mw_sql_value_real(query, column));
		break;
	case MW_SQL_VALUE_NULL:
	case MW_SQL_VALUE_BYTES:
		push_text(L, query, column);
		break;
	}
}

static int step(lua_State *L, void (*push)(lua_State *, struct mw_sql_query *, unsigned))
{
	struct mw_sql_query *query = check_query(L);
	struct mw_err err;
	int r = mw_sql_step(query, &err);
	if (r < 0)
		return mw_lua_fail(L, r, err.text);
	if (r == 0) {
		lua_pushboolean(L, false);
		return 1;
	}
	unsigned count = mw_sql_columns(query);
	lua_createtable(L, (int)count, 0);
	for (unsigned i = 0; i < count; i++) {
		push(L, query, i);
		lua_rawseti(L, -2, (lua_Integer)i + 1);
	}
	return 1;
}

/* query:step() -> list of values, nil for NULL | false at the end | nil, message, code */
static int query_step(lua_State *L)
{
	return step(L, push_value);
}

/* query:texts(): likewise, all values as texts */
static int query_texts(lua_State *L)
{
	return step(L, push_text);
}

/* database:warnings() -> text of lines, or nil */
static int database_warnings(lua_State *L)
{
	lua_pushstring(L, mw_sql_warnings(check_database(L)->sql)); /* nil for NULL */
	return 1;
}

/* is_complete(text) -> boolean */
static int sql_is_complete(lua_State *L)
{
	lua_pushboolean(L, mw_sql_is_complete(luaL_checkstring(L, 1)));
	return 1;
}

static void set_text(lua_State *L, const char *name, const char *text)
{
	lua_pushstring(L, text); /* nil for NULL */
	lua_setfield(L, -2, name);
}

static void set_flag(lua_State *L, const char *name, unsigned flag)
{
	lua_pushboolean(L, flag != 0);
	lua_setfield(L, -2, name);
}

static void push_columns(lua_State *L, const struct mw_sql_column *columns)
{
	lua_newtable(L);
	for (lua_Integer i = 0; columns[i].name; i++) {
		const struct mw_sql_column *column = &columns[i];
		lua_createtable(L, 0, 11);
		set_text(L, "name", column->name);
		set_text(L, "type", mw_sql_type_name(column->type));
		set_text(L, "doc", column->doc);
		set_text(L, "collate", column->collate);
		set_flag(L, "index", column->options & MW_SQL_INDEX);
		set_flag(L, "additional", column->options & MW_SQL_ADDITIONAL);
		set_flag(L, "required", column->options & MW_SQL_REQUIRED);
		set_flag(L, "range", column->options & MW_SQL_RANGE);
		set_flag(L, "like", column->options & MW_SQL_LIKE);
		set_flag(L, "hidden", column->options & (MW_SQL_HIDDEN | MW_SQL_FOREIGN));
		set_flag(L, "foreign", column->options & MW_SQL_FOREIGN);
		lua_rawseti(L, -2, i + 1);
	}
}

/* Push the CREATE TABLE of a table. */
static void push_schema(lua_State *L, const struct mw_sql_table *table)
{
	/* Room of Lua's, had first: nothing can raise while the buffer holds memory of ours. */
	char *copy = lua_newuserdatauv(L, SCHEMA_BYTES, 0);
	struct mw_buf text = MW_BUF(SCHEMA_BYTES);
	mw_sql_schema(table, &text);
	size_t size = text.size;
	if (size)
		memcpy(copy, text.data, size);
	mw_buf_release(&text);
	lua_pushlstring(L, copy, size);
	lua_remove(L, -2);
}

/* tables() -> list of {name, doc, source, example, schema, columns = {{name, type, doc, …}}} */
static int sql_tables(lua_State *L)
{
	const struct mw_sql_table *const *all = mw_sql_all_tables();
	if (!all)
		return luaL_error(L, "out of memory");
	lua_newtable(L);
	for (lua_Integer i = 0; all[i]; i++) {
		const struct mw_sql_table *table = all[i];
		lua_createtable(L, 0, 7);
		set_text(L, "name", table->name);
		set_text(L, "alias", table->alias);
		set_text(L, "doc", table->doc);
		set_text(L, "source", table->source);
		set_text(L, "example", table->example);
		push_schema(L, table);
		lua_setfield(L, -2, "schema");
		push_columns(L, table->columns);
		lua_setfield(L, -2, "columns");
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* functions() -> list of {name, family, arguments, doc, example, result, least, most, is_aggregate} */
static int sql_functions(lua_State *L)
{
	lua_Integer count = 0;
	lua_newtable(L);
	for (const struct mw_sql_family *const *family = mw_sql_families; *family; family++)
		for (const struct mw_sql_function *function = (*family)->functions; function->name; function++) {
			lua_createtable(L, 0, 9);
			set_text(L, "name", function->name);
			set_text(L, "family", (*family)->name);
			set_text(L, "arguments", function->arguments);
			set_text(L, "doc", function->doc);
			set_text(L, "example", function->example);
			set_text(L, "result", function->result);
			lua_pushinteger(L, function->least);
			lua_setfield(L, -2, "least");
			lua_pushinteger(L, function->most);
			lua_setfield(L, -2, "most");
			set_flag(L, "is_aggregate", function->step != NULL);
			lua_rawseti(L, -2, ++count);
		}
	return 1;
}

/* versions() -> {sqlite, pcre2} */
static int sql_versions(lua_State *L)
{
	lua_createtable(L, 0, 2);
	set_text(L, "sqlite", mw_sql_sqlite_version());
	set_text(L, "pcre2", mw_sql_regex_version());
	return 1;
}

static void make_class(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction close)
{
	luaL_newmetatable(L, name);
	lua_pushcfunction(L, close);
	lua_setfield(L, -2, "__gc");
	lua_pushcfunction(L, close);
	lua_setfield(L, -2, "__close");
	lua_newtable(L);
	luaL_setfuncs(L, methods, 0);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

int luaopen_moonwatch_sql(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"open", sql_open},
		{"tables", sql_tables},
		{"functions", sql_functions},
		{"versions", sql_versions},
		{"is_complete", sql_is_complete},
		{"layout", mw_lua_layout},
		{"sheet", mw_lua_sheet},
		{NULL, NULL},
	};
	static const luaL_Reg database_methods[] = {
		{"prepare", database_prepare},
		{"warnings", database_warnings},
		{"close", database_close},
		{NULL, NULL},
	};
	static const luaL_Reg query_methods[] = {
		{"columns", query_columns}, {"types", query_types}, {"step", query_step},
		{"texts", query_texts},     {"close", query_close}, {NULL, NULL},
	};
	make_class(L, DATABASE, database_methods, database_close);
	make_class(L, QUERY, query_methods, query_close);
	mw_lua_layout_class(L);
	mw_lua_sheet_class(L);
	luaL_newlib(L, functions);
	return 1;
}

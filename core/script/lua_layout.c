/* A layout is made for each result: what stands before, between and behind values and rows, and how values are quoted.
 *
 * With Lua making the text of each value a result of some hundred processes took longer to show than to find. */
#include "script/lua_layout.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "script/bind.h"
#include "script/text.h"
#include "sql/db.h"

#define LAYOUT "moonwatch.Layout"

enum {
	/* Of one row, and what is given out at once. */
	ROW_BYTES = 256 << 20,
	CHUNK_BYTES = 32 << 10,
	PRINTABLE_BYTES = 64 << 10, /* of one value */
};

enum quote {
	QUOTE_JSON,
	QUOTE_CSV,
	QUOTE_PRINTABLE,
};
static const char *const quotes[] = {"json", "csv", "printable", NULL};

struct piece {
	const char *text; /* kept by the user value; NULL in `columns` for one that is not shown */
	size_t n;
};

struct layout {
	struct mw_buf out;
	enum quote quote;
	struct piece first, between_rows, open, close, between, null, separator;
	bool has_rows, has_failed, is_over;
	int code; /* of the failure */
	struct mw_err err;
	unsigned count;
	struct piece columns[]; /* what stands before each value */
};

static struct layout *check_layout(lua_State *L)
{
	return luaL_checkudata(L, 1, LAYOUT);
}

/* The string on the top of the stack, which is taken: kept as long as the layout, at index `keeper`. */
static struct piece keep(lua_State *L, int keeper)
{
	struct piece piece;
	piece.text = lua_tolstring(L, -1, &piece.n);
	lua_rawseti(L, keeper, (lua_Integer)lua_rawlen(L, keeper) + 1);
	return piece;
}

static struct piece option(lua_State *L, int keeper, const char *name)
{
	lua_getfield(L, 1, name);
	if (lua_isnil(L, -1)) {
		lua_pop(L, 1);
		lua_pushliteral(L, "");
	}
	luaL_argcheck(L, lua_type(L, -1) == LUA_TSTRING, 1, name);
	return keep(L, keeper);
}

/* layout{columns = {text|false, …}, quote = "json"|"csv"|"printable", first=, between_rows=, open=, close=, between=, null=,
 * separator=} */
int mw_lua_layout(lua_State *L)
{
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_getfield(L, 1, "quote");
	enum quote quote = (enum quote)luaL_checkoption(L, -1, NULL, quotes);
	lua_getfield(L, 1, "columns");
	luaL_checktype(L, -1, LUA_TTABLE);
	int columns = lua_gettop(L);
	unsigned count = (unsigned)lua_rawlen(L, columns);

	struct layout *layout = lua_newuserdatauv(L, sizeof(*layout) + count * sizeof(layout->columns[0]), 1);
	*layout = (struct layout){.out = MW_BUF(ROW_BYTES), .quote = quote, .count = count};
	luaL_setmetatable(L, LAYOUT);
	lua_createtable(L, (int)count + 7, 0);
	int keeper = lua_gettop(L);
	lua_pushvalue(L, keeper);
	lua_setiuservalue(L, -3, 1);

	layout->first = option(L, keeper, "first");
	layout->between_rows = option(L, keeper, "between_rows");
	layout->open = option(L, keeper, "open");
	layout->close = option(L, keeper, "close");
	layout->between = option(L, keeper, "between");
	layout->null = option(L, keeper, "null");
	layout->separator = option(L, keeper, "separator");
	for (unsigned i = 0; i < count; i++) {
		layout->columns[i] = (struct piece){.text = NULL};
		if (lua_rawgeti(L, columns, (lua_Integer)i + 1) == LUA_TSTRING)
			layout->columns[i] = keep(L, keeper);
		else
			lua_pop(L, 1);
	}
	lua_pop(L, 1);
	return 1;
}

static void add(struct mw_buf *out, const struct piece *piece)
{
	if (piece->n)
		mw_buf_add(out, piece->text, piece->n);
}

static bool is_space(char c)
{
	return isspace((unsigned char)c) != 0;
}

/* RFC 4180: quoted when it holds the separator, a quote, a line break or blanks at an end. */
static void add_csv(struct layout *layout, const char *text, size_t n)
{
	struct mw_buf *out = &layout->out;
	bool must_quote = n && (is_space(text[0]) || is_space(text[n - 1]) || memchr(text, '"', n) ||
				memchr(text, '\n', n) || memchr(text, '\r', n) ||
				(layout->separator.n && memmem(text, n, layout->separator.text, layout->separator.n)));
	if (!must_quote) {
		if (n)
			mw_buf_add(out, text, n);
		return;
	}
	mw_buf_char(out, '"');
	for (const char *at = text, *end = text + n; at < end;) {
		const char *quote = memchr(at, '"', (size_t)(end - at));
		const char *stop = quote ? quote + 1 : end;
		mw_buf_add(out, at, (size_t)(stop - at));
		if (quote)
			mw_buf_char(out, '"');
		at = stop;
	}
	mw_buf_char(out, '"');
}

static void add_printable(struct mw_buf *out, const char *text, size_t n)
{
	size_t plain = 0;
	while (plain < n && text[plain] >= ' ' && text[plain] <= '~')
		plain++;
	if (plain == n)
		mw_buf_add(out, text, n);
	else
		mw_text_printable(out, text, n, PRINTABLE_BYTES);
}

static void add_value(struct layout *layout, const char *text, size_t n)
{
	if (!text) {
		add(&layout->out, &layout->null);
		return;
	}
	switch (layout->quote) {
	case QUOTE_JSON:
		mw_json_string(&layout->out, text, n);
		break;
	case QUOTE_CSV:
		add_csv(layout, text, n);
		break;
	case QUOTE_PRINTABLE:
		add_printable(&layout->out, text, n);
		break;
	}
}

/* One row whose values `value` knows. */
static void add_row(struct layout *layout, const char *(*value)(void *data, unsigned column, size_t *ret_n), void *data)
{
	struct mw_buf *out = &layout->out;
	bool is_first = true;
	add(out, layout->has_rows ? &layout->between_rows : &layout->first);
	layout->has_rows = true;
	add(out, &layout->open);
	for (unsigned i = 0; i < layout->count; i++) {
		if (!layout->columns[i].text)
			continue;
		size_t n = 0;
		const char *text = value(data, i, &n);
		if (!is_first)
			add(out, &layout->between);
		is_first = false;
		add(out, &layout->columns[i]);
		add_value(layout, text, n);
	}
	add(out, &layout->close);
}

static int push(lua_State *L, struct layout *layout)
{
	if (mw_buf_status(&layout->out) < 0)
		return mw_lua_fail(L, -ENOBUFS, "a row is too long to be shown");
	lua_pushlstring(L, layout->out.data ? layout->out.data : "", layout->out.size);
	return 1;
}

/* Strings of the table at index 2, which keeps them. */
static const char *value_of_list(void *data, unsigned column, size_t *ret_n)
{
	lua_State *L = data;
	int type = lua_rawgeti(L, 2, (lua_Integer)column + 1);
	const char *text = type == LUA_TSTRING ? lua_tolstring(L, -1, ret_n) : NULL;
	lua_pop(L, 1);
	return text;
}

/* layout:row(values) -> text | nil, message, code */
static int layout_row(lua_State *L)
{
	struct layout *layout = check_layout(L);
	luaL_checktype(L, 2, LUA_TTABLE);
	mw_buf_clear(&layout->out);
	add_row(layout, value_of_list, L);
	return push(L, layout);
}

static const char *value_of_query(void *data, unsigned column, size_t *ret_n)
{
	return mw_sql_value_bytes(data, column, ret_n);
}

/* layout:rows(query) -> text of some rows | false at the end | nil, message, code
 * Rows before a failure are given first. */
static int layout_rows(lua_State *L)
{
	struct layout *layout = check_layout(L);
	struct mw_sql_query *query = mw_lua_check_query(L, 2);
	luaL_argcheck(L, mw_sql_columns(query) == layout->count, 2, "not what the layout was made for");
	mw_buf_clear(&layout->out);
	while (!layout->is_over && !layout->out.failed && layout->out.size < CHUNK_BYTES) {
		layout->code = mw_sql_step(query, &layout->err);
		layout->is_over = layout->code <= 0;
		if (layout->code > 0)
			add_row(layout, value_of_query, query);
	}
	if (layout->out.size || layout->out.failed)
		return push(L, layout);
	if (layout->code < 0 && !layout->has_failed) {
		layout->has_failed = true;
		return mw_lua_fail(L, layout->code, layout->err.text);
	}
	lua_pushboolean(L, false);
	return 1;
}

static int layout_gc(lua_State *L)
{
	mw_buf_release(&check_layout(L)->out);
	return 0;
}

void mw_lua_layout_class(lua_State *L)
{
	static const luaL_Reg methods[] = {{"row", layout_row}, {"rows", layout_rows}, {NULL, NULL}};
	luaL_newmetatable(L, LAYOUT);
	lua_pushcfunction(L, layout_gc);
	lua_setfield(L, -2, "__gc");
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

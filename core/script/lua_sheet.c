/* A sheet gathers rows as printable texts, one after the other in a buffer, with how wide each is on a terminal; then writes them as
 * lines.  With Lua doing that for each cell, some hundred processes took half as long to show as to find. */
#include "script/lua_sheet.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "script/bind.h"
#include "script/lua_layout.h"
#include "script/text.h"
#include "sql/db.h"

#define SHEET "moonwatch.Sheet"

enum {
	TEXTS_BYTES = 256 << 20,
	PRINTABLE_BYTES = 64 << 10, /* of one value */
	COLUMNS = 2000,             /* SQLITE_MAX_COLUMN */
};

struct cell {
	uint32_t bytes; /* of its text, which stands behind that of the cell before */
	uint32_t width;
};

struct sheet {
	struct mw_buf texts, out;
	struct cell *cells; /* rows × columns */
	size_t rows, room;
	unsigned columns;
	bool trims, is_over;
	int code; /* why it is over */
	struct mw_err err;
};

/* What is kept in the table that is its user value. */
enum {
	KEPT_WIDTH = 1, /* function(text) -> cells */
	KEPT_FIRST,
	KEPT_BETWEEN,
	KEPT_CLOSE,
	KEPT_NULL,
	KEPT_COUNT = KEPT_NULL,
};

static struct sheet *check_sheet(lua_State *L)
{
	return luaL_checkudata(L, 1, SHEET);
}

/* sheet{columns = N, width = function, first=, between=, close=, null=, trims=BOOL} */
int mw_lua_sheet(lua_State *L)
{
	static const char *const kept[] = {[KEPT_WIDTH] = "width",
					   [KEPT_FIRST] = "first",
					   [KEPT_BETWEEN] = "between",
					   [KEPT_CLOSE] = "close",
					   [KEPT_NULL] = "null"};
	luaL_checktype(L, 1, LUA_TTABLE);
	lua_getfield(L, 1, "columns");
	lua_Integer columns = luaL_checkinteger(L, -1);
	luaL_argcheck(L, columns > 0 && columns <= COLUMNS, 1, "columns");
	lua_getfield(L, 1, "trims");
	bool trims = lua_toboolean(L, -1);
	struct sheet *sheet = lua_newuserdatauv(L, sizeof(*sheet), 1);
	*sheet = (struct sheet){
		.texts = MW_BUF(TEXTS_BYTES),
		.out = MW_BUF(TEXTS_BYTES),
		.columns = (unsigned)columns,
		.trims = trims,
	};
	luaL_setmetatable(L, SHEET);
	lua_createtable(L, KEPT_COUNT, 0);
	for (int i = KEPT_WIDTH; i <= KEPT_COUNT; i++) {
		int type = lua_getfield(L, 1, kept[i]);
		luaL_argcheck(L, type == (i == KEPT_WIDTH ? LUA_TFUNCTION : LUA_TSTRING), 1, kept[i]);
		lua_rawseti(L, -2, i);
	}
	lua_setiuservalue(L, -2, 1);
	return 1;
}

/* Cells that the `n` bytes behind `from` take: one each, unless there are others than ASCII; of those Lua knows. */
static uint32_t width_of(lua_State *L, const struct sheet *sheet, size_t from, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)sheet->texts.data[from + i] >= 0x80) {
			lua_getiuservalue(L, 1, 1);
			lua_rawgeti(L, -1, KEPT_WIDTH);
			lua_pushlstring(L, sheet->texts.data + from, n);
			lua_call(L, 1, 1);
			uint32_t width = (uint32_t)lua_tointeger(L, -1);
			lua_pop(L, 2);
			return width;
		}
	return (uint32_t)n;
}

static void add_cell(lua_State *L, struct sheet *sheet, struct cell *cell, const char *text, size_t n)
{
	size_t from = sheet->texts.size;
	size_t plain = 0;
	while (plain < n && text[plain] >= ' ' && text[plain] <= '~')
		plain++;
	if (plain < n)
		mw_text_printable(&sheet->texts, text, n, PRINTABLE_BYTES);
	else if (n)
		mw_buf_add(&sheet->texts, text, n);
	cell->bytes = (uint32_t)(sheet->texts.size - from);
	cell->width = width_of(L, sheet, from, cell->bytes);
}

/* Room for one row more. */
static struct cell *begin_row(lua_State *L, struct sheet *sheet)
{
	if (sheet->rows == sheet->room) {
		size_t room = sheet->room ? sheet->room * 2 : 16;
		struct cell *cells = reallocarray(sheet->cells, room * sheet->columns, sizeof(*cells));
		if (!cells)
			(void)luaL_error(L, "out of memory");
		sheet->cells = cells;
		sheet->room = room;
	}
	return sheet->cells + sheet->rows * sheet->columns;
}

static void end_row(lua_State *L, struct sheet *sheet)
{
	if (mw_buf_status(&sheet->texts) < 0)
		(void)luaL_error(L, "rows are too long to be shown");
	sheet->rows++;
}

/* NULL's text, at the top of the stack. */
static const char *push_null(lua_State *L, size_t *ret_n)
{
	lua_getiuservalue(L, 1, 1);
	lua_rawgeti(L, -1, KEPT_NULL);
	lua_remove(L, -2);
	return lua_tolstring(L, -1, ret_n);
}

/* sheet:row(values): gather one row of a list */
static int sheet_row(lua_State *L)
{
	struct sheet *sheet = check_sheet(L);
	luaL_checktype(L, 2, LUA_TTABLE);
	size_t null_bytes;
	const char *null = push_null(L, &null_bytes);
	struct cell *cells = begin_row(L, sheet);
	for (unsigned i = 0; i < sheet->columns; i++) {
		size_t n = 0;
		const char *text =
			lua_rawgeti(L, 2, (lua_Integer)i + 1) == LUA_TSTRING ? lua_tolstring(L, -1, &n) : NULL;
		add_cell(L, sheet, &cells[i], text ? text : null, text ? n : null_bytes);
		lua_pop(L, 1);
	}
	end_row(L, sheet);
	return 0;
}

/* sheet:rows(query, most) -> how many were gathered, 0 at the end | nil, message, code
 * Rows before a failure are given first. */
static int sheet_rows(lua_State *L)
{
	struct sheet *sheet = check_sheet(L);
	struct mw_sql_query *query = mw_lua_check_query(L, 2);
	lua_Integer most = luaL_checkinteger(L, 3);
	luaL_argcheck(L, mw_sql_columns(query) == sheet->columns, 2, "not what the sheet was made for");
	size_t null_bytes;
	const char *null = push_null(L, &null_bytes);
	lua_Integer count = 0;
	while (!sheet->is_over && count < most) {
		sheet->code = mw_sql_step(query, &sheet->err);
		sheet->is_over = sheet->code <= 0;
		if (sheet->is_over)
			break;
		struct cell *cells = begin_row(L, sheet);
		for (unsigned i = 0; i < sheet->columns; i++) {
			size_t n = 0;
			const char *text = mw_sql_value_bytes(query, i, &n);
			add_cell(L, sheet, &cells[i], text ? text : null, text ? n : null_bytes);
		}
		end_row(L, sheet);
		count++;
	}
	if (count == 0 && sheet->code < 0) {
		int code = sheet->code;
		sheet->code = 0;
		return mw_lua_fail(L, code, sheet->err.text);
	}
	lua_pushinteger(L, count);
	return 1;
}

/* sheet:widen(widths, most): make each at least what the rows that were gathered need, but not for what is wider than `most` */
static int sheet_widen(lua_State *L)
{
	const struct sheet *sheet = check_sheet(L);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_Integer most = luaL_checkinteger(L, 3);
	for (unsigned i = 0; i < sheet->columns; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		lua_Integer width = luaL_checkinteger(L, -1);
		lua_pop(L, 1);
		for (size_t row = 0; row < sheet->rows; row++) {
			lua_Integer needs = (lua_Integer)sheet->cells[row * sheet->columns + i].width;
			needs = needs < most ? needs : most;
			width = needs > width ? needs : width;
		}
		lua_pushinteger(L, width);
		lua_rawseti(L, 2, (lua_Integer)i + 1);
	}
	return 0;
}

static void add_blanks(struct mw_buf *out, lua_Integer count)
{
	static const char blanks[] = "                                                                ";
	for (lua_Integer most = sizeof(blanks) - 1; count > 0; count -= most)
		mw_buf_add(out, blanks, (size_t)(count < most ? count : most));
}

static void add_line(struct sheet *sheet, const struct cell *cells, const char *text, const lua_Integer *widths,
		     const char *const pieces[KEPT_COUNT + 1], const size_t bytes[KEPT_COUNT + 1])
{
	struct mw_buf *out = &sheet->out;
	size_t start = out->size;
	mw_buf_add(out, pieces[KEPT_FIRST], bytes[KEPT_FIRST]);
	for (unsigned i = 0; i < sheet->columns; i++) {
		if (i)
			mw_buf_add(out, pieces[KEPT_BETWEEN], bytes[KEPT_BETWEEN]);
		mw_buf_add(out, text, cells[i].bytes);
		add_blanks(out, widths[i] - (lua_Integer)cells[i].width); /* one that is wider is shown whole */
		text += cells[i].bytes;
	}
	mw_buf_add(out, pieces[KEPT_CLOSE], bytes[KEPT_CLOSE]);
	while (sheet->trims && out->size > start && out->data[out->size - 1] == ' ')
		out->size--;
	mw_buf_char(out, '\n');
}

/* sheet:take(widths) -> lines of the rows that were gathered, which are gone from it then */
static int sheet_take(lua_State *L)
{
	struct sheet *sheet = check_sheet(L);
	luaL_checktype(L, 2, LUA_TTABLE);
	lua_Integer *widths = lua_newuserdatauv(L, sizeof(*widths) * sheet->columns, 0);
	for (unsigned i = 0; i < sheet->columns; i++) {
		lua_rawgeti(L, 2, (lua_Integer)i + 1);
		widths[i] = luaL_checkinteger(L, -1);
		lua_pop(L, 1);
	}
	const char *pieces[KEPT_COUNT + 1];
	size_t bytes[KEPT_COUNT + 1];
	lua_getiuservalue(L, 1, 1);
	for (int i = KEPT_FIRST; i <= KEPT_CLOSE; i++) {
		lua_rawgeti(L, -1, i);
		pieces[i] = lua_tolstring(L, -1, &bytes[i]);
		lua_pop(L, 1); /* the table has it */
	}
	const char *text = sheet->texts.data ? sheet->texts.data : "";
	mw_buf_clear(&sheet->out);
	for (size_t row = 0; row < sheet->rows; row++) {
		const struct cell *cells = sheet->cells + row * sheet->columns;
		add_line(sheet, cells, text, widths, pieces, bytes);
		for (unsigned i = 0; i < sheet->columns; i++)
			text += cells[i].bytes;
	}
	sheet->rows = 0;
	mw_buf_clear(&sheet->texts);
	if (mw_buf_status(&sheet->out) < 0)
		return luaL_error(L, "rows are too long to be shown");
	lua_pushlstring(L, sheet->out.data ? sheet->out.data : "", sheet->out.size);
	return 1;
}

static int sheet_gc(lua_State *L)
{
	struct sheet *sheet = check_sheet(L);
	mw_buf_release(&sheet->texts);
	mw_buf_release(&sheet->out);
	free(sheet->cells);
	sheet->cells = NULL;
	sheet->rows = sheet->room = 0;
	return 0;
}

void mw_lua_sheet_class(lua_State *L)
{
	static const luaL_Reg methods[] = {
		{"row", sheet_row}, {"rows", sheet_rows}, {"take", sheet_take}, {"widen", sheet_widen}, {NULL, NULL}};
	luaL_newmetatable(L, SHEET);
	lua_pushcfunction(L, sheet_gc);
	lua_setfield(L, -2, "__gc");
	luaL_newlib(L, methods);
	lua_setfield(L, -2, "__index");
	lua_pop(L, 1);
}

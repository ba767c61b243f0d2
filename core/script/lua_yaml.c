/* moonwatch.yaml: a text in YAML 1.1 as a tree that knows where each node stands, so that a text can be changed in some places
 * and stay as it was elsewhere (lua/meta/moonwatch.yaml.lua).
 *
 * libyaml counts characters, Lua counts bytes: a pointer into the text follows the marks, which come in order but for the
 * ends of blocks. */
#include <stdbool.h>
#include <string.h>

#include <yaml.h>

#include "script/bind.h"

enum {
	TEXT_BYTES = 4 << 20,
	DEPTH = 64,
	NODES = 1 << 18,
};

static const char class_name[] = "moonwatch.yaml.parser";

struct reader {
	yaml_parser_t parser;
	yaml_event_t event;
	bool has_parser, has_event;
	const char *text;
	size_t bytes;
	/* Character `character` begins at byte `byte`. */
	size_t character, byte;
	unsigned nodes;
};

static int reader_gc(lua_State *L)
{
	struct reader *reader = luaL_checkudata(L, 1, class_name);
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	if (reader->has_parser)
		yaml_parser_delete(&reader->parser);
	reader->has_event = reader->has_parser = false;
	return 0;
}

static struct reader *new_reader(lua_State *L)
{
	struct reader *reader = lua_newuserdatauv(L, sizeof(*reader), 0);
	*reader = (struct reader){0};
	if (luaL_newmetatable(L, class_name)) {
		lua_pushcfunction(L, reader_gc);
		lua_setfield(L, -2, "__gc");
	}
	lua_setmetatable(L, -2);
	return reader;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* From 1, as Lua counts. */
static lua_Integer place(struct reader *reader, const yaml_mark_t *mark)
{
	for (; reader->character < mark->index && reader->byte < reader->bytes; reader->character++)
		do
			reader->byte++;
		while (reader->byte < reader->bytes && is_continuation(reader->text[reader->byte]));
	for (; reader->character > mark->index && reader->byte > 0; reader->character--)
		do
			reader->byte--;
		while (reader->byte > 0 && is_continuation(reader->text[reader->byte]));
	return (lua_Integer)reader->byte + 1;
}

/* Raises the message of what is wrong, for yaml_parse() to return. */
static int fail(lua_State *L, const yaml_mark_t *mark, const char *what)
{
	lua_pushfstring(L, "line %d, column %d: %s", (int)mark->line + 1, (int)mark->column + 1, what);
	return lua_error(L);
}

static void next(lua_State *L, struct reader *reader)
{
	if (reader->has_event)
		yaml_event_delete(&reader->event);
	reader->has_event = false;
	if (!yaml_parser_parse(&reader->parser, &reader->event)) {
		const yaml_parser_t *parser = &reader->parser;
		if (parser->error == YAML_READER_ERROR)
			luaL_error(L, "byte %d: %s", (int)parser->problem_offset, parser->problem);
		(void)fail(L, &parser->problem_mark, parser->problem ? parser->problem : "out of memory");
	}
	reader->has_event = true;
}

static void set_text(lua_State *L, const char *name, const yaml_char_t *text)
{
	if (!text)
		return;
	lua_pushstring(L, (const char *)text);
	lua_setfield(L, -2, name);
}

static void set_place(lua_State *L, struct reader *reader, const char *name, const yaml_mark_t *mark)
{
	lua_pushinteger(L, place(reader, mark));
	lua_setfield(L, -2, name);
}

static void begin(lua_State *L, struct reader *reader, const char *kind)
{
	lua_createtable(L, 0, 6);
	lua_pushstring(L, kind);
	lua_setfield(L, -2, "kind");
	set_place(L, reader, "from", &reader->event.start_mark);
	lua_pushinteger(L, (lua_Integer)reader->event.start_mark.column + 1);
	lua_setfield(L, -2, "column");
}

static void push_scalar(lua_State *L, struct reader *reader)
{
	static const char *const styles[] = {
		[YAML_ANY_SCALAR_STYLE] = "plain",
		[YAML_PLAIN_SCALAR_STYLE] = "plain",
		[YAML_SINGLE_QUOTED_SCALAR_STYLE] = "single",
		[YAML_DOUBLE_QUOTED_SCALAR_STYLE] = "double",
		[YAML_LITERAL_SCALAR_STYLE] = "literal",
		[YAML_FOLDED_SCALAR_STYLE] = "folded",
	};
	const yaml_event_t *event = &reader->event;
	begin(L, reader, "text");
	set_place(L, reader, "to", &event->end_mark);
	lua_pushlstring(L, (const char *)event->data.scalar.value, event->data.scalar.length);
	lua_setfield(L, -2, "text");
	lua_pushstring(L, styles[event->data.scalar.style]);
	lua_setfield(L, -2, "style");
	set_text(L, "tag", event->data.scalar.tag);
	set_text(L, "anchor", event->data.scalar.anchor);
}

/* Push the node that the current event begins; the current event is its last one afterwards. */
static void push_node(lua_State *L, struct reader *reader, unsigned depth)
{
	const yaml_event_t *event = &reader->event;
	if (depth > DEPTH)
		(void)fail(L, &event->start_mark, "nested too deep");
	if (++reader->nodes > NODES)
		(void)fail(L, &event->start_mark, "too many values");
	luaL_checkstack(L, 8, "nested too deep");
	bool is_flow;
	lua_Integer n = 0;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		push_scalar(L, reader);
		return;
	case YAML_ALIAS_EVENT:
		begin(L, reader, "alias");
		set_place(L, reader, "to", &event->end_mark);
		set_text(L, "text", event->data.alias.anchor);
		return;
	case YAML_SEQUENCE_START_EVENT:
		begin(L, reader, "list");
		set_text(L, "tag", event->data.sequence_start.tag);
		set_text(L, "anchor", event->data.sequence_start.anchor);
		is_flow = event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE;
		for (next(L, reader); event->type != YAML_SEQUENCE_END_EVENT; next(L, reader)) {
			push_node(L, reader, depth + 1);
			lua_rawseti(L, -2, ++n);
		}
		break;
	case YAML_MAPPING_START_EVENT:
		begin(L, reader, "map");
		set_text(L, "tag", event->data.mapping_start.tag);
		set_text(L, "anchor", event->data.mapping_start.anchor);
		is_flow = event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
		for (next(L, reader); event->type != YAML_MAPPING_END_EVENT; next(L, reader)) {
			lua_createtable(L, 0, 2);
			push_node(L, reader, depth + 1);
			lua_setfield(L, -2, "key");
			next(L, reader);
			push_node(L, reader, depth + 1);
			lua_setfield(L, -2, "value");
			lua_rawseti(L, -2, ++n);
		}
		break;
	default:
		(void)fail(L, &event->start_mark, "not a value");
		return;
	}
	set_place(L, reader, "to", &event->end_mark);
	lua_pushboolean(L, is_flow);
	lua_setfield(L, -2, "flow");
}

/* (reader) -> list of roots */
static int read_documents(lua_State *L)
{
	struct reader *reader = luaL_checkudata(L, 1, class_name);
	lua_Integer n = 0;
	lua_newtable(L);
	do {
		next(L, reader);
		if (reader->event.type != YAML_DOCUMENT_START_EVENT)
			continue;
		next(L, reader);
		push_node(L, reader, 1);
		lua_rawseti(L, -2, ++n);
	} while (reader->event.type != YAML_STREAM_END_EVENT);
	return 1;
}

/* parse(text) -> documents | nil, message */
static int yaml_parse(lua_State *L)
{
	size_t bytes;
	const char *text = luaL_checklstring(L, 1, &bytes);
	lua_settop(L, 1);
	if (bytes > TEXT_BYTES) {
		lua_pushnil(L);
		lua_pushfstring(L, "larger than %d bytes", TEXT_BYTES);
		return 2;
	}
	lua_pushcfunction(L, read_documents);
	struct reader *reader = new_reader(L);
	reader->text = text;
	reader->bytes = bytes;
	if (!yaml_parser_initialize(&reader->parser))
		return luaL_error(L, "out of memory");
	reader->has_parser = true;
	yaml_parser_set_encoding(&reader->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&reader->parser, (const unsigned char *)text, bytes);
	if (lua_pcall(L, 1, 1, 0) == LUA_OK)
		return 1;
	lua_pushnil(L);
	lua_insert(L, -2);
	return 2;
}

static const luaL_Reg functions[] = {{"parse", yaml_parse}, {NULL, NULL}};

int luaopen_moonwatch_yaml(lua_State *L);

int luaopen_moonwatch_yaml(lua_State *L)
{
	luaL_newlib(L, functions);
	return 1;
}

/* moonwatch.event: events, alerts, processes as Lua sees them.
 *
 * A view is a userdata that points to a C object and knows its shape; fields are read when asked for.  The object is
 * borrowed, so a view is dead once the generation it was made in has ended: using it then is an error, not a crash.
 * Objects within objects are kept in user values, so that however many rules walk up the ancestors of one event, each
 * is made once. */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/nearest.h"
#include "event/alert.h"
#include "event/lineage.h"
#include "script/bind.h"

int luaopen_moonwatch_event(lua_State *L);

enum {
	/* Sixteen ancestors with a path each, arguments twice (argv, cmdline), six bytes for one when all is escaped. */
	JSON_BYTES = 1 << 20,
};

/* Every shape that Lua may meet, for fields(). */
static const struct mw_shape *const shapes[] = {
	&mw_event_shape, &mw_process_shape, &mw_file_shape,      &mw_socket_shape,    &mw_call_shape,
	&mw_gap_shape,   &mw_stdio_shape,   &mw_alert_shape,     &mw_container_shape, &mw_ecs_shape,
	&mw_rule_shape,  &mw_lineage_shape, &mw_executable_shape};

static const char view_magic;

struct view {
	const void *magic;
	const struct mw_shape *shape;
	const void *object;
	uint64_t generation;
};

/* The fields of a shape, as found by name: `name` is Lua's own copy.  Lua has each short string once, so that names are
 * equal when their addresses are, and a look along the list is quicker than a table. */
struct slots {
	const struct mw_shape *shape;
	struct slot {
		const char *name;
		const struct mw_field *field;
		int user_value; /* where a view of an object is kept, 0 for other fields */
	} list[];               /* ended by one without a name */
};

/* The view at `arg`, whatever its shape; alive. */
static struct view *check_view(lua_State *L, int arg)
{
	struct view *view = lua_touserdata(L, arg);
	if (!view || lua_rawlen(L, arg) < sizeof(*view) || view->magic != &view_magic) {
		(void)luaL_argerror(L, arg, "not an event");
		return NULL; /* not reached */
	}
	if (view->generation != mw_script_generation(mw_script_of(L)))
		luaL_error(L, "%s used after the call it was handed to; keep its values instead", view->shape->name);
	return view;
}

static int object_fields(const struct mw_shape *shape)
{
	int n = 0;
	for (const struct mw_field *field = shape->fields; field->name; field++)
		n += field->type == MW_OBJECT;
	return n;
}

static int view_index(lua_State *L);
static int view_pairs(lua_State *L);

static int view_tostring(lua_State *L)
{
	const struct view *view = lua_touserdata(L, 1);
	lua_pushstring(L, view ? view->shape->name : "?");
	return 1;
}

static int view_newindex(lua_State *L)
{
	return luaL_error(L, "events are read-only");
}

/* Push the metatable of views of a shape, made on first use. */
static void push_metatable(lua_State *L, const struct mw_shape *shape)
{
	if (lua_rawgetp(L, LUA_REGISTRYINDEX, shape) == LUA_TTABLE)
		return;
	lua_pop(L, 1);

	lua_createtable(L, 0, 6);
	size_t count = 0;
	while (shape->fields[count].name)
		count++;
	struct slots *slots = lua_newuserdatauv(L, sizeof(*slots) + sizeof(*slots->list) * (count + 1), 0);
	slots->shape = shape;
	slots->list[count].name = NULL;
	lua_createtable(L, (int)count, 0);
	int objects = 0;
	for (size_t i = 0; i < count; i++) {
		struct slot *slot = &slots->list[i];
		slot->field = &shape->fields[i];
		slot->user_value = slot->field->type == MW_OBJECT ? ++objects : 0;
		slot->name = lua_pushstring(L, slot->field->name);
		lua_rawseti(L, -2, (int)i + 1);
	}
	/* Upvalues: the slots, and what keeps their names. */
	lua_pushcclosure(L, view_index, 2);
	lua_setfield(L, -2, "__index");
	lua_pushcfunction(L, view_newindex);
	lua_setfield(L, -2, "__newindex");
	lua_pushcfunction(L, view_pairs);
	lua_setfield(L, -2, "__pairs");
	lua_pushcfunction(L, view_tostring);
	lua_setfield(L, -2, "__tostring");
	lua_pushliteral(L, "locked");
	lua_setfield(L, -2, "__metatable");
	lua_pushstring(L, shape->name);
	lua_setfield(L, -2, "__name");
	lua_pushvalue(L, -1);
	lua_rawsetp(L, LUA_REGISTRYINDEX, shape);
}

void mw_lua_push_object(lua_State *L, const struct mw_shape *shape, const void *object)
{
	luaL_checkstack(L, 8, "views");
	struct view *view = lua_newuserdatauv(L, sizeof(*view), object_fields(shape));
	*view = (struct view){&view_magic, shape, object, mw_script_generation(mw_script_of(L))};
	push_metatable(L, shape);
	lua_setmetatable(L, -2);
}

/* Push a view of the object in a field of the view at index 1: the one kept there, or a new one. */
static void push_child(lua_State *L, int user_value, const struct mw_shape *shape, const void *object)
{
	if (user_value && lua_getiuservalue(L, 1, user_value) == LUA_TUSERDATA)
		return;
	if (user_value)
		lua_pop(L, 1);
	mw_lua_push_object(L, shape, object);
	if (user_value) {
		lua_pushvalue(L, -1);
		lua_setiuservalue(L, 1, user_value);
	}
}

static void push_strings(lua_State *L, const char *text, size_t bytes)
{
	lua_newtable(L);
	int count = 0;
	for (size_t at = 0; at < bytes;) {
		size_t length = strnlen(text + at, bytes - at);
		lua_pushlstring(L, text + at, length);
		lua_rawseti(L, -2, ++count);
		at += length + 1;
	}
}

/* Push what `slot` of the view at index 1 holds. */
static void push_field(lua_State *L, const void *object, const struct slot *slot)
{
	struct mw_value value;
	char time[MW_RFC3339_BYTES];
	value.type = MW_NONE;
	slot->field->get(object, &value);
	switch (value.type) {
	case MW_NONE:
		lua_pushnil(L);
		break;
	case MW_INT:
		lua_pushinteger(L, value.integer);
		break;
	case MW_BOOL:
		lua_pushboolean(L, value.integer != 0);
		break;
	case MW_TEXT:
		lua_pushlstring(L, value.text, value.bytes);
		break;
	case MW_TIME:
		mw_clock_rfc3339(value.integer, time);
		lua_pushstring(L, time);
		break;
	case MW_STRINGS:
		push_strings(L, value.text, value.bytes);
		break;
	case MW_OBJECT:
		push_child(L, slot->user_value, slot->field->shape, value.object);
		break;
	case MW_OBJECTS:
		lua_createtable(L, (int)value.count, 0);
		for (unsigned i = 0; i < value.count; i++) {
			mw_lua_push_object(L, slot->field->shape, value.objects[i]);
			lua_rawseti(L, -2, (int)i + 1);
		}
		break;
	}
}

static int no_such_field(lua_State *L, const struct mw_shape *shape)
{
	const char *name = luaL_tolstring(L, 2, NULL);
	struct mw_nearest near = {.word = name};
	for (const struct mw_field *field = shape->fields; field->name; field++)
		mw_nearest_try(&near, field->name);
	return luaL_error(L, "%s has no field '%s'%s%s%s", shape->name, name, near.name ? "; did you mean '" : "",
			  near.name ? near.name : "", near.name ? "'?" : "");
}

static int view_index(lua_State *L)
{
	const struct view *view = check_view(L, 1);
	const struct slots *slots = lua_touserdata(L, lua_upvalueindex(1));
	if (view->shape != slots->shape)
		return luaL_argerror(L, 1, "of another shape");
	const char *name = lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : NULL;
	for (const struct slot *slot = slots->list; slot->name; slot++)
		if (slot->name == name) {
			push_field(L, view->object, slot);
			return 1;
		}
	return no_such_field(L, view->shape);
}

/* The iterator of pairs(): upvalue 1 counts the fields gone through. */
static int view_next(lua_State *L)
{
	const struct view *view = check_view(L, 1);
	lua_Integer at = lua_tointeger(L, lua_upvalueindex(1));
	const struct mw_field *field = &view->shape->fields[at];
	for (; field->name; field++) {
		at++;
		lua_settop(L, 1);
		lua_pushstring(L, field->name);
		lua_pushvalue(L, -1);
		lua_gettable(L, 1);
		if (lua_isnil(L, -1))
			continue;
		lua_pushinteger(L, at);
		lua_replace(L, lua_upvalueindex(1));
		return 2;
	}
	return 0;
}

static int view_pairs(lua_State *L)
{
	(void)check_view(L, 1);
	lua_pushinteger(L, 0);
	lua_pushcclosure(L, view_next, 1);
	lua_pushvalue(L, 1);
	return 2;
}

static int buf_gc(lua_State *L)
{
	mw_buf_release(lua_touserdata(L, 1));
	return 0;
}

/* json(item) -> string.  Upvalue 1 is a buffer, kept so that nothing leaks when pushing raises. */
static int event_json(lua_State *L)
{
	const struct view *view = check_view(L, 1);
	struct mw_buf *out = lua_touserdata(L, lua_upvalueindex(1));
	mw_buf_clear(out);
	mw_shape_json(out, view->shape, view->object);
	if (mw_buf_status(out) < 0)
		return luaL_error(L, "%s takes more than %d bytes of JSON", view->shape->name, JSON_BYTES);
	lua_pushlstring(L, out->data, out->size);
	return 1;
}

/* known(item, name): a field that costs something to find out, if it is known already; of a table, the field. */
static int event_known(lua_State *L)
{
	if (lua_istable(L, 1)) {
		lua_settop(L, 2);
		lua_gettable(L, 1);
		return 1;
	}
	const struct view *view = check_view(L, 1);
	const struct mw_field *field = mw_shape_field(view->shape, luaL_checkstring(L, 2));
	if (!field)
		return no_such_field(L, view->shape);
	struct mw_value value = {.type = MW_NONE};
	if (field->get_known)
		field->get_known(view->object, &value);
	if (value.type == MW_TEXT)
		lua_pushlstring(L, value.text, value.bytes);
	else
		lua_pushnil(L);
	return 1;
}

static void push_shape(lua_State *L, const struct mw_shape *shape)
{
	static const char *const types[] = {
		[MW_NONE] = "none", [MW_INT] = "int",         [MW_BOOL] = "bool",     [MW_TEXT] = "text",
		[MW_TIME] = "time", [MW_STRINGS] = "strings", [MW_OBJECT] = "object", [MW_OBJECTS] = "objects",
	};
	lua_newtable(L);
	lua_pushstring(L, shape->doc);
	lua_setfield(L, -2, "doc");
	lua_newtable(L);
	for (int i = 0; shape->fields[i].name; i++) {
		const struct mw_field *field = &shape->fields[i];
		lua_newtable(L);
		lua_pushstring(L, field->name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, types[field->type]);
		lua_setfield(L, -2, "type");
		lua_pushstring(L, field->unit);
		lua_setfield(L, -2, "unit");
		lua_pushstring(L, field->doc);
		lua_setfield(L, -2, "doc");
		lua_pushstring(L, field->shape ? field->shape->name : NULL);
		lua_setfield(L, -2, "shape");
		lua_rawseti(L, -2, i + 1);
	}
	lua_setfield(L, -2, "fields");
}

/* fields() -> shape name -> {doc, fields} */
static int event_fields(lua_State *L)
{
	lua_newtable(L);
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) { /* NOLINT(bugprone-sizeof-expression) */
		push_shape(L, shapes[i]);
		lua_setfield(L, -2, shapes[i]->name);
	}
	return 1;
}

/* kinds() -> list of {name, doc} */
static int event_kinds(lua_State *L)
{
	lua_newtable(L);
	for (int i = 0; i < MW_EVENT_KINDS; i++) {
		lua_newtable(L);
		lua_pushstring(L, mw_event_kinds[i].name);
		lua_setfield(L, -2, "name");
		lua_pushstring(L, mw_event_kinds[i].doc);
		lua_setfield(L, -2, "doc");
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

/* severities() -> list of names, lowest first */
static int event_severities(lua_State *L)
{
	lua_newtable(L);
	for (int i = 0; i < MW_SEVERITIES; i++) {
		lua_pushstring(L, mw_severity_names[i]);
		lua_rawseti(L, -2, i + 1);
	}
	return 1;
}

int luaopen_moonwatch_event(lua_State *L)
{
	static const luaL_Reg functions[] = {
		{"fields", event_fields},         {"kinds", event_kinds}, {"known", event_known},
		{"severities", event_severities}, {NULL, NULL},
	};
	luaL_newlib(L, functions);

	struct mw_buf *out = lua_newuserdatauv(L, sizeof(*out), 0);
	*out = (struct mw_buf)MW_BUF(JSON_BYTES);
	lua_createtable(L, 0, 1);
	lua_pushcfunction(L, buf_gc);
	lua_setfield(L, -2, "__gc");
	lua_setmetatable(L, -2);
	lua_pushcclosure(L, event_json, 1);
	lua_setfield(L, -2, "json");
	return 1;
}

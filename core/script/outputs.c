/* Outputs.  What a spec means, and which formats and sinks there are, is known to lua/moonwatch/output; here are the list
 * of opened ones and the way of an item through them. */
#include "script/outputs.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "loop/writer.h"
#include "script/bind.h"
#include "script/lua_writer.h"

enum {
	MAX_OUTPUTS = 16,
	/* Of the state that formats items: a few lines and their garbage. */
	MEMORY_BYTES = 64 << 20,
	/* For one item: some ten thousand times what the shipped formats take. */
	FORMAT_INSTRUCTIONS = 10000000,
	/* One item, as for the script that does it (lua_event.c). */
	JSON_BYTES = 1 << 20,
};

static const char *const stream_names[] = {
	[MW_STREAM_ALERTS] = "alerts",
	[MW_STREAM_EVENTS] = "events",
	[MW_STREAMS] = NULL,
};

struct output {
	enum mw_stream stream;
	bool is_plain; /* its lines are mw_shape_json() of the item: the script need not be asked */
	int format;    /* reference of the function in the registry */
	int sink;      /* reference that keeps the writer */
	struct mw_writer *writer;
};

struct mw_outputs {
	struct mw_script *script;
	unsigned count;
	struct output list[MAX_OUTPUTS];
	bool has_network;
	uint64_t failed; /* items that a format could not say */
	struct mw_buf json;
};

static int new_script(const char *tree, struct mw_script **ret_script, struct mw_err *err)
{
	struct mw_script_options options = {
		.kind = MW_SCRIPT_AGENT,
		.tree = tree,
		.memory_bytes = MEMORY_BYTES,
	};
	return mw_script_new(&options, ret_script, err);
}

struct member {
	const char *name, *text;
};

/* (member, moonwatch.item.context) */
static int set_member(lua_State *L)
{
	const struct member *member = lua_touserdata(L, 1);
	lua_pushstring(L, member->text);
	lua_setfield(L, 2, member->name);
	return 0;
}

static int set_context(struct mw_script *script, const char *name, const char *text, struct mw_err *err)
{
	struct member member = {name, text};
	int r = mw_script_require(script, "moonwatch.item.context", err);
	if (r < 0)
		return r;
	lua_State *L = mw_script_lua(script);
	lua_pushcfunction(L, set_member);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, &member);
	lua_insert(L, -2);
	return mw_script_call(script, 2, 0, 0, err);
}

int mw_outputs_set(struct mw_outputs *outputs, const char *name, const char *text, struct mw_err *err)
{
	return set_context(outputs->script, name, text, err);
}

/* What every item is told with. */
static int set_own_context(struct mw_outputs *outputs, struct mw_err *err)
{
	struct utsname system;
	int r = mw_outputs_set(outputs, "version", MOONWATCH_VERSION, err);
	if (r == 0 && uname(&system) == 0)
		r = mw_outputs_set(outputs, "host_name", system.nodename, err);
	return r;
}

struct request {
	struct mw_outputs *outputs; /* to fill, or NULL to check only */
	const char *spec;
	int code;
	struct mw_err *err;
};

/* Take one entry of the list on top of the stack, popped: {stream = name, format = function, writer = writer}. */
static void add_output(lua_State *L, struct mw_outputs *outputs)
{
	if (outputs->count == MAX_OUTPUTS)
		luaL_error(L, "more than %d outputs", MAX_OUTPUTS);
	struct output *output = &outputs->list[outputs->count];
	lua_getfield(L, -1, "stream");
	output->stream = (enum mw_stream)luaL_checkoption(L, -1, NULL, stream_names);
	lua_getfield(L, -2, "writer");
	output->writer = mw_lua_writer(L, -1);
	if (!output->writer)
		luaL_error(L, "a sink gave no writer");
	output->sink = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_getfield(L, -2, "format");
	output->format = luaL_ref(L, LUA_REGISTRYINDEX);
	lua_getfield(L, -2, "is_plain");
	output->is_plain = lua_toboolean(L, -1);
	outputs->count++;
	lua_pop(L, 3);
}

/* moonwatch.output's parse(spec) or open(spec): a list, or nil, message, code. */
static int call_outputs(lua_State *L)
{
	struct request *request = lua_touserdata(L, 1);
	lua_getfield(L, 2, request->outputs ? "open" : "parse");
	lua_pushstring(L, request->spec);
	lua_call(L, 1, 3);
	int list = lua_gettop(L) - 2;
	if (lua_isnil(L, list)) {
		request->code = -EINVAL;
		if (lua_isinteger(L, list + 2))
			request->code = -(int)lua_tointeger(L, list + 2);
		const char *message = lua_tostring(L, list + 1);
		(void)mw_err_set(request->err, request->code, "%s", message ? message : "refused without a reason");
		return 0;
	}
	lua_settop(L, list);
	if (!request->outputs)
		return 0;
	for (int i = 1; lua_rawgeti(L, list, i) == LUA_TTABLE; i++)
		add_output(L, request->outputs);
	lua_getfield(L, 2, "has_network");
	lua_pushstring(L, request->spec);
	lua_call(L, 1, 1);
	request->outputs->has_network = lua_toboolean(L, -1);
	return 0;
}

static int ask(struct mw_script *script, struct request *request)
{
	int r = mw_script_require(script, "moonwatch.output", request->err);
	if (r < 0)
		return r;
	lua_State *L = mw_script_lua(script);
	lua_pushcfunction(L, call_outputs);
	lua_insert(L, -2);
	lua_pushlightuserdata(L, request);
	lua_insert(L, -2);
	r = mw_script_call(script, 2, 0, 0, request->err);
	return r < 0 ? r : request->code;
}

int mw_outputs_check(const char *spec, const char *tree, struct mw_err *err)
{
	struct mw_script *script;
	int r = new_script(tree, &script, err);
	if (r < 0)
		return r;
	struct request request = {.spec = spec, .err = err};
	r = ask(script, &request);
	mw_script_free(script);
	return r;
}

int mw_outputs_open(const char *spec, const char *tree, struct mw_outputs **ret_outputs, struct mw_err *err)
{
	struct mw_outputs *outputs = calloc(1, sizeof(*outputs));
	if (!outputs)
		return mw_err_set(err, -ENOMEM, "no memory for outputs");
	outputs->json = (struct mw_buf)MW_BUF(JSON_BYTES);
	int r = new_script(tree, &outputs->script, err);
	if (r == 0)
		r = set_own_context(outputs, err);
	if (r == 0) {
		struct request request = {.outputs = outputs, .spec = spec, .err = err};
		r = ask(outputs->script, &request);
	}
	if (r < 0) {
		mw_outputs_free(outputs);
		return r;
	}
	*ret_outputs = outputs;
	return 0;
}

void mw_outputs_free(struct mw_outputs *outputs)
{
	if (!outputs)
		return;
	mw_script_free(outputs->script); /* collects the writers */
	mw_buf_release(&outputs->json);
	free(outputs);
}

bool mw_outputs_want(const struct mw_outputs *outputs, enum mw_stream stream)
{
	for (unsigned i = 0; i < outputs->count; i++)
		if (outputs->list[i].stream == stream && mw_writer_fd(outputs->list[i].writer) >= 0)
			return true;
	return false;
}

bool mw_outputs_have_network(const struct mw_outputs *outputs)
{
	return outputs->has_network;
}

struct item {
	struct mw_outputs *outputs;
	enum mw_stream stream;
	const struct mw_shape *shape;
	const void *object;
	const struct mw_buf *json; /* NULL: not made yet */
	unsigned next;             /* output to go on with, should one fail */
};

static int emit(lua_State *L)
{
	struct item *item = lua_touserdata(L, 1);
	mw_lua_push_object(L, item->shape, item->object);
	while (item->next < item->outputs->count) {
		const struct output *output = &item->outputs->list[item->next];
		if (output->stream == item->stream && output->is_plain)
			break;
		item->next++;
		if (output->stream != item->stream)
			continue;
		size_t n;
		lua_rawgeti(L, LUA_REGISTRYINDEX, output->format);
		lua_pushvalue(L, 2);
		lua_call(L, 1, 1);
		const char *line = lua_tolstring(L, -1, &n);
		if (!line)
			luaL_error(L, "a format gave no text");
		mw_writer_line(output->writer, line, n);
		lua_pop(L, 1);
	}
	return 0;
}

static void emit_plain(struct item *item, const struct output *output)
{
	struct mw_outputs *outputs = item->outputs;
	if (!item->json) {
		mw_buf_clear(&outputs->json);
		mw_shape_json(&outputs->json, item->shape, item->object);
		item->json = &outputs->json;
	}
	if (mw_buf_status(item->json) == 0)
		mw_writer_line(output->writer, item->json->data, item->json->size);
	else
		outputs->failed++;
}

/* By scripts, until one that needs none. */
static void emit_others(struct item *item)
{
	struct mw_outputs *outputs = item->outputs;
	lua_State *L = mw_script_lua(outputs->script);
	unsigned before = item->next;
	lua_pushcfunction(L, emit);
	lua_pushlightuserdata(L, item);
	if (mw_script_call(outputs->script, 1, 0, FORMAT_INSTRUCTIONS, NULL) < 0) {
		outputs->failed++;
		item->next += item->next == before;
	}
	mw_script_expire_views(outputs->script);
}

void mw_outputs_emit(struct mw_outputs *outputs, enum mw_stream stream, const struct mw_shape *shape,
		     const void *object, const struct mw_buf *json)
{
	struct item item = {.outputs = outputs, .stream = stream, .shape = shape, .object = object, .json = json};
	while (item.next < outputs->count) {
		const struct output *output = &outputs->list[item.next];
		if (output->stream != stream) {
			item.next++;
		} else if (output->is_plain) {
			item.next++;
			emit_plain(&item, output);
		} else {
			emit_others(&item);
		}
	}
}

bool mw_outputs_pump(struct mw_outputs *outputs)
{
	bool is_done = true;
	for (unsigned i = 0; i < outputs->count; i++)
		is_done &= mw_writer_pump(outputs->list[i].writer);
	return is_done;
}

void mw_outputs_flush(struct mw_outputs *outputs, int64_t deadline_ns)
{
	for (;;) {
		struct pollfd waiting[MAX_OUTPUTS];
		nfds_t count = 0;
		for (unsigned i = 0; i < outputs->count; i++)
			if (!mw_writer_pump(outputs->list[i].writer))
				waiting[count++] = (struct pollfd){
					.fd = mw_writer_fd(outputs->list[i].writer),
					.events = POLLOUT,
				};
		int64_t left_ns = deadline_ns - mw_clock_mono_ns();
		if (!count || left_ns <= 0)
			return;
		(void)poll(waiting, count, (int)((left_ns + MW_NS_PER_MS - 1) / MW_NS_PER_MS));
	}
}

void mw_outputs_close_stdio(struct mw_outputs *outputs)
{
	for (unsigned i = 0; i < outputs->count; i++)
		if (mw_writer_is_stdio(outputs->list[i].writer))
			mw_writer_close(outputs->list[i].writer);
}

uint64_t mw_outputs_dropped(const struct mw_outputs *outputs)
{
	uint64_t dropped = outputs->failed;
	for (unsigned i = 0; i < outputs->count; i++) {
		const struct mw_writer *writer = outputs->list[i].writer;
		bool is_counted = false; /* outputs to the same target share a writer */
		for (unsigned j = 0; j < i; j++)
			is_counted |= outputs->list[j].writer == writer;
		dropped += is_counted ? 0 : mw_writer_dropped(writer);
	}
	return dropped;
}

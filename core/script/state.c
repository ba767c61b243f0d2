/* Limits on a Lua state.  The allocator and the hook are the two places where Lua asks us while a script runs.
 *
 * Neither may allocate in the state when a limit is reached, so what they have to say is kept here, and the error they
 * raise is a light userdata; mw_script_call() puts both together. */
#include "script/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lualib.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "base/file.h"
#include "base/limits.h"
#include "script/bind.h"
#include "script/coverage.h"
#include "script/modules.h"
#include "script/pool.h"
#include "script/sandbox.h"

enum {
	/* Refused allocations that one call survives (each costs a full collection, and a script may go on after it by
	 * pcall); then the call is ended as if its budget were spent. */
	REFUSALS = 16,
	/* A chunk's name and line. */
	PLACE_BYTES = LUA_IDSIZE + 16,
};

/* State of one protected call; saved when calls nest. */
struct call {
	uint64_t instructions; /* budget, 0 for none */
	unsigned refusals;
	bool is_spent;
	volatile sig_atomic_t is_stopped; /* by mw_script_stop() */
	bool is_starved;
	char place[PLACE_BYTES]; /* where a limit was met; "" when none was */
};

struct mw_script {
	lua_State *lua;
	enum mw_script_kind kind;
	char *tree;
	struct mw_loop *loop;
	struct mw_coverage *coverage;
	struct mw_pool pool;
	size_t used_bytes;
	size_t cap_bytes;
	uint64_t generation;
	bool is_in_call;
	/* The last refusal was for a string that is too long in itself. */
	bool is_string_refused;
	struct call call;
};

/* Its address is the error value of a limit. */
static char limit_met;

static void on_count(lua_State *L, lua_Debug *where);

struct mw_script *mw_script_of(lua_State *L)
{
	return *(struct mw_script **)lua_getextraspace(L);
}

enum mw_script_kind mw_script_kind(const struct mw_script *script)
{
	return script->kind;
}

struct mw_loop *mw_script_loop(const struct mw_script *script)
{
	return script->loop;
}

struct mw_coverage *mw_script_coverage(const struct mw_script *script)
{
	return script->coverage;
}

const char *mw_script_tree(const struct mw_script *script)
{
	return script->tree;
}

bool mw_script_is_sandboxed(enum mw_script_kind kind)
{
	return kind == MW_SCRIPT_RULES || kind == MW_SCRIPT_PROFILE;
}

lua_State *mw_script_lua(struct mw_script *script)
{
	return script->lua;
}

uint64_t mw_script_generation(const struct mw_script *script)
{
	return script->generation;
}

void mw_script_expire_views(struct mw_script *script)
{
	script->generation++;
}

size_t mw_script_memory(const struct mw_script *script)
{
	return script->used_bytes;
}

void mw_script_collect(struct mw_script *script)
{
	lua_gc(script->lua, LUA_GCCOLLECT);
}

/* Keep the first place where the running call met a limit.  Allocates nothing. */
static void note_place(struct mw_script *script)
{
	struct call *call = &script->call;
	lua_Debug frame;
	if (call->place[0])
		return;
	for (int level = 0; lua_getstack(script->lua, level, &frame); level++) {
		lua_getinfo(script->lua, "Sl", &frame);
		if (frame.currentline > 0) {
			(void)snprintf(call->place, sizeof(call->place), "%s:%d: ", frame.short_src, frame.currentline);
			return;
		}
	}
}

static bool is_refused(struct mw_script *script, const void *block, size_t type, size_t more, size_t size)
{
	/* lua_Alloc: for a new object, the old size is its type. */
	script->is_string_refused =
		!block && type == LUA_TSTRING && mw_script_is_sandboxed(script->kind) && size > MW_SCRIPT_STRING_BYTES;
	if (!script->is_string_refused && (!script->cap_bytes || script->used_bytes + more <= script->cap_bytes))
		return false;
	if (!script->is_in_call)
		return true;
	note_place(script);
	if (++script->call.refusals >= REFUSALS && !script->call.is_spent && !script->call.is_starved) {
		script->call.is_starved = true;
		lua_sethook(script->lua, on_count, LUA_MASKCOUNT, 1);
	}
	return true;
}

static void *allocate(void *data, void *block, size_t old_bytes, size_t new_bytes)
{
	struct mw_script *script = data;
	size_t had = block ? old_bytes : 0;
	if (new_bytes == 0) {
		mw_pool_give(&script->pool, block, had);
		script->used_bytes -= had;
		return NULL;
	}
	if (new_bytes > had && is_refused(script, block, old_bytes, new_bytes - had, new_bytes))
		return NULL;
	void *moved = mw_pool_resize(&script->pool, block, had, new_bytes);
	if (!moved)
		return new_bytes <= had ? block : NULL; /* Lua relies on shrinking */
	script->used_bytes += new_bytes - had;
	return moved;
}

/* The budget is spent.  From here on each instruction raises the error again, so that no pcall can go on. */
static void on_count(lua_State *L, lua_Debug *where)
{
	(void)where;
	struct mw_script *script = mw_script_of(L);
	if (!script->call.is_starved)
		script->call.is_spent = true;
	note_place(script);
	lua_sethook(L, on_count, LUA_MASKCOUNT, 1);
	lua_pushlightuserdata(L, &limit_met);
	lua_error(L);
}

void mw_script_stop(struct mw_script *script)
{
	if (!script->is_in_call)
		return;
	script->call.is_stopped = 1;
	lua_sethook(script->lua, on_count, LUA_MASKCOUNT, 1);
}

/* The error as a string, with the way to it when the script is ours. */
static int on_error(lua_State *L)
{
	if (lua_touserdata(L, 1) == &limit_met)
		return 1;
	const char *text = luaL_tolstring(L, 1, NULL);
	if (!mw_script_is_sandboxed(mw_script_of(L)->kind))
		luaL_traceback(L, L, text, 1);
	return 1;
}

/* What the call failed for, from what it left on top, which is popped. */
static int explain(struct mw_script *script, int status, struct mw_err *err)
{
	lua_State *L = script->lua;
	const struct call *call = &script->call;
	int code = -EINVAL;
	if (call->is_starved || status == LUA_ERRMEM) {
		code = -ENOMEM;
		if (script->is_string_refused)
			(void)mw_err_set(err, code, "%sa string of more than %d bytes was made; keep strings shorter",
					 call->place, MW_SCRIPT_STRING_BYTES);
		else
			(void)mw_err_set(err, code, "%sout of memory: all scripts together may take %zu KiB",
					 call->place, script->cap_bytes >> 10);
	} else if (call->is_spent) {
		code = -ETIME;
		if (call->is_stopped)
			(void)mw_err_set(err, code, "%stook too long, within few instructions", call->place);
		else
			(void)mw_err_set(err, code, "%sran longer than %llu instructions", call->place,
					 (unsigned long long)call->instructions);
	} else {
		/* on_error() made it a string; reading one allocates nothing. */
		const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "error without a text";
		(void)mw_err_set(err, code, "%s", text);
	}
	if (err)
		for (char *c = err->text; *c; c++)
			if ((unsigned char)*c < ' ' || *c == 0x7F)
				*c = ' '; /* a script may write anything into its error; it is to be one line */
	lua_pop(L, 1);
	return code;
}

static void set_budget(struct mw_script *script)
{
	/* A hook of one kind: whoever asks for coverage has tried the limits before. */
	if (script->coverage) {
		lua_sethook(script->lua, mw_coverage_hook, LUA_MASKLINE, 0);
		return;
	}
	uint64_t instructions = script->call.instructions;
	if (instructions)
		lua_sethook(script->lua, on_count, LUA_MASKCOUNT, instructions > INT_MAX ? INT_MAX : (int)instructions);
}

void mw_script_renew_budget(struct mw_script *script)
{
	script->call.refusals = 0;
	script->call.is_stopped = 0;
	script->call.place[0] = '\0';
	set_budget(script);
}

int mw_script_call(struct mw_script *script, int arguments, int results, uint64_t instructions, struct mw_err *err)
{
	lua_State *L = script->lua;
	if (!lua_checkstack(L, 4)) {
		lua_pop(L, arguments + 1);
		return mw_err_set(err, -ENOMEM, "out of memory: no room on the Lua stack");
	}
	int function = lua_gettop(L) - arguments;
	lua_pushcfunction(L, on_error);
	lua_insert(L, function);

	struct call outer = script->call;
	bool was_in_call = script->is_in_call;
	lua_Hook outer_hook = lua_gethook(L);
	int outer_mask = lua_gethookmask(L);
	int outer_count = lua_gethookcount(L);
	script->call = (struct call){.instructions = instructions};
	script->is_in_call = true;
	set_budget(script);

	int status = lua_pcall(L, arguments, results, function);

	lua_sethook(L, outer_hook, outer_mask, outer_count);
	lua_remove(L, function);
	int r = status == LUA_OK ? 0 : explain(script, status, err);
	script->is_in_call = was_in_call;
	script->call = outer;
	return r;
}

static int call_require(lua_State *L)
{
	const char *name = lua_touserdata(L, 1);
	lua_pushcfunction(L, mw_modules_require);
	lua_pushstring(L, name);
	lua_call(L, 1, 1);
	return 1;
}

int mw_script_require(struct mw_script *script, const char *name, struct mw_err *err)
{
	lua_pushcfunction(script->lua, call_require);
	lua_pushlightuserdata(script->lua, (void *)(uintptr_t)name);
	return mw_script_call(script, 1, 1, 0, err);
}

/* What lies in the tree this program stands in is as much to be trusted as the program. */
static bool is_in_tree(const struct mw_script *script, const char *path)
{
	size_t length = strlen(script->tree);
	return strncmp(path, script->tree, length) == 0 && path[length] == '/' && !strstr(path, "/../");
}

/* Append the regular file at `path`. */
static int read_script(const char *path, bool is_trusted, struct mw_buf *text, struct mw_err *err)
{
	/* O_NONBLOCK: a FIFO lying there must not hold us. */
	MW_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return mw_err_set(err, -errno, "%s: cannot be opened: %s", path, strerror(errno));
	struct stat st;
	if (fstat(fd, &st) < 0)
		return mw_err_set(err, -errno, "%s: cannot be examined: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return mw_err_set(err, -EINVAL, "%s: not a regular file", path);
	if (!is_trusted) {
		int r = mw_file_trusted(fd, path, err);
		if (r < 0)
			return r;
	}
	int r = mw_file_read_fd(fd, text);
	if (r == -EFBIG)
		return mw_err_set(err, r, "%s: longer than %d bytes; split it", path, MW_SCRIPT_BYTES);
	if (r < 0)
		return mw_err_set(err, r, "%s: cannot be read: %s", path, strerror(-r));
	return 0;
}

static int load(struct mw_script *script, const char *path, const char *chunk_name, bool is_own, struct mw_err *err)
{
	lua_State *L = script->lua;
	struct mw_buf text = MW_BUF(MW_SCRIPT_BYTES);
	int r = read_script(path, is_own || is_in_tree(script, path), &text, err);
	if (r < 0) {
		mw_buf_release(&text);
		return r;
	}
	char name[MW_PATH_BYTES + 1];
	(void)snprintf(name, sizeof(name), "@%s", chunk_name ? chunk_name : path);

	/* A first line that begins with # is for the kernel; its end stays, for the line numbers. */
	const char *start = text.data ? text.data : "";
	size_t skipped = start[0] == '#' ? strcspn(start, "\n") : 0;
	if (!script->is_in_call)
		script->call = (struct call){0};
	int status = luaL_loadbufferx(L, start + skipped, text.size - skipped, name, "t");
	mw_buf_release(&text);
	if (status != LUA_OK)
		return explain(script, status, err);
	if (script->coverage && !is_own && (r = mw_coverage_instrument(script->coverage, L, path, err)) < 0) {
		lua_pop(L, 1);
		return r;
	}
	if (is_own || script->kind == MW_SCRIPT_TOOL)
		return 0; /* lua_load() gave it the globals */
	mw_sandbox_push_environment(L);
	if (!lua_setupvalue(L, -2, 1))
		lua_pop(L, 1); /* it uses no global at all */
	return 0;
}

int mw_script_load_file(struct mw_script *script, const char *path, const char *chunk_name, struct mw_err *err)
{
	return load(script, path, chunk_name, false, err);
}

int mw_script_load_own(struct mw_script *script, const char *path, const char *chunk_name, struct mw_err *err)
{
	return load(script, path, chunk_name, true, err);
}

/* package.path: ours first, then (busted lives there) what Lua was built with. */
static void set_package_path(lua_State *L, const char *tree)
{
	lua_getglobal(L, "package");
	lua_getfield(L, -1, "path");
	lua_pushfstring(L, "%s/lua/?.lua;%s/lua/?/init.lua;%s", tree, tree, lua_tostring(L, -1));
	lua_setfield(L, -3, "path");
	lua_pop(L, 2);
}

static int set_up(lua_State *L)
{
	struct mw_script *script = lua_touserdata(L, 1);
	if (script->kind != MW_SCRIPT_TOOL) {
		mw_sandbox_open(L, script->kind);
		return 0;
	}
	luaL_openlibs(L);
	mw_modules_preload(L, script->kind);
	set_package_path(L, script->tree);
	return 0;
}

int mw_script_new(const struct mw_script_options *options, struct mw_script **ret_script, struct mw_err *err)
{
	struct mw_script *script = calloc(1, sizeof(*script));
	if (!script)
		return mw_err_set(err, -ENOMEM, "no memory for a Lua state");
	script->kind = options->kind;
	script->cap_bytes = options->memory_bytes;
	script->loop = options->loop;
	script->coverage = options->coverage;
	script->tree = strdup(options->tree);
	script->lua = script->tree ? lua_newstate(allocate, script) : NULL;
	if (!script->lua) {
		mw_script_free(script);
		return mw_err_set(err, -ENOMEM, "no memory for a Lua state");
	}
	*(struct mw_script **)lua_getextraspace(script->lua) = script;

	lua_pushcfunction(script->lua, set_up);
	lua_pushlightuserdata(script->lua, script);
	int r = mw_script_call(script, 1, 0, 0, err);
	if (r < 0) {
		mw_script_free(script);
		return r;
	}
	*ret_script = script;
	return 0;
}

void mw_script_free(struct mw_script *script)
{
	if (!script)
		return;
	if (script->lua)
		lua_close(script->lua);
	mw_pool_release(&script->pool);
	free(script->tree);
	free(script);
}

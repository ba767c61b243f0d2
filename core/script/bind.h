/* What bindings share.  For core/script and core/rule alone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <lauxlib.h>
#include <lua.h>

#include "script/state.h"

struct mw_coverage;
struct mw_err;
struct mw_loop;
struct mw_shape;

enum {
	/* Longest string in a sandboxed state.  Comparing, joining and searching strings are single steps for the
	 * instruction budget, so their size is what bounds the time of a step.  Events hold at most MW_PATH_BYTES. */
	MW_SCRIPT_STRING_BYTES = 16 << 10,
};

struct mw_script *mw_script_of(lua_State *L);
enum mw_script_kind mw_script_kind(const struct mw_script *script);
const char *mw_script_tree(const struct mw_script *script);
/* NULL: nobody asks. */
struct mw_coverage *mw_script_coverage(const struct mw_script *script);
/* NULL in commands. */
struct mw_loop *mw_script_loop(const struct mw_script *script);
/* Are scripts of this kind somebody else's? */
bool mw_script_is_sandboxed(enum mw_script_kind kind);

/* As mw_script_load_file(), but with the globals of our own scripts, whatever the kind, and trusting the file as much as
 * this program. */
int mw_script_load_own(struct mw_script *script, const char *path, const char *chunk_name, struct mw_err *err);

/* Within a call: give what comes next the call's whole budget again.  For a C function that calls several scripts under
 * one protected call, which costs more than they do. */
void mw_script_renew_budget(struct mw_script *script);

/* End the running call, if one is running, at its next instruction: -ETIME.  May be called by a signal handler in the thread
 * that runs it. */
void mw_script_stop(struct mw_script *script);

/* Views of C objects (lua_event.c) live until the generation ends. */
uint64_t mw_script_generation(const struct mw_script *script);

/* Push a read-only view of an object of `shape`: fields by name, dead when the generation ends.  May raise. */
void mw_lua_push_object(lua_State *L, const struct mw_shape *shape, const void *object);

/* nil, "what: reason", "ENOENT", 2: how a binding says that the world refused.  `code` is a negative errno. */
int mw_lua_fail(lua_State *L, int code, const char *text);

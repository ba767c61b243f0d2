/* Which branches of scripts are taken: for tests of rules.
 *
 * Lua tells a hook lines, and a branch may be half of one.  So a function is given other line numbers before it runs: each
 * instruction a line of its own, in what string.dump() of Lua 5.4 says of it (ldump.c), and the hook learns which instruction
 * comes after which. */
#pragma once

#include <stdbool.h>

#include <lua.h>

struct mw_coverage;
struct mw_err;

struct mw_coverage *mw_coverage_new(void);
void mw_coverage_free(struct mw_coverage *coverage);

/* Replace the chunk on top of the stack by one that can be followed; `file` names it in reports.  -ENOTSUP: another Lua. */
int mw_coverage_instrument(struct mw_coverage *coverage, lua_State *L, const char *file, struct mw_err *err);
/* lua_sethook() with LUA_MASKLINE. */
void mw_coverage_hook(lua_State *L, lua_Debug *where);

/* A place where a function goes one of two ways. */
struct mw_branch {
	const char *file;
	int line;
	bool was_first, was_second; /* went on with the next instruction, jumped */
};
/* Each of the functions in `file`, but for what runs when the file is loaded. */
void mw_coverage_each(const struct mw_coverage *coverage, const char *file,
		      void (*each)(void *data, const struct mw_branch *branch), void *data);

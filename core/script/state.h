/* A Lua state with limits: the only way from C into Lua.
 *
 * Memory is capped by a counting allocator, run time by an instruction budget (a count hook that, once spent, fires at
 * every instruction, so that a pcall in the script cannot swallow the error).  Neither stops a C function, so the
 * sandboxed kinds only see functions whose time is bounded by the size of their arguments. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct lua_State;
struct mw_coverage;
struct mw_err;
struct mw_loop;
struct mw_script;

enum mw_script_kind {
	MW_SCRIPT_TOOL,    /* `moonwatch lua`, the shell: everything, io and os included */
	MW_SCRIPT_AGENT,   /* ours, in the sensor: outputs, later the backend client */
	MW_SCRIPT_RULES,   /* detections of whoever mounts them: allow-listed globals, no pattern functions */
	MW_SCRIPT_PROFILE, /* values only */
};

struct mw_script_options {
	enum mw_script_kind kind;
	const char *tree;     /* folder that holds lua/ (searched by require) */
	size_t memory_bytes;  /* 0: no cap */
	struct mw_loop *loop; /* resumes its tasks (lua_loop.h); NULL: a command makes its own */
	struct mw_coverage
		*coverage; /* which branches of files are taken; then there is no budget.  NULL: nobody asks */
};

int mw_script_new(const struct mw_script_options *options, struct mw_script **ret_script, struct mw_err *err);
void mw_script_free(struct mw_script *script);

/* For core/script and core/rule alone. */
struct lua_State *mw_script_lua(struct mw_script *script);

/* Push the chunk of the text file at `path`, with the kind's environment.  Binary chunks are refused.  `chunk_name` is
 * what messages call it (NULL: the path).  Errors: -ENOENT, -EACCES, -EPERM (not trusted, see mw_file_trusted),
 * -EFBIG, -EINVAL (does not compile; err holds "file:line: message"). */
int mw_script_load_file(struct mw_script *script, const char *path, const char *chunk_name, struct mw_err *err);

/* Protected call with a traceback: lua_pcall's stack contract.  `instructions` is the budget, 0 for none.
 * On failure the stack holds neither function, arguments nor results, and err the message with its position:
 * -ENOMEM (cap reached), -ETIME (budget spent), -EINVAL (any other error). */
int mw_script_call(struct mw_script *script, int arguments, int results, uint64_t instructions, struct mw_err *err);

/* Push what our own module `name` returns, loaded on first use.  Errors as mw_script_call(). */
int mw_script_require(struct mw_script *script, const char *name, struct mw_err *err);

/* End the life of the views of C objects handed to scripts so far: whoever kept one gets a clean error. */
void mw_script_expire_views(struct mw_script *script);

/* Bytes in use. */
size_t mw_script_memory(const struct mw_script *script);
/* Collect garbage, all of it. */
void mw_script_collect(struct mw_script *script);

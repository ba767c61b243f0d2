/* Which files are watched, as tables of Lua say it: keys of a profile, or members of osquery's configuration. */
#pragma once

struct lua_State;
struct mw_err;
struct mw_file_paths;

/* Take what the table at the top of the stack has under file_paths, file_paths_query, exclude_paths and file_accesses; other
 * keys are passed over.  -EINVAL with key, category and reason in err. */
int mw_file_paths_read(struct lua_State *L, struct mw_file_paths *paths, struct mw_err *err);

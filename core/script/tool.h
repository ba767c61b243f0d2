/* Running a Lua script as a program: `moonwatch lua`. */
#pragma once

/* Run `argv[0]` with the global `arg` set as the lua program does: arg[0] the script, arg[1] on its arguments, arg[-1]
 * `program`.  Returns the exit status: 0, or 1 when it failed, after a message with a traceback on standard error.
 * os.exit in the script ends the process. */
int mw_tool_run(const char *tree, const char *program, int argc, char **argv);

/* A program written as a module of ours: require `module`, call its function `main` with the list of arguments, and return
 * the integer that returns; 1 when it failed, after a message with a traceback on standard error. */
int mw_script_run_module(const char *tree, const char *module, int argc, char **argv);

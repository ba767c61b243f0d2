/* The flags, the policy of attention and the files to be watched, as they hold for this start, from all sources: one function
 * for every command that takes flags. */
#pragma once

struct mw_attention;
struct mw_err;
struct mw_file_paths;
struct mw_flags;

/* Arguments (argv[0] is the first of them), environment, flag file, profile, in this order, since the first tell where
 * the last are.  *ret_rest is the index of the first argument that is no flag (after a `--`).
 *
 * Errors, told apart because the exit status is:
 *   -EINVAL   usage: an argument is wrong (exit 2)
 *   -EBADMSG  configuration: environment, flag file or profile (exit 78)
 *   -ENOMEM
 * *ret_files is to be zeroed before, and released whatever comes of it.
 * On success err->text is "", or a line worth passing on about a variable that looks like a misspelt flag. */
int mw_config_load(const char *tree, int argc, char *const *argv, char *const *environment, struct mw_flags **ret,
		   struct mw_attention *ret_attention, struct mw_file_paths *ret_files, int *ret_rest,
		   struct mw_err *err);

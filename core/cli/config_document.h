/* The file of --config_path, looked at as the sensor will, for `moonwatch config`. */
#pragma once

struct mw_err;
struct mw_file_paths;
struct mw_flags;

/* What it says of files is laid into *ret_files, its flags into `flags`; `warn` gets lines about what has no effect.  Returns how
 * many, or -EINVAL and the like: it will be refused, err says why.  Without the flag there is nothing to do. */
int mw_config_document_load(struct mw_flags *flags, const char *tree, struct mw_file_paths *ret_files,
			    void (*warn)(const char *line), struct mw_err *err);

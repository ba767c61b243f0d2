/* A file that is read at the start and again whenever it changes: --config_path. */
#pragma once

#include <stddef.h>

struct mw_config_file;
struct mw_err;
struct mw_loop;

struct mw_config_file_options {
	struct mw_loop *loop;
	const char *path; /* copied */
	/* The file's text. */
	void (*changed)(void *data, const char *text, size_t bytes);
	/* It cannot be read, or may not be trusted. */
	void (*failed)(void *data, const char *why);
	void *data;
};

/* Reads it once, within.  That it does not exist is told, and waited for. */
int mw_config_file_new(const struct mw_config_file_options *options, struct mw_config_file **ret_file);
/* NULL is allowed. */
void mw_config_file_free(struct mw_config_file *file);

/* Read a configuration file: bounded, and only what may be trusted.  `out` is appended to. */
struct mw_buf;
int mw_config_file_read(const char *path, struct mw_buf *out, struct mw_err *err);

enum {
	MW_CONFIG_FILE_BYTES = 4 << 20,
};

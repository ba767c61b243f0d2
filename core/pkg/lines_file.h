/* Lines of a file, packed by gzip or not. */
#pragma once

#include <stddef.h>

struct mw_lines_file;

/* "-" is standard input.  -errno. */
int mw_lines_file_open(const char *path, struct mw_lines_file **ret_file);
void mw_lines_file_close(struct mw_lines_file *file);
/* 1 and the line without its end, borrowed until the next call; 0 at the end; -EFBIG: longer than `max` bytes, and passed
 * over; -EIO, -ENOMEM. */
int mw_lines_file_next(struct mw_lines_file *file, size_t max, const char **ret_line, size_t *ret_bytes);

/* Writing a file whole, in the place of one that is there. */
#pragma once

#include <stddef.h>

struct mw_err;

/* Write `text` beside `path` and rename it: whoever reads sees the old file or the new one.  A file that is there keeps its
 * mode, owner and group, or is not replaced (-EPERM); a link stays, and what it leads to is replaced.  What is no regular file,
 * such as /dev/stdout, is written into.  -errno with the reason in err: then what was there is there still. */
int mw_file_replace(const char *path, const char *text, size_t n, struct mw_err *err);

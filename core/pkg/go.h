/* What a Go program was built from. */
#pragma once

#include "pkg/bytes.h"
#include "pkg/pkg.h"

/* Call the sink for the modules of a program: the main one, those it depends on, and Go's own library.  What is no ELF file, or
 * was not built by Go: 0, and nothing is called. */
int mw_go_read(const struct mw_bytes *bytes, const char *path, const struct mw_package_sink *sink);

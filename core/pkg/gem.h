/* Packages of Ruby: gemspecs in a folder "specifications". */
#pragma once

#include "pkg/pkg.h"

struct mw_lines;

/* Call the sink for the gem of a specification, whose path has its name and version, too. */
int mw_gem_read(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink);

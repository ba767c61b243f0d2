/* Packages of Python: *.dist-info and *.egg-info. */
#pragma once

#include "pkg/pkg.h"

struct mw_lines;

/* Call the sink for the package that a METADATA or PKG-INFO tells of, https://packaging.python.org/specifications/core-metadata;
 * `path` names it. */
int mw_python_read(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink);

/* Packages of Node.js: package.json below node_modules. */
#pragma once

#include <stddef.h>

#include "pkg/pkg.h"

/* Call the sink for the package a package.json tells of.  `text` is written to. */
int mw_npm_read(char *text, size_t bytes, const char *path, const struct mw_package_sink *sink);

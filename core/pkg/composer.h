/* Packages of PHP: what Composer wrote into vendor/composer/installed.json. */
#pragma once

#include <stddef.h>

#include "pkg/pkg.h"

/* Call the sink for each package.  `text` is written to. */
int mw_composer_read(char *text, size_t bytes, const char *path, const struct mw_package_sink *sink);

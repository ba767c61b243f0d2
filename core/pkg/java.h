/* Packages in Java archives. */
#pragma once

#include <stdbool.h>

#include "pkg/bytes.h"
#include "pkg/pkg.h"

/* By its name: jar, war, ear and relatives. */
bool mw_java_is_archive(const char *name);

/* Call the sink for the packages of an archive and of the archives in it; `path` is what it is called, to which "!/MEMBER" is
 * added.  0, or what ends a reading: -ENOMEM, -ETIME, what the sink returned. */
int mw_java_read(const struct mw_bytes *bytes, const char *path, const struct mw_package_sink *sink);

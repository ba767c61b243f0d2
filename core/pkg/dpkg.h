/* Packages of Debian and its relatives: dpkg's status file, deb822(5), and the folder status.d that images without dpkg have. */
#pragma once

#include "pkg/pkg.h"

struct mw_lines;

#define MW_DPKG_ADMINDIR "/var/lib/dpkg"

/* All that is known of `admindir`; nothing when it is not there.  0, or what the sink's emit() returned, -ENOMEM, -ETIME. */
int mw_dpkg_read(int rootfd, const char *admindir, const struct mw_package_sink *sink);

/* Stanzas; `path` names them in packages and warnings. */
int mw_dpkg_parse(struct mw_lines *lines, const char *path, const struct mw_package_sink *sink);

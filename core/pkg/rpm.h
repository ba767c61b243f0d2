/* Packages of rpm: Red Hat, Amazon Linux, SUSE and their relatives.
 *
 * A database is a list of headers, kept in SQLite, in ndb (SUSE) or in a hash table of Berkeley DB (before rpm 4.16, so Amazon
 * Linux 2).  It is only ever read: never locked, never written, no file made beside it. */
#pragma once

#include "pkg/pkg.h"

/* Of the databases below a root; nothing when there is none.  0, or what the sink's emit() returned, -ENOMEM, -ETIME. */
int mw_rpm_read(int rootfd, const struct mw_package_sink *sink);

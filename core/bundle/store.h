/* Bundles on disk: the one that runs, kept for the next start, and its files while they are loaded. */
#pragma once

#include <stddef.h>

#include "base/limits.h"

struct mw_buf;
struct mw_bundle;
struct mw_err;

/* Keep the whole file, signatures and all, in the folder `dir` (private to us): whole or not at all, also when the machine
 * stops meanwhile. */
int mw_bundle_keep(const char *dir, const void *bytes, size_t n, struct mw_err *err);
/* What was kept: -ENOENT when there is nothing. */
int mw_bundle_kept(const char *dir, struct mw_buf *out, struct mw_err *err);
void mw_bundle_forget(const char *dir);

/* Write the files of `bundle` into a new private folder below `dir`, whose path comes in `out`. */
int mw_bundle_extract(const struct mw_bundle *bundle, const char *dir, char out[MW_PATH_BYTES], struct mw_err *err);
/* Remove that folder again. */
void mw_bundle_remove(const struct mw_bundle *bundle, const char *path);

/* What the sources of this folder share. */
#pragma once

#include "bundle/bundle.h"

/* Of `n` bytes, into 64 hex digits and a NUL. */
int mw_bundle_sha256(const void *bytes, size_t n, char out[65]);

/* gzip, one member and nothing behind it. */
int mw_bundle_unpack(const void *bytes, size_t n, struct mw_buf *out, struct mw_err *err);
int mw_bundle_pack(const void *bytes, size_t n, struct mw_buf *out, struct mw_err *err);

/* The next file of a tar archive in `*at`, which goes on behind it.  1; 0 at its end, which is the end of the bytes; -EPROTO.  `ret`
 * points into the archive. */
int mw_bundle_tar_next(const struct mw_buf *archive, size_t *at, struct mw_bundle_file *ret, struct mw_err *err);
void mw_bundle_tar_add(struct mw_buf *archive, const struct mw_bundle_file *file);
void mw_bundle_tar_end(struct mw_buf *archive);

/* The files of a bundle and its manifest, as an archive. */
int mw_bundle_put_files(const struct mw_bundle *bundle, struct mw_buf *tar, struct mw_err *err);

bool mw_bundle_is_word(const char *text, size_t n);
bool mw_bundle_is_path(const char *text, size_t n);

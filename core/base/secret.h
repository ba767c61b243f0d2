/* Memory for what nobody else may read: pages of its own, never swapped out where that can be had (mlock2(2)), never part of a
 * core file (MADV_DONTDUMP), wiped when released.  A secret has room from the start and never moves, so that no copy of it stays
 * behind.  fork(2) inherits it; who does not need it there releases it. */
#pragma once

#include <stddef.h>

struct mw_secret;

/* Empty, with room for `room` bytes; a page is taken when it is written to.  -ENOMEM. */
int mw_secret_new(size_t room, struct mw_secret **ret_secret);
/* A copy of `n` bytes. */
int mw_secret_copy(const void *bytes, size_t n, struct mw_secret **ret_secret);
/* Wipe and give back; NULL is nothing. */
void mw_secret_free(struct mw_secret *secret);

/* -ENOBUFS, and nothing added, when there is no room left. */
int mw_secret_add(struct mw_secret *secret, const void *bytes, size_t n);
/* Forget, and wipe, what comes after the first `n` bytes. */
void mw_secret_cut(struct mw_secret *secret, size_t n);

/* With a NUL behind the last one; borrowed. */
const char *mw_secret_bytes(const struct mw_secret *secret);
size_t mw_secret_size(const struct mw_secret *secret);

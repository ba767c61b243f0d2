/* Secrets in environments and command lines, blotted out before anybody sees them: "[redacted:9f86d081]".
 *
 * The digits are the first of the value's SHA-256, so that two values can be compared, and a key that leaked elsewhere be looked
 * for.  Of a value that people made up they are those of its HMAC-SHA256 under a key of this machine's boot: by a plain hash
 * whoever reads the logs could try passwords until one fits. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct mw_buf;

/* Leave everything as it is, in this process: --allow_plain_env. */
void mw_redact_allow_plain(bool is_plain);

/* A secret of our own, to be blotted out wherever one of the functions below sees it, whatever is allowed.  Kept, not copied:
 * it must live on.  -ENOSPC when there are too many. */
int mw_redact_register(const char *secret, size_t n);

/* Does a variable of that name and value hold a secret? */
bool mw_redact_is_secret(const char *name, size_t name_bytes, const char *value, size_t n);

/* Append the value of a variable, or what stands for it. */
void mw_redact_value(const char *name, size_t name_bytes, const char *value, size_t n, struct mw_buf *out);

/* Append an argument of a program with its secrets blotted out, and the rest as it is: "--password=[redacted:…]",
 * "postgres://user:[redacted:…]@host".  `previous` is the argument before, NULL for none: "--password", "…" */
void mw_redact_argument(const char *previous, const char *argument, size_t n, struct mw_buf *out);

/* A copy of `env` ("NAME=value", each with its NUL, one after the other; `bytes` long) with its secrets blotted out.  NULL when
 * memory is exhausted. */
char *mw_redact_environment(const char *env, size_t bytes, size_t *ret_bytes);
/* Likewise of arguments; NULL for none, too. */
char *mw_redact_arguments(const char *argv, size_t bytes, size_t *ret_bytes);

/* Secrets in the environment of programs, blotted out before anybody else sees them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Does a variable of that name hold a secret, as far as a name tells? */
bool mw_redact_is_secret(const char *name, size_t n);

/* A copy of `env` ("NAME=value", each with its NUL, one after the other; `bytes` long) with "***" for the values of names
 * that look secret, and of addresses with a password in them ("postgres://user:password@host").  NULL when memory is
 * exhausted. */
char *mw_redact_environment(const char *env, size_t bytes, size_t *ret_bytes);

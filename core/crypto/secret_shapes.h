/* What secrets look like: by the name they have, by a shape their makers gave them, by being random. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Does a variable, option or key of that name hold a secret, as far as a name tells?  Words count, not letters: "API_KEY" and
 * "dbPassword", but not "MONKEY", "PASSWORD_FILE" or "TOKEN_TTL". */
bool mw_secret_name(const char *name, size_t n);

/* A part of a text. */
struct mw_secret_span {
	size_t at, bytes;
};

/* The first secret in a text by its shape alone, from `from` on: a key or token of a known maker, a password in an address, what
 * follows "password=" and the like, a private key. */
bool mw_secret_find(const char *text, size_t n, size_t from, struct mw_secret_span *ret);

/* Is all of it one random text, of 20 characters or more?  Not a hash, an UUID, a path or a name. */
bool mw_secret_is_random(const char *text, size_t n);

/* Could all texts of this kind be tried?  Passwords of people can, keys of machines cannot. */
bool mw_secret_is_guessable(const char *text, size_t n);

/* Globs: `*` is any bytes, `?` is one; the whole text must fit.  Time is at most the product of both lengths. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

bool mw_glob_match(const char *text, size_t n, const char *glob, size_t k);

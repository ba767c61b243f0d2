/* What the programs of system specs share: an expectation of the program itself, which ends it when it does not hold. */
#pragma once

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void check(int is_true, const char *what, const char *file, int line)
{
	if (is_true)
		return;
	(void)fprintf(stderr, "%s:%d: %s: %s\n", file, line, what, strerror(errno));
	(void)fflush(NULL);
	_Exit(2);
}

#define CHECK(expression) check((expression), #expression, __FILE__, __LINE__)

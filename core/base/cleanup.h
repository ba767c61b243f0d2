/* Scope-bound clean-up.  MW_AUTO(mw_buf) b declares `struct mw_buf b`, released by mw_buf_release() on every way
 * out of the scope.  Never in a function that calls into Lua: lua_error jumps over it. */
#pragma once

#include <stdlib.h>
#include <unistd.h>

#define MW_AUTO(type) __attribute__((cleanup(type##_release))) struct type

static inline void mw_auto_close_(int *fd)
{
	if (*fd >= 0)
		(void)close(*fd);
}

static inline void mw_auto_free_(void *pointer)
{
	free(*(void **)pointer);
}

/* A descriptor closed at the end of the scope; -1 means none. */
#define MW_AUTO_FD __attribute__((cleanup(mw_auto_close_))) int
/* A malloc()ed pointer freed at the end of the scope. */
#define MW_AUTO_FREE __attribute__((cleanup(mw_auto_free_)))

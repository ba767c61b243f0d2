/* Which mappings can be let go of is read in /proc/self/smaps, proc(5): those of a file, not writable, and without any page
 * that differs from it.  (The relocated tables of the dynamic linker are not writable either, but do differ.) */

#include "base/trim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/file.h"

enum {
	/* Some 700 bytes a mapping, of which there are a few dozen. */
	SMAPS_BYTES = 256 << 10,
};

struct mapping {
	uintptr_t start, end;
	bool is_shrinkable;
};

/* "7f169b2c9000-7f169b41f000 r-xp 00026000 fe:00 1234  /usr/lib/…" */
static bool parse_head(const char *line, struct mapping *ret)
{
	char *at;
	ret->start = strtoull(line, &at, 16);
	if (*at != '-')
		return false;
	ret->end = strtoull(at + 1, &at, 16);
	if (*at != ' ' || strlen(at) < 6)
		return false;
	/* A name that is a path: not "[vdso]". */
	ret->is_shrinkable = at[1] == 'r' && at[2] == '-' && at[4] == 'p' && strchr(line, '/') != NULL;
	return true;
}

static bool is_not_zero(const char *line, const char *key)
{
	size_t n = strlen(key);
	return strncmp(line, key, n) == 0 && strtoull(line + n, NULL, 10) != 0;
}

static void shrink(const struct mapping *mapping)
{
	if (mapping->is_shrinkable && mapping->end > mapping->start)
		(void)madvise((void *)mapping->start, mapping->end - mapping->start, MADV_DONTNEED);
}

static void shrink_mappings(void)
{
	MW_AUTO(mw_buf) text = MW_BUF(SMAPS_BYTES);
	if (mw_file_read_at(AT_FDCWD, "/proc/self/smaps", &text) < 0 || !text.data)
		return;
	struct mapping mapping = {0};
	for (char *line = text.data, *next; line; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		struct mapping head;
		if (parse_head(line, &head)) {
			shrink(&mapping);
			mapping = head;
		} else if (is_not_zero(line, "Anonymous:") || is_not_zero(line, "Private_Dirty:") ||
			   is_not_zero(line, "Swap:")) {
			mapping.is_shrinkable = false;
		}
	}
	shrink(&mapping);
}

void mw_memory_trim(void)
{
	shrink_mappings();
#if defined(__GLIBC__)
	(void)malloc_trim(0);
#endif
}

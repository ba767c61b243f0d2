/* Lines of a file, one at a time, in bounded memory however long the file and its lines are. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_lines {
	/* The last line: NUL-terminated, without its end; may be written to. */
	char *line;
	size_t length;
	bool is_cut; /* it was longer than MW_LINE_BYTES; its rest is gone */

	/* For lines.c alone. */
	int fd;             /* -1: from `memory` */
	const char *memory; /* what is left of it */
	uint64_t left;      /* bytes that may still be read */
	char *room;
	size_t at, end; /* what of `room` was not given out yet */
	bool at_end, is_in_long_line;
};

enum {
	MW_LINE_BYTES = 32 << 10,
};

/* Of a file, from where it stands and at most `max_bytes`, or of memory.  Both are borrowed.  0 or -ENOMEM. */
int mw_lines_open(struct mw_lines *lines, int fd, uint64_t max_bytes);
int mw_lines_open_memory(struct mw_lines *lines, const void *data, size_t size);
void mw_lines_release(struct mw_lines *lines);

/* 1 with a line, 0 at the end, or a negative errno: -EFBIG when there is more than may be read. */
int mw_lines_next(struct mw_lines *lines);

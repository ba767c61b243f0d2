#include "pkg/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_lines(struct mw_lines *lines, int fd, const void *data, uint64_t left)
{
	*lines = (struct mw_lines){.fd = fd, .memory = data, .left = left, .room = malloc(MW_LINE_BYTES + 1)};
	return lines->room ? 0 : -ENOMEM;
}

int mw_lines_open(struct mw_lines *lines, int fd, uint64_t max_bytes)
{
	return open_lines(lines, fd, NULL, max_bytes);
}

int mw_lines_open_memory(struct mw_lines *lines, const void *data, size_t size)
{
	return open_lines(lines, -1, data, size);
}

void mw_lines_release(struct mw_lines *lines)
{
	free(lines->room);
	lines->room = NULL;
}

/* More into `room`, which has space. */
static int refill(struct mw_lines *lines)
{
	size_t want = MW_LINE_BYTES - lines->end;
	if (want > lines->left)
		want = (size_t)lines->left;
	ssize_t n;
	if (lines->fd < 0) {
		n = (ssize_t)want;
		if (n)
			memcpy(lines->room + lines->end, lines->memory, want);
		lines->memory += n;
	} else if (want == 0) {
		char more;
		do
			n = read(lines->fd, &more, 1);
		while (n < 0 && errno == EINTR);
		if (n > 0)
			return -EFBIG;
	} else {
		do
			n = read(lines->fd, lines->room + lines->end, want);
		while (n < 0 && errno == EINTR);
	}
	if (n < 0)
		return -errno;
	lines->end += (size_t)n;
	lines->left -= (size_t)n;
	lines->at_end = n == 0;
	return 0;
}

/* Give out `room` from `at` to `end`. */
static void give(struct mw_lines *lines, size_t end)
{
	lines->line = lines->room + lines->at;
	lines->length = end - lines->at;
	if (lines->length && lines->line[lines->length - 1] == '\r')
		lines->length--;
	lines->line[lines->length] = '\0';
}

int mw_lines_next(struct mw_lines *lines)
{
	for (;;) {
		size_t size = lines->end - lines->at;
		char *newline = size ? memchr(lines->room + lines->at, '\n', size) : NULL;
		if (newline || (lines->at_end && size)) {
			size_t end = newline ? (size_t)(newline - lines->room) : lines->end;
			bool is_rest = lines->is_in_long_line;
			give(lines, end);
			lines->at = newline ? end + 1 : end;
			lines->is_in_long_line = false;
			lines->is_cut = false;
			if (is_rest)
				continue;
			return 1;
		}
		if (lines->at_end)
			return 0;
		if (size == MW_LINE_BYTES) {
			bool is_rest = lines->is_in_long_line;
			give(lines, lines->end);
			lines->at = lines->end = 0;
			lines->is_in_long_line = true;
			lines->is_cut = true;
			if (!is_rest)
				return 1;
			continue;
		}
		if (lines->at) {
			memmove(lines->room, lines->room + lines->at, size);
			lines->at = 0;
			lines->end = size;
		}
		int r = refill(lines);
		if (r < 0)
			return r;
	}
}

#include "pkg/lines_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

enum {
	BLOCK_BYTES = 64 << 10
};

struct mw_lines_file {
	gzFile packed; /* reads what is not packed, too */
	char *text;
	size_t used, size, room;
};

int mw_lines_file_open(const char *path, struct mw_lines_file **ret_file)
{
	struct mw_lines_file *file = calloc(1, sizeof(*file));
	if (!file)
		return -ENOMEM;
	errno = 0;
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : -1;
	file->packed = fd >= 0 ? gzdopen(fd, "rb") : gzopen(path, "rbe");
	if (!file->packed) {
		int r = errno ? -errno : -ENOMEM;
		free(file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void mw_lines_file_close(struct mw_lines_file *file)
{
	if (!file)
		return;
	(void)gzclose(file->packed);
	free(file->text);
	free(file);
}

/* Read more behind what is there: 1, 0 at the end. */
static int fill(struct mw_lines_file *file)
{
	if (file->used) {
		memmove(file->text, file->text + file->used, file->size - file->used);
		file->size -= file->used;
		file->used = 0;
	}
	if (file->room - file->size < BLOCK_BYTES) {
		size_t room = 2 * file->room + BLOCK_BYTES;
		char *text = realloc(file->text, room);
		if (!text)
			return -ENOMEM;
		file->text = text;
		file->room = room;
	}
	int n = gzread(file->packed, file->text + file->size, BLOCK_BYTES);
	if (n < 0)
		return -EIO;
	file->size += (size_t)n;
	return n > 0;
}

int mw_lines_file_next(struct mw_lines_file *file, size_t max, const char **ret_line, size_t *ret_bytes)
{
	size_t looked = 0;
	int is_long = 0;
	for (;;) {
		size_t have = file->size - file->used;
		char *start = file->text + file->used;
		char *end = have > looked ? memchr(start + looked, '\n', have - looked) : NULL;
		if (end) {
			*ret_line = start;
			*ret_bytes = (size_t)(end - start);
			file->used += *ret_bytes + 1;
			return is_long ? -EFBIG : 1;
		}
		looked = have;
		if (have > max) {
			is_long = 1;
			file->used = file->size;
			looked = 0;
		}
		int r = fill(file);
		if (r < 0)
			return r;
		if (r == 0) {
			*ret_line = file->text + file->used;
			*ret_bytes = file->size - file->used;
			file->used = file->size;
			return is_long ? -EFBIG : *ret_bytes > 0;
		}
	}
}

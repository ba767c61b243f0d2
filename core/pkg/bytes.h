/* Bytes with random access: an open file, a part of one, or memory.  What lies past the end is -ENODATA, so offsets read from
 * a hostile file need no check of their own. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct mw_bytes {
	int fd;             /* -1: from `memory` */
	const char *memory; /* borrowed */
	uint64_t base;      /* of the part in the file or memory */
	uint64_t size;
};

/* `size` bytes of a file from its start; of what is longer by now, the rest is not seen. */
static inline struct mw_bytes mw_bytes_of_file(int fd, uint64_t size)
{
	return (struct mw_bytes){.fd = fd, .size = size};
}

static inline struct mw_bytes mw_bytes_of_memory(const void *memory, size_t size)
{
	return (struct mw_bytes){.fd = -1, .memory = memory, .size = size};
}

/* -ENODATA when it does not lie in `bytes`. */
int mw_bytes_part(const struct mw_bytes *bytes, uint64_t offset, uint64_t size, struct mw_bytes *ret_part);

/* All of `n` bytes at `offset`: 0, -ENODATA or -errno. */
int mw_bytes_read(const struct mw_bytes *bytes, uint64_t offset, void *ret_data, size_t n);
/* Up to `n` bytes: how many *ret_n says, fewer only at the end. */
int mw_bytes_read_some(const struct mw_bytes *bytes, uint64_t offset, void *ret_data, size_t n, size_t *ret_n);

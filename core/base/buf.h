/* A growing byte buffer that is born with its maximum.
 *
 * Always holds: data is NULL or data[size] is '\0' (not counted); size <= max.  An append that would pass `max`, or
 * finds no memory, changes nothing and marks the buffer `failed`; later appends do nothing, so that a chain of
 * appends needs one check at its end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mw_buf {
	char *data;
	size_t size;
	size_t capacity;
	size_t max;
	bool failed;
};

#define MW_BUF(max_bytes) \
	{ \
		.max = (max_bytes) \
	}

void mw_buf_release(struct mw_buf *buf);
/* Empty, keeping the memory, and forget a failure. */
void mw_buf_clear(struct mw_buf *buf);

/* Room for `n` more bytes at data + size; the caller then adds to `size`.  NULL when it does not fit. */
char *mw_buf_reserve(struct mw_buf *buf, size_t n);

void mw_buf_add(struct mw_buf *buf, const void *bytes, size_t n);
void mw_buf_str(struct mw_buf *buf, const char *string);
void mw_buf_char(struct mw_buf *buf, char c);
void mw_buf_int(struct mw_buf *buf, int64_t value);
__attribute__((format(printf, 2, 3))) void mw_buf_printf(struct mw_buf *buf, const char *format, ...);

/* 0, or -ENOBUFS when an append since the last clear did not fit. */
int mw_buf_status(const struct mw_buf *buf);

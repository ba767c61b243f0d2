#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	FIRST_BYTES = 128
};

void mw_buf_release(struct mw_buf *buf)
{
	free(buf->data);
	size_t max = buf->max;
	*buf = (struct mw_buf)MW_BUF(max);
}

void mw_buf_clear(struct mw_buf *buf)
{
	buf->size = 0;
	buf->failed = false;
	if (buf->data)
		buf->data[0] = '\0';
}

char *mw_buf_reserve(struct mw_buf *buf, size_t n)
{
	if (buf->failed)
		return NULL;
	if (n > buf->max - buf->size) {
		buf->failed = true;
		return NULL;
	}
	size_t need = buf->size + n + 1;
	if (need > buf->capacity) {
		size_t capacity = buf->capacity ? buf->capacity : FIRST_BYTES;
		while (capacity < need)
			capacity *= 2;
		char *data = realloc(buf->data, capacity);
		if (!data) {
			buf->failed = true;
			return NULL;
		}
		buf->data = data;
		data[buf->size] = '\0';
		buf->capacity = capacity;
	}
	return buf->data + buf->size;
}

void mw_buf_add(struct mw_buf *buf, const void *bytes, size_t n)
{
	char *room = mw_buf_reserve(buf, n);
	if (!room)
		return;
	if (n)
		memcpy(room, bytes, n);
	room[n] = '\0';
	buf->size += n;
}

void mw_buf_str(struct mw_buf *buf, const char *string)
{
	mw_buf_add(buf, string, strlen(string));
}

void mw_buf_char(struct mw_buf *buf, char c)
{
	mw_buf_add(buf, &c, 1);
}

void mw_buf_int(struct mw_buf *buf, int64_t value)
{
	char digits[24]; /* 20 characters of -2^63, and a NUL */
	char *end = digits + sizeof(digits);
	char *start = end;
	uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
	do {
		*--start = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--start = '-';
	mw_buf_add(buf, start, (size_t)(end - start));
}

void mw_buf_printf(struct mw_buf *buf, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	va_list again;
	va_copy(again, arguments);
	int n = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (n < 0)
		buf->failed = true;
	char *room = n < 0 ? NULL : mw_buf_reserve(buf, (size_t)n);
	if (room) {
		(void)vsnprintf(room, (size_t)n + 1, format, again);
		buf->size += (size_t)n;
	}
	va_end(again);
}

int mw_buf_status(const struct mw_buf *buf)
{
	return buf->failed ? -ENOBUFS : 0;
}

#include "sql/rows.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sql/interrupt.h"

enum {
	ROWS = 1 << 20, /* that a table may hold at once; larger ones give some at a time */
	TEXTS_BYTES = 64 << 20,
	CELLS_BYTES = 64 << 20,
	CHECK_ROWS = 64, /* between two looks at the clock */
};

void mw_rows_init(struct mw_rows *rows, unsigned columns, int64_t deadline_ns)
{
	*rows = (struct mw_rows){.columns = columns, .texts = MW_BUF(TEXTS_BYTES), .deadline_ns = deadline_ns};
}

void mw_rows_release(struct mw_rows *rows)
{
	free(rows->cells);
	mw_buf_release(&rows->texts);
	rows->cells = NULL;
	rows->count = rows->capacity = 0;
}

void mw_rows_clear(struct mw_rows *rows)
{
	rows->count = 0;
	mw_buf_clear(&rows->texts);
}

void mw_rows_swap(struct mw_rows *a, struct mw_rows *b)
{
	struct mw_rows c = *a;
	*a = *b;
	*b = c;
}

int mw_rows_add(struct mw_rows *rows)
{
	if (rows->texts.failed || rows->count >= ROWS)
		return -ENOBUFS;
	if (rows->count % CHECK_ROWS == 0 && (mw_sql_is_interrupted() || mw_clock_mono_ns() > rows->deadline_ns))
		return -ETIME;
	if (rows->count == rows->capacity) {
		size_t capacity = rows->capacity ? rows->capacity * 2 : 1;
		if (capacity * rows->columns * sizeof(*rows->cells) > CELLS_BYTES)
			return -ENOBUFS;
		struct mw_cell *cells = reallocarray(rows->cells, capacity * rows->columns, sizeof(*cells));
		if (!cells)
			return -ENOMEM;
		rows->cells = cells;
		rows->capacity = capacity;
	}
	memset(rows->cells + rows->count * rows->columns, 0, rows->columns * sizeof(*rows->cells));
	rows->count++;
	return 0;
}

void mw_rows_undo(struct mw_rows *rows)
{
	rows->count--;
}

static struct mw_cell *cell(struct mw_rows *rows, unsigned column, enum mw_cell_type type)
{
	struct mw_cell *cell = &rows->cells[(rows->count - 1) * rows->columns + column];
	cell->type = type;
	return cell;
}

void mw_rows_text(struct mw_rows *rows, unsigned column, const char *text, size_t bytes)
{
	size_t offset = rows->texts.size;
	mw_buf_add(&rows->texts, text, bytes);
	if (rows->texts.failed)
		return;
	struct mw_cell *to = cell(rows, column, MW_CELL_TEXT);
	to->offset = offset;
	to->bytes = (uint32_t)bytes;
}

void mw_rows_string(struct mw_rows *rows, unsigned column, const char *string)
{
	mw_rows_text(rows, column, string, strlen(string));
}

void mw_rows_int(struct mw_rows *rows, unsigned column, int64_t value)
{
	cell(rows, column, MW_CELL_INT)->integer = value;
}

void mw_rows_number(struct mw_rows *rows, unsigned column, const char *text)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end > text && *end == '\0' && errno == 0)
		mw_rows_int(rows, column, value);
}

void mw_rows_double(struct mw_rows *rows, unsigned column, double value)
{
	cell(rows, column, MW_CELL_DOUBLE)->real = value;
}

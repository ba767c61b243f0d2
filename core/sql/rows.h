/* Rows of a table on their way to SQLite: cells, and one buffer for their texts. */
#pragma once

#include "base/buf.h"
#include "sql/table.h"

enum mw_cell_type {
	MW_CELL_NULL,
	MW_CELL_INT,
	MW_CELL_DOUBLE,
	MW_CELL_TEXT,
};

struct mw_cell {
	enum mw_cell_type type;
	uint32_t bytes; /* of a text */
	union {
		int64_t integer;
		double real;
		size_t offset; /* of a text in `texts` */
	};
};

struct mw_rows {
	unsigned columns;
	size_t count, capacity;
	struct mw_cell *cells; /* count × columns */
	struct mw_buf texts;
	int64_t deadline_ns;
};

void mw_rows_init(struct mw_rows *rows, unsigned columns, int64_t deadline_ns);
void mw_rows_release(struct mw_rows *rows);
/* No rows, keeping the memory. */
void mw_rows_clear(struct mw_rows *rows);
/* All that one has for all that the other has. */
void mw_rows_swap(struct mw_rows *a, struct mw_rows *b);

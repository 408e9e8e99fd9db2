/* SPDX-License-Identifier: MIT */
/* rows: a CSV file (RFC 4180) with a line of column names, in memory. */
#ifndef K6PIPE_K6GEN_TARGETS_ROWS_H
#define K6PIPE_K6GEN_TARGETS_ROWS_H

#include <stdint.h>

#include "base/buf.h"
#include "base/why.h"

/* A zeroed struct has no rows. */
struct rows {
	struct buf text;	/* the file; cells are unquoted in place */
	struct span *cells;	/* names, then row by row */
	size_t n_cells, cap;
	size_t n_columns;
	size_t n;		/* rows */
};

/* Read a file. -1: why (cannot be read, no rows, rows of other lengths). */
int rows_read(struct rows *r, const char *path, struct why *why);
void rows_release(struct rows *r);

/* The number of a column. -1: why (there is none of this name, or more). */
int rows_column(const struct rows *r, struct span name, struct why *why);

/* The cell of row 0..n-1 in a column. */
struct span rows_cell(const struct rows *r, size_t row, int column);

#endif

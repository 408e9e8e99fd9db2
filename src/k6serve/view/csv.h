/* SPDX-License-Identifier: MIT */
/* csv: tables of JSON as comma-separated values (RFC 4180). */
#ifndef K6PIPE_K6SERVE_VIEW_CSV_H
#define K6PIPE_K6SERVE_VIEW_CSV_H

#include "base/buf.h"

/* Append an array of objects: a line of heads, then a line for each. Members
 * of inner objects get the names of both, "status.200"; arrays stay JSON. A
 * text that a spreadsheet would take for a formula comes with a ' before it.
 * table must be JSON that we wrote ourselves. */
void csv_print(struct span table, struct buf *out);

#endif

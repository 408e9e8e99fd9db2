/* SPDX-License-Identifier: MIT */
/*
 * keep: Point lines in little memory until they are wanted again byte for
 * byte: a line of a known series is its series, and the text of its time and
 * of its value. A request takes about 200 bytes instead of 2000.
 */
#ifndef K6PIPE_DATA_KEEP_H
#define K6PIPE_DATA_KEEP_H

#include "base/buf.h"
#include "data/trail.h"

/* Append the packed lines of n points to out. They name series of the points'
 * stream, and are good as long as that lives. */
void keep_pack(struct buf *out, const struct point *points, int n);

/* Append the lines that were packed, each with its '\n', to out. */
void keep_unpack(struct buf *out, struct span packed);

#endif

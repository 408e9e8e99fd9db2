/* SPDX-License-Identifier: MIT */
/*
 * keep: the lines of requests in little memory until they are wanted again
 * byte for byte. The requests of a tag set share their heads and tails, so one
 * of them is the text of its time and of its values: about 120 bytes instead
 * of 2000.
 */
#ifndef K6PIPE_DATA_KEEP_H
#define K6PIPE_DATA_KEEP_H

#include "base/buf.h"
#include "data/trail.h"

struct shape;

/* A zeroed struct is empty. */
struct keep {
	struct buf packed;
	struct shape *shapes;	/* owned; they hold their tails */
	size_t n, cap;
};

/* The points' streams must still live: heads are borrowed of them. */
void keep_release(struct keep *k);

/* Keep the lines of 1..GROUP_MAX points; returns their place. */
size_t keep_add(struct keep *k, const struct point *points, int n);

/* Append the lines that were kept at a place, each with '\n', to out. */
void keep_get(const struct keep *k, size_t place, struct buf *out);

#endif

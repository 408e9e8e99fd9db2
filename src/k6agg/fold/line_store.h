/* SPDX-License-Identifier: MIT */
/*
 * line_store: the lines of requests in little memory until they are wanted
 * again byte for byte. The requests of a tag set share their heads and tails,
 * so one of them is the text of its time and of its values: about 120 bytes
 * instead of 2000.
 */
#ifndef K6PIPE_K6AGG_FOLD_LINE_STORE_H
#define K6PIPE_K6AGG_FOLD_LINE_STORE_H

#include "base/buf.h"
#include "data/trail.h"

struct shape;
struct form;

/* A zeroed struct is empty. */
struct line_store {
	bool borrows;		/* tails live longer than it: set by the caller
				   while it is empty */
	struct buf packed;
	struct shape *shapes;	/* owned; they hold their tails */
	size_t n, cap;
	struct form *form;	/* of the shape last told; owned */
};

/* The shapes of one tag set's requests, the last one first; zeroed: none. */
struct line_store_set {
	uint32_t last;		/* number of the shape, from 1 on */
};

/* The points' streams must still live: heads are borrowed of them. */
void line_store_release(struct line_store *k);

/* Empty k for other requests; most of its memory, and borrows, stay. */
void line_store_reset(struct line_store *k);

/* Keep the lines of 1..GROUP_MAX points of a set; returns their place. Places
 * ascend. */
size_t line_store_add(struct line_store *k, struct line_store_set *set,
    const struct point *points, int n);

/* Keep in k, of a set of it, what is kept in from at a place, whose heads must
 * live as long as k; returns its place. */
size_t line_store_copy(struct line_store *k, struct line_store_set *set,
    const struct line_store *from, size_t place);

/* The lines at a place are soon to be told: bring them near. */
static inline void
line_store_expect(const struct line_store *k, size_t place)
{
	__builtin_prefetch(k->packed.p + place);
	__builtin_prefetch(k->packed.p + place + 64);
}

/* Append the lines that were kept at a place, each with '\n', to out. */
void line_store_get(struct line_store *k, size_t place, struct buf *out);

#endif

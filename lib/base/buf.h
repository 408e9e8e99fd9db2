/* SPDX-License-Identifier: MIT */
/*
 * buf: growable bytes with a maximum. A zeroed struct is empty and has no
 * maximum. What would pass the maximum is not added and sets `is_full`, which
 * stays until buf_reset; so writers check once, at the end. There is always a
 * NUL behind the last byte once something was added.
 */
#ifndef K6PIPE_BASE_BUF_H
#define K6PIPE_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct buf {
	char *p;	/* owned; NULL while nothing was added */
	size_t n;	/* bytes in use */
	size_t cap;
	size_t max;	/* 0: no maximum */
	bool is_full;
};

void buf_release(struct buf *b);	/* frees; b is empty again */
void buf_reset(struct buf *b);		/* n = 0, memory kept */

/* Room for n more bytes; returns where they go, NULL past the maximum. The
 * caller then adds to b->n what it wrote. */
char *buf_room(struct buf *b, size_t n);

/* All of it; never a NULL pointer. Dies at the next change of b. */
static inline struct span
buf_whole(const struct buf *b)
{
	return (struct span){ b->p != NULL ? b->p : "", b->n };
}

void buf_add(struct buf *b, const void *bytes, size_t n);
void buf_span(struct buf *b, struct span s);
void buf_text(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

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

static inline void
buf_add(struct buf *b, const void *bytes, size_t n)
{
	char *to = b->n + n >= b->cap || b->max != 0 ? buf_room(b, n)
	    : b->p + b->n;

	if (to == NULL)
		return;
	if (n != 0)
		memcpy(to, bytes, n);
	b->n += n;
	b->p[b->n] = '\0';
}

static inline void
buf_span(struct buf *b, struct span s)
{
	buf_add(b, s.p, s.n);
}

static inline void
buf_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

static inline void
buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_printf(struct buf *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif

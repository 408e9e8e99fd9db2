/* SPDX-License-Identifier: MIT */
/* Growable bytes: they double, up to a maximum, and keep a NUL behind. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* Smallest allocation; the unit test makes it tiny so that growth runs. */
#ifndef BUF_FIRST
#define BUF_FIRST 256
#endif

void
buf_release(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ .max = b->max };
}

void
buf_reset(struct buf *b)
{
	b->n = 0;
	b->is_full = false;
	if (b->p != NULL)
		b->p[0] = '\0';
}

char *
buf_room(struct buf *b, size_t n)
{
	size_t want = b->n + n + 1;

	if (b->is_full || (b->max != 0 && n > b->max - b->n)) {
		b->is_full = true;
		return NULL;
	}
	if (want > b->cap) {
		b->cap = b->cap * 2 > want ? b->cap * 2 : want;
		if (b->cap < BUF_FIRST)
			b->cap = BUF_FIRST;
		b->p = xrealloc(b->p, b->cap);
	}
	return b->p + b->n;
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list ap;
	char *to;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	to = n < 0 ? NULL : buf_room(b, (size_t)n);
	if (to == NULL)
		return;
	va_start(ap, format);
	(void)vsnprintf(to, (size_t)n + 1, format, ap);
	va_end(ap);
	b->n += (size_t)n;
}

/* SPDX-License-Identifier: MIT */
#include "data/keep.h"

#include "data/stream_priv.h"

/* Before each packed line; its texts follow. */
struct head {
	const struct series *series;	/* NULL: value_n bytes, the line */
	uint32_t time_n;	/* 0: the time of the line before */
	uint32_t value_n;
};

static bool
is_same_time(const struct point *a, const struct point *b)
{
	return b->series != NULL && a->time_n == b->time_n &&
	    memcmp(a->line.p + a->time_at, b->line.p + b->time_at,
	    a->time_n) == 0;
}

void
keep_pack(struct buf *out, const struct point *points, int n)
{
	const struct point *p;
	struct head head;
	int i;

	for (i = 0; i < n; i++) {
		p = &points[i];
		head = (struct head){ p->series, p->time_n, p->value_n };
		if (p->series == NULL)
			head.value_n = (uint32_t)p->line.n;
		else if (i > 0 && is_same_time(p, &points[i - 1]))
			head.time_n = 0;
		buf_add(out, &head, sizeof(head));
		buf_add(out, p->line.p + p->time_at, head.time_n);
		buf_add(out, p->line.p + (p->series != NULL ? p->value_at
		    : 0), head.value_n);
	}
}

void
keep_unpack(struct buf *out, struct span packed)
{
	struct span time = { "", 0 };
	const char *p = packed.p;
	struct head head;

	while (p < packed.p + packed.n) {
		memcpy(&head, p, sizeof(head));
		p += sizeof(head);
		if (head.series != NULL) {
			if (head.time_n != 0)
				time = (struct span){ p, head.time_n };
			p += head.time_n;
			buf_span(out, head.series->head);
			buf_span(out, time);
			buf_span(out, SPAN(SERIES_MIDDLE));
		}
		buf_add(out, p, head.value_n);
		p += head.value_n;
		if (head.series != NULL)
			buf_span(out, head.series->tail);
		buf_char(out, '\n');
	}
}

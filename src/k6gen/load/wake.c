/* SPDX-License-Identifier: MIT */
/* A binary heap of times. */
#include "k6gen/load/wake.h"

#include <stdlib.h>

#include "base/mem.h"

void
wake_release(struct wake *w)
{
	free(w->heap);
	*w = (struct wake){ .n = 0 };
}

void
wake_add(struct wake *w, int64_t ns, int who)
{
	size_t i = w->n, up;

	w->heap = xgrow(w->heap, w->n, &w->cap, sizeof(*w->heap));
	w->n++;
	for (; i > 0 && w->heap[up = (i - 1) / 2].ns > ns; i = up)
		w->heap[i] = w->heap[up];
	w->heap[i] = (struct wake_entry){ ns, who };
}

int64_t
wake_next_ns(const struct wake *w)
{
	return w->n > 0 ? w->heap[0].ns : INT64_MAX;
}

int
wake_take(struct wake *w, int64_t now_ns, int64_t *ns)
{
	struct wake_entry first, last;
	size_t i = 0, down;

	if (wake_next_ns(w) > now_ns)
		return -1;
	first = w->heap[0];
	last = w->heap[--w->n];
	while ((down = 2 * i + 1) < w->n) {
		if (down + 1 < w->n && w->heap[down + 1].ns <
		    w->heap[down].ns)
			down++;
		if (last.ns <= w->heap[down].ns)
			break;
		w->heap[i] = w->heap[down];
		i = down;
	}
	w->heap[i] = last;
	*ns = first.ns;
	return first.who;
}

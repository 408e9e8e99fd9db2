/* SPDX-License-Identifier: MIT */
/*
 * During a load: how much is in each batch by the file done, whether or not
 * the bytes of the batch are found.
 */
#include <stdlib.h>

#include "k6push/journal/journal_priv.h"

void
made_add(struct made *all, const struct journal_batch *b)
{
	all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
	all->v[all->n++] = *b;
}

static int
by_number(const void *a, const void *b)
{
	const struct journal_batch *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* One that was noted twice stays with the most that it ever had. */
void
made_sort(struct made *all)
{
	size_t i, n = 0;

	if (all->n > 0)
		qsort(all->v, all->n, sizeof(*all->v), by_number);
	for (i = 0; i < all->n; i++)
		if (n > 0 && all->v[n - 1].number == all->v[i].number) {
			if (all->v[i].points > all->v[n - 1].points)
				all->v[n - 1] = all->v[i];
		} else {
			all->v[n++] = all->v[i];
		}
	all->n = n;
}

const struct journal_batch *
made_find(const struct made *all, uint64_t number)
{
	struct journal_batch key = { .number = number };

	return all->n == 0 ? NULL : bsearch(&key, all->v, all->n,
	    sizeof(*all->v), by_number);
}

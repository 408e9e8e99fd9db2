/* SPDX-License-Identifier: MIT */
/*
 * The batches that are halved, as a load finds them: which they are, where
 * they stand, and which numbers their parts have. A part has a higher number
 * than its whole.
 */
#include <stdlib.h>

#include "k6push/journal/journal_priv.h"

void
halves_add(struct halves *all, uint64_t number, uint64_t first)
{
	all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
	all->v[all->n++] = (struct halved){ .batch.number = number,
	    .first = first };
}

static int
by_number(const void *a, const void *b)
{
	const struct halved *x = a, *y = b;

	return (x->batch.number > y->batch.number) -
	    (x->batch.number < y->batch.number);
}

void
halves_sort(struct halves *all)
{
	if (all->n > 0)
		qsort(all->v, all->n, sizeof(*all->v), by_number);
}

struct halved *
halves_find(const struct halves *all, uint64_t number)
{
	struct halved key = { .batch.number = number };

	return all->n == 0 ? NULL : bsearch(&key, all->v, all->n,
	    sizeof(*all->v), by_number);
}

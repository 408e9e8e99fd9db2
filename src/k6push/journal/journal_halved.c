/* SPDX-License-Identifier: MIT */
/*
 * The halved batches that a load finds: which they are, where they are, and
 * which numbers their parts have. A part has a higher number than its whole.
 */
#include <stdlib.h>

#include "k6push/journal/journal_load.h"

void
halves_add(struct halves *all, const struct journal_batch *b)
{
	all->v = xgrow(all->v, all->n, &all->cap, sizeof(*all->v));
	all->v[all->n++] = (struct halved){ .batch = *b, .first = b->parent };
}

static int
by_number(const void *a, const void *b)
{
	const struct halved *x = a, *y = b;

	return (x->batch.number > y->batch.number) -
	    (x->batch.number < y->batch.number);
}

static void
take_part(struct halved *h, const struct journal_batch *b)
{
	h->parts.batches++;
	h->parts.points += b->points;
	h->parts.requests += b->requests;
}

/* Those that are halved themselves are parts, too; their parent is not told. */
void
halves_sort(struct halves *all)
{
	const struct halved *part;
	size_t i;
	uint64_t n;

	if (all->n > 0)
		qsort(all->v, all->n, sizeof(*all->v), by_number);
	for (i = 0; i < all->n; i++)
		for (n = all->v[i].first; n <= all->v[i].first + 1; n++)
			if ((part = halves_find(all, n)) != NULL)
				take_part(&all->v[i], &part->batch);
}

uint64_t
journal_root(const struct journal_found *found, uint64_t number)
{
	const struct halves *all = &found->load->halves;
	size_t i;

	for (i = 0; i < all->n; i++)
		if (number == all->v[i].first || number == all->v[i].first + 1)
			return journal_root(found, all->v[i].batch.number);
	return number;
}

struct halved *
halves_find(const struct halves *all, uint64_t number)
{
	struct halved key = { .batch.number = number };

	return all->n == 0 ? NULL : bsearch(&key, all->v, all->n,
	    sizeof(*all->v), by_number);
}

void
halves_take_part(struct halves *all, const struct journal_batch *b)
{
	struct halved *h = b->parent != 0 ? halves_find(all, b->parent) : NULL;

	if (h != NULL && (b->number == h->first || b->number == h->first + 1))
		take_part(h, b);
}

/* SPDX-License-Identifier: MIT */
/*
 * What a journal should have and has not: batches that are damaged, and those
 * that are noted, not done, and not there.
 */
#include <stdlib.h>

#include "k6push/journal/journal_load.h"

static int
by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Nothing is left of which it could be made. */
static bool
is_missing(const struct load *l, uint64_t number)
{
	const struct halved *h = load_fate(l, number) == FATE_HALVED
	    ? halves_find(&l->halves, number) : NULL;

	return load_fate(l, number) == FATE_UNKNOWN ||
	    (h != NULL && !h->is_present && load_is_wanted(l, h));
}

/* How many batches are damaged and were not done with. A number of which there
 * is no trace says nothing: it was given out and not used by the time the
 * writer ended. Where a damaged record does not name its batch, it may have
 * been one of those. */
static uint64_t
count_damaged(struct load *l)
{
	uint64_t n, missing = 0, unknown = 0;
	size_t i;

	if (l->n_damaged > 0)
		qsort(l->damaged, l->n_damaged, sizeof(*l->damaged),
		    by_number);
	for (i = 0; i < l->n_damaged; i++)
		missing += (i == 0 || l->damaged[i] != l->damaged[i - 1]) &&
		    is_missing(l, l->damaged[i]);
	if (l->n_nameless == 0)
		return missing;
	for (n = 1; n <= l->found->last; n++)
		unknown += load_fate(l, n) == FATE_UNKNOWN;
	for (i = 0; i < l->n_damaged; i++)
		unknown -= (i == 0 || l->damaged[i] != l->damaged[i - 1]) &&
		    l->damaged[i] <= l->found->last &&
		    load_fate(l, l->damaged[i]) == FATE_UNKNOWN;
	return missing + (l->n_nameless < unknown ? l->n_nameless : unknown);
}

/* Of a halved batch, what its parts that are known do not have. */
static struct journal_sum
rest_of(const struct load *l, const struct halved *h)
{
	struct journal_sum rest = { .batches = 1 }, more;
	const struct halved *part;
	uint64_t n;

	if (h->batch.points > h->parts.points)
		rest.points = h->batch.points - h->parts.points;
	if (h->batch.requests > h->parts.requests)
		rest.requests = h->batch.requests - h->parts.requests;
	for (n = h->first; n <= h->first + 1; n++) {
		part = load_halved_part(l, n);
		if (part == NULL || !load_is_wanted(l, part))
			continue;
		more = rest_of(l, part);
		rest.points += more.points;
		rest.requests += more.requests;
	}
	return rest;
}

struct journal_sum
journal_rest(const struct journal_found *found, uint64_t whole)
{
	return rest_of(found->load, halves_find(&found->load->halves, whole));
}

static void
add_gone(struct load *l, uint64_t points, uint64_t requests)
{
	l->found->gone.batches++;
	l->found->gone.points += points;
	l->found->gone.requests += requests;
}

/* Is it a part of one that is not there either? That one counts for it. */
static bool
has_gone_whole(const struct load *l, uint64_t number)
{
	const struct halved *h;
	size_t i;

	for (i = 0; i < l->halves.n; i++) {
		h = &l->halves.v[i];
		if ((number == h->first || number == h->first + 1) &&
		    !h->is_present && load_fate(l, h->batch.number) ==
		    FATE_HALVED)
			return true;
	}
	return false;
}

/* What was cut, is not done with, and is not there. */
static void
count_gone(struct load *l)
{
	const struct journal_batch *b;
	const struct halved *h;
	struct journal_sum rest;
	size_t i;

	for (i = 0; i < l->made.n; i++) {
		b = &l->made.v[i];
		if (load_fate(l, b->number) == FATE_UNKNOWN &&
		    !load_is_early_part(l, b) && !has_gone_whole(l, b->number))
			add_gone(l, b->points, b->requests);
	}
	for (i = 0; i < l->halves.n; i++) {
		h = &l->halves.v[i];
		if (h->is_present || load_fate(l, h->batch.number) !=
		    FATE_HALVED || !load_is_wanted(l, h) ||
		    has_gone_whole(l, h->batch.number))
			continue;
		rest = rest_of(l, h);
		add_gone(l, rest.points, rest.requests);
	}
}

void
load_count_missing(struct load *l)
{
	l->found->missing = count_damaged(l);
	count_gone(l);
}

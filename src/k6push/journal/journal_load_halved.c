/* SPDX-License-Identifier: MIT */
/* During a load: batches that are halved, and which of their parts count. */
#include "k6push/journal/journal_load.h"

bool
load_is_early_part(const struct load *l, const struct journal_batch *b)
{
	return b->parent != 0 && load_fate(l, b->parent) != FATE_SPLIT &&
	    load_fate(l, b->parent) != FATE_HALVED;
}

struct halved *
load_halved_part(const struct load *l, uint64_t number)
{
	struct halved *part = load_fate(l, number) == FATE_HALVED
	    ? halves_find(&l->halves, number) : NULL;

	return part != NULL && !part->is_present ? part : NULL;
}

bool
load_is_wanted(const struct load *l, const struct halved *h)
{
	const struct halved *part;
	uint64_t n;

	for (n = h->first; n <= h->first + 1; n++) {
		if (load_fate(l, n) == FATE_UNKNOWN)
			return true;
		part = load_halved_part(l, n);
		if (part != NULL && load_is_wanted(l, part))
			return true;
	}
	return false;
}

/* The parts that were wanted are there now. */
static void
set_made(struct load *l, const struct halved *h)
{
	const struct halved *part;
	uint64_t n;

	for (n = h->first; n <= h->first + 1; n++) {
		part = load_halved_part(l, n);
		if (load_fate(l, n) == FATE_UNKNOWN)
			load_set_fate(l, n, FATE_LIVE);
		else if (part != NULL)
			set_made(l, part);
	}
}

void
load_take_halved(struct load *l, struct halved *h, struct span pieces)
{
	if (!load_is_wanted(l, h))
		return;
	if (l->found->halved != NULL)
		l->found->halved(l->found->ctx, &h->batch, &h->place, pieces);
	set_made(l, h);
}

/* Does h stand in a segment, and is something of it wanted? */
static bool
is_wanted_there(const struct load *l, const struct halved *h)
{
	return h->is_present && h->place.segment != 0 &&
	    load_fate(l, h->batch.number) == FATE_HALVED &&
	    load_is_wanted(l, h);
}

/* Some end within the callback: their segment is to stay for the others. */
void
load_take_halves(struct load *l)
{
	struct segment *s;
	struct halved *h;
	size_t i;

	for (i = 0; i < l->halves.n; i++) {
		h = &l->halves.v[i];
		for (s = l->j->segments; s != NULL && s->number !=
		    h->place.segment; s = s->next)
			;
		if (s != NULL && is_wanted_there(l, h))
			s->live++;
	}
	for (i = 0; i < l->halves.n; i++)
		if (is_wanted_there(l, &l->halves.v[i]))
			load_take_halved(l, &l->halves.v[i], SPAN(""));
}

enum journal_part
journal_part(const struct journal_found *found, uint64_t whole, int n,
    uint64_t *number)
{
	const struct load *l = found->load;
	const struct halved *h = halves_find(&l->halves, whole), *part;

	*number = h->first + (uint64_t)n;
	if (load_fate(l, *number) == FATE_UNKNOWN)
		return JOURNAL_PART_WANTED;
	part = load_halved_part(l, *number);
	return part != NULL && load_is_wanted(l, part)
	    ? JOURNAL_PART_HALVED : JOURNAL_PART_NONE;
}

struct halved *
load_set_present(struct load *l, const struct journal_batch *b,
    const struct journal_place *place)
{
	struct halved *h = halves_find(&l->halves, b->number);

	h->is_present = true;
	h->batch = *b;
	h->place = *place;
	return h;
}

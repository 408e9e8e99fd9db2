/* SPDX-License-Identifier: MIT */
/* Targets with weights, in a round in which each is spread evenly. */
#include "k6gen/targets/mix.h"

#include <stdlib.h>

#include "base/mem.h"

enum { MOST_TURNS = 10000000 };

struct turn {
	double at;		/* 0..1 in the round */
	uint32_t target;
};

static int64_t
common_divisor(int64_t a, int64_t b)
{
	int64_t rest;

	for (; b != 0; b = rest) {
		rest = a % b;
		a = b;
	}
	return a;
}

static int
compare_turns(const void *a, const void *b)
{
	const struct turn *x = a, *y = b;

	if (x->at != y->at)
		return x->at < y->at ? -1 : 1;
	return x->target < y->target ? -1 : x->target > y->target;
}

int
mix_make(struct mix *m, const int64_t *weights, size_t n, struct why *why)
{
	int64_t divisor = 0, all = 0, k, times;
	struct turn *turns;
	size_t i, at = 0;

	for (i = 0; i < n; i++)
		divisor = common_divisor(weights[i], divisor);
	for (i = 0; i < n && all <= MOST_TURNS; i++)
		all += weights[i] / divisor;
	if (all > MOST_TURNS)
		return why_set(why, "the weights add up to more than %d "
		    "targets: use smaller ones", MOST_TURNS);
	turns = xcalloc((size_t)all, sizeof(*turns));
	for (i = 0; i < n; i++) {
		times = weights[i] / divisor;
		for (k = 0; k < times; k++)
			turns[at++] = (struct turn){ ((double)k + 0.5) /
			    (double)times, (uint32_t)i };
	}
	qsort(turns, at, sizeof(*turns), compare_turns);
	m->turns = xcalloc(at, sizeof(*m->turns));
	m->n = at;
	for (i = 0; i < at; i++)
		m->turns[i] = turns[i].target;
	free(turns);
	return 0;
}

void
mix_release(struct mix *m)
{
	free(m->turns);
	*m = (struct mix){ .n = 0 };
}

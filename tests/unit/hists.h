/* SPDX-License-Identifier: MIT */
/* hists: histograms compared. */
#ifndef K6PIPE_TESTS_HISTS_H
#define K6PIPE_TESTS_HISTS_H

#include "data/hist.h"

static inline bool
is_same_hist(const struct hist *a, const struct hist *b)
{
	size_t i;

	for (i = 0; i < a->n && i < b->n; i++)
		if (a->buckets[i].index != b->buckets[i].index ||
		    a->buckets[i].count != b->buckets[i].count)
			return false;
	return a->n == b->n && a->low == b->low && a->high == b->high;
}

#endif

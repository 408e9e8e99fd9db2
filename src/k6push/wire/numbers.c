/* SPDX-License-Identifier: MIT */
/* The numbers of batches: a counter that only grows. */
#include "k6push/wire/numbers.h"

void
numbers_continue(struct numbers *n, uint64_t last)
{
	atomic_store(&n->last, last);
}

uint64_t
numbers_take(struct numbers *n, uint64_t count)
{
	return atomic_fetch_add(&n->last, count) + 1;
}

uint64_t
numbers_last(const struct numbers *n)
{
	return n->last;
}

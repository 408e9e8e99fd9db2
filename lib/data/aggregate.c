/* SPDX-License-Identifier: MIT */
#include "data/aggregate.h"

void
aggregate_release(struct aggregate *a)
{
	int i;

	for (i = 0; i < TIMINGS; i++)
		hist_release(&a->timing[i].hist);
	*a = (struct aggregate){ 0 };
}

void
aggregate_add(struct aggregate *a, const struct trail *t)
{
	struct fold *f;
	int i;

	for (i = 0; i < TIMINGS; i++) {
		f = &a->timing[i];
		if (a->count == 0 || t->ns[i] < f->min_ns)
			f->min_ns = t->ns[i];
		if (t->ns[i] > f->max_ns)	/* from 0 on, as in k6 */
			f->max_ns = t->ns[i];
		f->sum_ns += t->ns[i];
		hist_add(&f->hist, (double)t->ns[i] / 1e6, 1);
	}
	a->count++;
	if (t->failed >= 0) {
		a->failed_count++;
		a->failed_nonzero += (uint64_t)t->failed;
	}
}

double
fold_avg_ms(const struct fold *f, uint64_t count)
{
	return (double)f->sum_ns / 1e6 / (double)count;
}

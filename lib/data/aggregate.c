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

static void
merge_fold(struct fold *to, const struct fold *from, bool has_hists)
{
	if (from->min_ns < to->min_ns)
		to->min_ns = from->min_ns;
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
	to->sum_ns += from->sum_ns;
	if (has_hists)
		hist_merge(&to->hist, &from->hist);
	else
		hist_release(&to->hist);
}

void
aggregate_merge(struct aggregate *a, const struct aggregate *from)
{
	const struct fold *f;
	int i;

	for (i = 0; i < TIMINGS; i++) {
		f = &from->timing[i];
		merge_fold(&a->timing[i], f,
		    hist_count(&a->timing[i].hist) == a->count &&
		    hist_count(&f->hist) == from->count);
	}
	a->count += from->count;
	a->failed_count += from->failed_count;
	a->failed_nonzero += from->failed_nonzero;
}

double
fold_avg_ms(const struct fold *f, uint64_t count)
{
	return (double)f->sum_ns / 1e6 / (double)count;
}

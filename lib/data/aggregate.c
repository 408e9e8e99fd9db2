/* SPDX-License-Identifier: MIT */
/* Requests folded into one: sums, minima, maxima, histograms. */
#include "data/aggregate.h"

void
aggregate_release(struct aggregate *a)
{
	int i;

	for (i = 0; i < TIMINGS; i++)
		hist_release(&a->timing[i].hist);
	*a = (struct aggregate){ 0 };
}

static void
fold_add(struct fold *f, enum timing timing, const struct trail *const *trails,
    size_t n, struct hist_tally *tally)
{
	int64_t ns;
	size_t i;

	for (i = 0; i < n; i++) {
		ns = trails[i]->ns[timing];
		if (ns < f->min_ns)
			f->min_ns = ns;
		if (ns > f->max_ns)	/* from 0 on, as in k6 */
			f->max_ns = ns;
		f->sum_ns += ns;
		hist_tally_add(tally, (double)ns / 1e6);
	}
	hist_add_tally(&f->hist, tally);
}

void
aggregate_add_all(struct aggregate *a, const struct trail *const *trails,
    size_t n, struct hist_tally *scratch)
{
	size_t i;
	int timing;

	for (timing = 0; timing < TIMINGS && n > 0; timing++) {
		if (a->count == 0)
			a->timing[timing].min_ns = trails[0]->ns[timing];
		fold_add(&a->timing[timing], (enum timing)timing, trails, n,
		    scratch);
	}
	a->count += n;
	for (i = 0; i < n; i++)
		if (trails[i]->failed >= 0) {
			a->failed_count++;
			a->failed_nonzero += (uint64_t)trails[i]->failed;
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

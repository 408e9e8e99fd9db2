/* SPDX-License-Identifier: MIT */
/* The histogram of durations in the summary. */
#include "k6gen/report/summary_histogram.h"

#include <stdint.h>

#include "k6gen/report/summary_figures.h"

enum {
	BOUNDS = 3 * 14,	/* 1 us to 5 * 10^13 us */
	BOUND_WIDTH = 12,
	BAR_WIDTH = 40,
};

#define ROUNDED (1 + 1e-9)	/* decimals of a bucket's edge differ by less */

/* 1, 2, 5, 10, ... microseconds, as milliseconds. */
static double
bound(int i)
{
	static const double steps[] = { 0.001, 0.002, 0.005 };
	double ms = steps[i % 3];

	for (; i >= 3; i -= 3)
		ms *= 10;
	return ms;
}

/* Count each bucket of the histogram at the first bound that its largest value
 * does not pass; one on both sides of a bound, which is less than 0.8 % wide,
 * is counted above it. What passes all is counted at the last. */
static void
count_by_bound(const struct hist *h, uint64_t *counts)
{
	size_t i;
	int at = 0;

	for (i = 0; i < h->n; i++) {
		while (at < BOUNDS - 1 &&
		    hist_upper(h->buckets[i].index) > bound(at) * ROUNDED)
			at++;
		counts[at] += h->buckets[i].count;
	}
	counts[BOUNDS - 1] += h->high;
}

static void
print_bar(struct buf *out, uint64_t count, uint64_t most)
{
	int n = (int)((double)count / (double)most * BAR_WIDTH + 0.5);

	if (n > 0)
		buf_char(out, ' ');
	while (n-- > 0)
		buf_text(out, "■");
}

static void
print_bound(struct buf *out, int i, uint64_t count, uint64_t all)
{
	char time[FIGURE_TEXT], part[FIGURE_TEXT];

	figure_duration(time, bound(i));
	figure_percent(part, (double)count, (double)all);
	buf_printf(out, "    <= %s%*s%9llu  %7s", time,
	    BOUND_WIDTH - 3 - figure_width(time), "",
	    (unsigned long long)count, part);
}

void
summary_print_histogram(const struct sink *durations, struct buf *out)
{
	uint64_t counts[BOUNDS] = { 0 }, most = 0, all = durations->count;
	int i, first = BOUNDS, last = 0;

	if (all == 0)
		return;
	count_by_bound(&durations->hist, counts);
	for (i = 0; i < BOUNDS; i++) {
		if (counts[i] == 0)
			continue;
		if (first == BOUNDS)
			first = i;
		last = i;
		if (counts[i] > most)
			most = counts[i];
	}
	buf_text(out, "\n    DURATIONS\n");
	for (i = first; i <= last; i++) {
		print_bound(out, i, counts[i], all);
		print_bar(out, counts[i], most);
		buf_char(out, '\n');
	}
}

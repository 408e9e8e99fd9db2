/* SPDX-License-Identifier: MIT */
/* The sparse histogram: indexes, adding, percentiles. */
#include "data/hist.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/hist_priv.h"

/* Resolution of the lowest buckets, and where they end. */
#define RESOLUTION 0.001
enum { LINEAR = 256 };

/* Up to this index a step is more than 0.8 % of a value. */
enum { COARSE = 128 };

/* From how many buckets on their places are guessed, and of how many. */
enum { GUESSES_FROM = 32, GUESSES = 256 };
#define FINE_FACTOR 0x1p17

void
hist_release(struct hist *h)
{
	if (h->negative != NULL)
		hist_release(h->negative);
	if (h->fine != NULL)
		hist_release(h->fine);
	free(h->negative);
	free(h->fine);
	free(h->buckets);
	free(h->guesses);
	*h = (struct hist){ .keeps_fine = h->keeps_fine };
}

void
hist_empty(struct hist *h)
{
	h->n = 0;
	h->low = h->high = 0;
	if (h->negative != NULL)
		hist_empty(h->negative);
	if (h->fine != NULL)
		hist_empty(h->fine);
}

struct hist *
hist_negative(struct hist *h)
{
	if (h->negative == NULL) {
		h->negative = xcalloc(1, sizeof(*h->negative));
		h->negative->keeps_fine = h->keeps_fine;
	}
	return h->negative;
}

struct hist *
hist_fine(struct hist *h)
{
	if (h->fine == NULL)
		h->fine = xcalloc(1, sizeof(*h->fine));
	return h->fine;
}

int64_t
hist_index(double value)
{
	double scaled = value / RESOLUTION;
	uint64_t u;
	int n;

	if (scaled < 0)
		return -1;
	if (!(scaled <= 0x1p63))
		return -2;
	u = (uint64_t)scaled;
	u += (double)u < scaled;	/* rounded up */
	if (u < LINEAR)
		return (int64_t)u;
	n = 63 - __builtin_clzll(u) - 7;
	return ((int64_t)n << 7) + (int64_t)(u >> n);
}

/* The first scaled value of a bucket; those of index + 1 begin behind it. */
static double
scaled_start(uint32_t index)
{
	int n;

	if (index < LINEAR)
		return index;
	n = (int)(index >> 7) - 1;
	return ldexp((double)(index - ((uint32_t)n << 7)), n);
}

/* Values are rounded up to whole steps, so a bucket begins just above the
 * step before its first one. */
double
hist_lower(uint32_t index)
{
	return index == 0 ? 0 : (scaled_start(index) - 1) * RESOLUTION;
}

double
hist_upper(uint32_t index)
{
	return (scaled_start(index + 1) - 1) * RESOLUTION;
}

/* Where index stands, or would be put in. Indexes are all different: not more
 * than index - first stand before it, and not more than last - index behind. */
static size_t
place_of(const struct hist *h, uint32_t index)
{
	size_t lo = 0, hi = h->n, mid;
	uint32_t first, last;

	if (h->n == 0)
		return 0;
	first = h->buckets[0].index;
	last = h->buckets[h->n - 1].index;
	if (last < index)
		return h->n;
	if (index <= first)
		return 0;
	if (index - first < hi)
		hi = index - first;
	if (last - index < h->n - 1)
		lo = h->n - 1 - (last - index);
	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (h->buckets[mid].index < index)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void
hist_add_bucket(struct hist *h, uint32_t index, uint64_t count)
{
	size_t at;

	/* Most values fall where others fell; a place that is no longer that
	 * of its index is found out. */
	if (h->guesses != NULL) {
		at = h->guesses[index % GUESSES];
		if (at < h->n && h->buckets[at].index == index) {
			h->buckets[at].count += count;
			return;
		}
	} else if (h->n >= GUESSES_FROM) {
		h->guesses = xcalloc(GUESSES, sizeof(*h->guesses));
	}
	at = place_of(h, index);
	if (h->guesses != NULL)
		h->guesses[index % GUESSES] = (uint16_t)at;
	if (at < h->n && h->buckets[at].index == index) {
		h->buckets[at].count += count;
		return;
	}
	h->buckets = xgrow(h->buckets, h->n, &h->cap, sizeof(h->buckets[0]));
	memmove(h->buckets + at + 1, h->buckets + at,
	    (h->n - at) * sizeof(h->buckets[0]));
	h->buckets[at] = (struct hist_bucket){ index, count };
	h->n++;
}

void
hist_add(struct hist *h, double value, uint64_t times)
{
	int64_t index = hist_index(value);

	if (times == 0)
		return;
	if (index == -1) {
		h->low += times;
		hist_add(hist_negative(h), -value, times);
	} else if (index == -2) {
		h->high += times;
	} else {
		hist_add_bucket(h, (uint32_t)index, times);
		if (h->keeps_fine && index > 0 && index <= COARSE)
			hist_add(hist_fine(h), value * FINE_FACTOR, times);
	}
}

void
hist_tally_add(struct hist_tally *t, double value)
{
	int64_t index = hist_index(value);

	if (index < 0) {
		t->low += index == -1;
		t->high += index == -2;
		return;
	}
	t->count[index]++;
	if (t->first == t->end) {
		t->first = (uint32_t)index;
		t->end = t->first + 1;
	} else if (index < t->first) {
		t->first = (uint32_t)index;
	} else if (index >= t->end) {
		t->end = (uint32_t)index + 1;
	}
}

void
hist_add_tally(struct hist *h, struct hist_tally *t)
{
	uint32_t i;

	for (i = t->first; i < t->end; i++)
		if (t->count[i] != 0) {
			hist_add_bucket(h, i, t->count[i]);
			t->count[i] = 0;
		}
	h->low += t->low;
	h->high += t->high;
	t->first = t->end = 0;
	t->low = t->high = 0;
}

void
hist_merge(struct hist *h, const struct hist *from)
{
	size_t i;

	h->low += from->low;
	h->high += from->high;
	if (from->negative != NULL)
		hist_merge(hist_negative(h), from->negative);
	if (from->fine != NULL)
		hist_merge(hist_fine(h), from->fine);
	for (i = 0; i < from->n; i++)
		hist_add_bucket(h, from->buckets[i].index,
		    from->buckets[i].count);
}

uint64_t
hist_count(const struct hist *h)
{
	uint64_t sum = h->low + h->high;
	size_t i;

	for (i = 0; i < h->n; i++)
		sum += h->buckets[i].count;
	return sum;
}

uint64_t
hist_count_to(const struct hist *h, double value)
{
	int64_t last = hist_index(value);
	uint64_t sum = h->low;
	size_t i;

	for (i = 0; i < h->n && h->buckets[i].index <= last; i++)
		sum += h->buckets[i].count;
	return sum;
}

static double
within(double v, double min, double max)
{
	return v < min ? min : v > max ? max : v;
}

static double middle_at(const struct hist *h, uint64_t rank);

/* The same as middle_at of a rank among the values of 0..0.128, if each of
 * them is in the fine histogram. */
static bool
fine_at(const struct hist *h, uint64_t rank, double *value)
{
	uint64_t zeros = 0, n = 0;
	size_t i;

	for (i = 0; i < h->n && h->buckets[i].index <= COARSE; i++)
		*(h->buckets[i].index == 0 ? &zeros : &n) +=
		    h->buckets[i].count;
	if (rank < zeros || rank - zeros >= n || hist_count(h->fine) != n)
		return false;
	*value = middle_at(h->fine, rank - zeros) / FINE_FACTOR;
	return true;
}

/* The middle of the bucket of the value at rank (0 is the smallest), of those
 * that are neither below 0 nor past the last bucket; infinite for these. */
static double
middle_at(const struct hist *h, uint64_t rank)
{
	uint64_t seen = 0;
	uint32_t index;
	double fine;
	size_t i;

	if (h->fine != NULL && fine_at(h, rank, &fine))
		return fine;
	for (i = 0; i < h->n; i++) {
		seen += h->buckets[i].count;
		if (rank < seen)
			break;
	}
	if (i == h->n)
		return (double)INFINITY;
	index = h->buckets[i].index;
	if (index < LINEAR)
		return hist_upper(index);
	return (hist_lower(index) + hist_upper(index)) / 2;
}

/* The value of the sample at rank; the ends of the data are known exactly. Of
 * values below 0 those nearest to it are the first of their histogram. */
static double
value_at(const struct hist *h, uint64_t rank, uint64_t count, double min,
    double max)
{
	if (rank == 0)
		return min;
	if (rank + 1 >= count)
		return max;
	if (rank >= h->low)
		return within(middle_at(h, rank - h->low), min, max);
	if (h->negative == NULL)
		return min;
	return within(-middle_at(h->negative, h->low - 1 - rank), min, max);
}

double
hist_quantile(const struct hist *h, double p, double min, double max)
{
	uint64_t count = hist_count(h), rank;
	double position, lower, upper;

	if (count == 0)
		return 0;
	position = p * (double)(count - 1);
	rank = (uint64_t)floor(position);
	lower = value_at(h, rank, count, min, max);
	upper = value_at(h, (uint64_t)ceil(position), count, min, max);
	return lower + (upper - lower) * (position - (double)rank);
}
